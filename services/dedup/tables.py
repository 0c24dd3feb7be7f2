"""The tables of dedup, and the lookup keys of hashes, which are cut into bands (`candidates/keys.py` has others)."""

from itertools import accumulate
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import BIT, JSONB

from services.dedup.rule.known_picture import BITS

metadata = MetaData(schema="dedup")

CLOCK = func.clock_timestamp()

BAND_WIDTHS = (43, 43, 43, 43, 42, 42)
BAND_STARTS = tuple(accumulate(BAND_WIDTHS[:-1], initial=0))
BANDED_DISTANCE = len(BAND_WIDTHS) - 1
"""The greatest distance for which the bands find every match: hashes that differ in at most five bits agree wholly in
one of six disjoint bands, as five bits can touch only five of them."""
KEY_BITS = 64
"""What an index holds of a band or a SHA-256: its entries are as small as any, and PostgreSQL's integers as large."""


def as_bits(hash256: str) -> str:
    """64 hex digits as PostgreSQL writes them: 256 noughts and ones."""
    return f"{int(hash256, 16):0{BITS}b}"


def lookup_key(tenant_id: UUID, value: int, width: int) -> int:
    """The number by which a tenant's rows with this value, of so many bits, are looked up, as the database makes it.

    Of 64 bits the first are the tenant's, so that what it has lies together, and a picture that every shop sells makes
    nobody else's lookups longer. Tenants whose ids begin alike share keys: whoever asks compares the tenant, too.
    An index on (tenant, value) says the same in twice the bytes; those of ten million designs did not stay in memory.
    """
    key = (tenant_id.int >> (128 - KEY_BITS + width) << width) | value
    return key - (key >> KEY_BITS - 1 << KEY_BITS)  # PostgreSQL's integers have a sign


def band_keys(tenant_id: UUID, hash256: str) -> list[int]:
    """The lookup keys of a hash, one for each band."""
    bits = int(hash256, 16)
    cuts = zip(BAND_STARTS, BAND_WIDTHS, strict=True)
    return [lookup_key(tenant_id, bits >> BITS - start - width & (1 << width) - 1, width) for start, width in cuts]


def bytes_key(tenant_id: UUID, sha256: str) -> int:
    """The lookup key of a SHA-256: of its first 40 bits. Whoever asks compares all of it."""
    return lookup_key(tenant_id, int(sha256[:10], 16), 40)


def _band_in_sql(source: str, number: int) -> str:
    start, width = BAND_STARTS[number], BAND_WIDTHS[number]
    tenant = f"('x' || left(CAST(tenant_id AS text), 8))::bit(32)::bit({KEY_BITS - width})"
    return f"({tenant} || substring({source} from {start + 1} for {width}))::bit({KEY_BITS})::bigint"


def _bytes_in_sql(source: str) -> str:
    return f"('x' || left(CAST(tenant_id AS text), 6) || left({source}, 10))::bit({KEY_BITS})::bigint"


def _made(name: str, expression: str) -> Column[int]:
    """The database makes the keys itself, so they can't disagree with what they are of."""
    return Column(name, BigInteger, Computed(expression, persisted=True))


BANDS = range(len(BAND_WIDTHS))

hashes = Table(
    "hashes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("item_id", Uuid, unique=True, comment="upload, or old system's design; null: only found on the NAS"),
    Column("session_id", Uuid),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("source", Text, nullable=False, comment="session | nas | database"),
    Column("state", Text, nullable=False, comment="claimed: in work; known: stored; released: failed, matches nothing"),
    Column("is_active", Boolean, nullable=False, server_default=true(), comment="false: the user took it out of use"),
    Column("revision", Integer, nullable=False, server_default="0", comment="of the change that set is_active"),
    Column("algorithm", Text, nullable=False, comment="only equal ones are compared"),
    Column("phash", BIT(BITS)),
    Column("dhash", BIT(BITS)),
    *(_made(f"phash_key_{number}", _band_in_sql("phash", number)) for number in BANDS),
    *(_made(f"dhash_key_{number}", _band_in_sql("dhash", number)) for number in BANDS),
    Column("upload_sha256", Text),
    Column("print_sha256", Text),
    _made("upload_key", _bytes_in_sql("upload_sha256")),
    _made("print_key", _bytes_in_sql("print_sha256")),
    Column("canonical_sha256", Text, comment="the picture that the hashes were taken from, for a look at its pixels"),
    Column("canonical_size", BigInteger),
    Column("art_width", Integer, comment="pixels of what is visible of the upload"),
    Column("art_height", Integer),
    Column("filename", Text, comment="as it was uploaded"),
    Column("name", Text, comment="as it was stored"),
    Column("path", Text, comment="below the NAS root"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    *(Index(f"hashes_{source}_{n}", f"{source}_key_{n}") for source in ("phash", "dhash") for n in BANDS),
    Index("hashes_upload", "upload_key"),
    Index("hashes_print", "print_key"),
    Index("hashes_path", "tenant_id", "path"),
    Index(
        "hashes_learnt", "tenant_id", "source", "path", "algorithm", unique=True,
        postgresql_where=text("item_id IS NULL"),
    ),
)  # fmt: skip

verdicts = Table(
    "verdicts",
    metadata,
    Column("item_id", Uuid, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("index", Integer, nullable=False),
    Column("hashed", JSONB, nullable=False, comment="the ImageHashed that it answers, to decide anew from"),
    Column("accepted", JSONB(none_as_null=True), comment="the ImageAccepted, or"),
    Column("duplicate", JSONB(none_as_null=True), comment="the DuplicateFound"),
    Column("matched_item_id", Uuid, comment="the upload that it is a duplicate of"),
    Column("freed_item_id", Uuid, comment="the item whose claim ended or made way, and so led to it"),
    Column("freed_generation", Integer),
    Column("place", Integer, nullable=False, server_default="0", comment="its place among that release's verdicts"),
    Column("decided_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("verdicts_matched", "matched_item_id", postgresql_where=text("matched_item_id IS NOT NULL")),
    Index("verdicts_freed", "freed_item_id", postgresql_where=text("freed_item_id IS NOT NULL")),
    Index("verdicts_session", "session_id"),
)

cancelled = Table(
    "cancelled",
    metadata,
    Column("item_id", Uuid, primary_key=True),
    Column("generation", Integer, nullable=False, comment="up to this one nothing is decided anew"),
)

pairs = Table(
    "pairs",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("one", Text, primary_key=True, comment="what a file holds: its SHA-256, the lesser of the two"),
    Column("other", Text, primary_key=True),
    Column("decision", Text, nullable=False, comment="keep | skip: what somebody said who saw both"),
    Column("decided_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("pairs_other", "tenant_id", "other"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("hash_id", BigInteger, ForeignKey(hashes.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", BigInteger, nullable=False, comment="64 bits less 2^63: finds what the second look sees"),
    Index("keys_tenant", "tenant_id", "id"),
    Index("keys_hash", "hash_id"),
)
