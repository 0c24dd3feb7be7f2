"""Look hashes up by 64 bits that begin with the tenant's: indexes of half the size, which ten million designs need.

The columns have new names: dedup of an earlier release, still running, fails at them instead of finding no duplicates.
"""

from itertools import accumulate

from alembic import op

revision = "0019"
down_revision = "0018"

WIDTHS = (43, 43, 43, 43, 42, 42)
BANDS = list(enumerate(zip(accumulate(WIDTHS[:-1], initial=0), WIDTHS, strict=True)))
SOURCES = ("phash", "dhash")


def upgrade() -> None:
    bands = [(source, n, start, width) for source in SOURCES for n, (start, width) in BANDS]
    keys = {f"{source}_key_{n}": _band(source, start, width) for source, n, start, width in bands}
    keys |= {"upload_key": _bytes("upload_sha256"), "print_key": _bytes("print_sha256")}
    indexes = {f"hashes_{source}_{n}": f"{source}_key_{n}" for source, n, _, _ in bands}
    indexes |= {"hashes_upload": "upload_key", "hashes_print": "print_key"}
    for index in indexes:
        op.drop_index(index, "hashes", schema="dedup")
    changes = [f"DROP COLUMN {source}_{n}" for source, n, _, _ in bands]
    changes += [f"ADD COLUMN {name} bigint GENERATED ALWAYS AS ({made}) STORED" for name, made in keys.items()]
    op.execute(f"ALTER TABLE dedup.hashes {', '.join(changes)}")  # as one, for each would write the table anew
    for index, column in indexes.items():
        op.create_index(index, "hashes", [column], schema="dedup")


def _band(source: str, start: int, width: int) -> str:
    tenant = f"('x' || left(CAST(tenant_id AS text), 8))::bit(32)::bit({64 - width})"
    return f"({tenant} || substring({source} from {start + 1} for {width}))::bit(64)::bigint"


def _bytes(source: str) -> str:
    return f"('x' || left(CAST(tenant_id AS text), 6) || left({source}, 10))::bit(64)::bigint"
