"""Designs that the old system stored: known here under their ids and names. Used inside a transaction.

Its hashes were taken from another picture, so they carry a label of their own and are compared with nothing. A design
blocks its copies from the moment at which a scan of the NAS has hashed its file: the file's hashes become the design's
(`took`), so that what matches is named as that design, and nothing matches one that is out of use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from services.dedup.records.claims import lock
from services.dedup.tables import CLOCK, as_bits, hashes, keys

LEGACY = "legacy-phash-16"
"""pHash of 256 bits by the old system: of the whole print file, its transparency dropped."""
UNUSABLE = "legacy-unusable"
"""It had a hash of another length, or none."""

HASHED = ("algorithm", "phash", "dhash", "upload_sha256", "print_sha256", "canonical_sha256", "canonical_size")


@dataclass(frozen=True)
class OldDesign:
    """A design with its old pHash, None if that can't be one. `path` is below the NAS root."""

    design_id: UUID
    session_id: UUID
    name: str
    path: str | None
    phash: str | None
    is_active: bool
    revision: int
    created_at: datetime


def upsert_old_designs(connection: Connection, tenant_id: UUID, designs: Sequence[OldDesign]) -> None:
    """Know these designs from now on, or as they are now. What a scan has learnt of their files is theirs already."""
    lock(connection, tenant_id)
    new = insert(hashes)
    moved = hashes.c.path.is_distinct_from(new.excluded.path)
    facts: dict[str, Any] = {name: new.excluded[name] for name in ("name", "path", "filename", "is_active", "revision")}
    # at another place lies another file, which is hashed when it is found
    facts |= {name: case((moved, new.excluded[name]), else_=hashes.c[name]) for name in HASHED}
    known = new.on_conflict_do_update(index_elements=["item_id"], set_=facts | {"changed_at": CLOCK})
    # Rows beside the statement: one with them in it is put together anew each time, which was a third of an import.
    # RETURNING, as an upsert's rows would go one at a time without it.
    connection.execute(known.returning(hashes.c.id), [_row(tenant_id, design) for design in designs])
    paths = [design.path for design in designs if design.path]
    learnt = select(hashes).where(hashes.c.tenant_id == tenant_id, hashes.c.source == "nas", hashes.c.path.in_(paths))
    for row in connection.execute(learnt.where(hashes.c.item_id.is_(None))).all():
        if its := took(connection, tenant_id, row.path, _hashed(row)):
            _take_keys(connection, row.id, its)
            connection.execute(delete(hashes).where(hashes.c.id == row.id))


def took(connection: Connection, tenant_id: UUID, path: str | None, hashed: Mapping[str, object]) -> int | None:
    """The row of the old design whose file lies at this path, if there is one. These hashes are its own now.

    Of several with one path the newest has it: the old system gave numbers twice, and wrote over the file.
    """
    newest = (
        select(hashes.c.id)
        .where(hashes.c.tenant_id == tenant_id, hashes.c.source == "database", hashes.c.path == path)
        .where(hashes.c.item_id.is_not(None))
        .order_by(hashes.c.created_at.desc(), hashes.c.id.desc())
        .limit(1)
    )
    its = update(hashes).where(hashes.c.id == newest.scalar_subquery())
    changed = its.values(**hashed, state="known", changed_at=CLOCK)
    return connection.execute(changed.returning(hashes.c.id)).scalar_one_or_none()


def _take_keys(connection: Connection, learnt: int, design: int) -> None:
    """As rows of their own: a process that has read the table reads what comes after, and nothing twice."""
    connection.execute(delete(keys).where(keys.c.hash_id == design))
    its = select(keys.c.tenant_id, literal(design), keys.c.key).where(keys.c.hash_id == learnt)
    connection.execute(insert(keys).from_select(["tenant_id", "hash_id", "key"], its))


def _row(tenant_id: UUID, design: OldDesign) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "item_id": design.design_id,
        "session_id": design.session_id,
        "source": "database",
        "state": "known",
        "is_active": design.is_active,
        "revision": design.revision,
        "algorithm": LEGACY if design.phash else UNUSABLE,
        "phash": as_bits(design.phash) if design.phash else None,
        "dhash": None,
        "upload_sha256": None,
        "print_sha256": None,
        "canonical_sha256": None,
        "canonical_size": None,
        "filename": design.name,
        "name": design.name,
        "path": design.path,
        "created_at": design.created_at,
    }


def _hashed(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in HASHED}
