"""The tables of storage."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    TableValuedAlias,
    Text,
    Uuid,
    bindparam,
    column,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

metadata = MetaData(schema="storage")

CLOCK = func.clock_timestamp()

designs = Table(
    "designs",
    metadata,
    Column("item_id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("index", Integer, nullable=False, comment="position in the upload, from 0"),
    Column("generation", Integer, nullable=False),
    Column("filename", Text, nullable=False, comment="as it was uploaded"),
    Column("state", Text, nullable=False, comment="accepted, placed, numbered, stored; or duplicate, rejected, failed"),
    Column("reopened", Boolean, nullable=False, server_default=false(), comment="tried anew after it was settled"),
    Column("reason", Text, comment="why it is not stored"),
    Column("accepted", JSONB, comment="the ImageAccepted of this generation"),
    Column("sha256", Text, comment="of the print file"),
    Column("size", BigInteger),
    Column("counter_key", Text, comment="the sequence that its number is from"),
    Column("number", Integer),
    Column("name", Text, comment="the file name on the NAS"),
    Column("path", Text, comment="below the NAS root"),
    Column("cause_type", Text, comment="the message that gave it its number or its failure, and answers for it"),
    Column("cause_item_id", Uuid),
    Column("cause_generation", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("designs_place", "session_id", "index", unique=True),
    Index("designs_number", "counter_key", "number", unique=True, postgresql_where=text("number IS NOT NULL")),
    Index("designs_cause", "cause_item_id", postgresql_where=text("cause_item_id IS NOT NULL")),
)

counters = Table(
    "counters",
    metadata,
    Column("counter_key", Text, primary_key=True, comment="folder of the designs, as a careless NAS compares names"),
    Column("next_number", Integer, nullable=False),
)

scans = Table(
    "scans",
    metadata,
    Column("scan_id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("shop", Text, nullable=False, comment="its folder on the NAS"),
    Column("listed_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column("pictures", Integer, nullable=False, comment="that lie there, ours not counted"),
    Column("to_hash", Integer, nullable=False, comment="of these, new, changed or wanted anew"),
    Column("gone", Integer, nullable=False),
    Column("ours", Integer, nullable=False, comment="designs that we stored: known anyway"),
    Column("unread", JSONB, nullable=False, comment="folders that could not be listed, and why"),
    Index("scans_of_tenant", "tenant_id", "listed_at"),
)

scanned = Table(
    "scanned",
    metadata,
    Column("path", Text, primary_key=True, comment="below the NAS root"),
    Column("tenant_id", Uuid, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False, comment="by the NAS's clock; 0: look again at the next scan"),
    Column(
        "state",
        Text,
        nullable=False,
        comment="waiting, sent to the hashers, known, unusable, gone; missing: a design of ours that is not there",
    ),
    Column("turn", Integer, nullable=False, comment="its place in its shop: shops take turns"),
    Column("sha256", Text, comment="of the content whose fate is known"),
    Column("reason", Text, comment="why it is unusable"),
    Column("ticket", Uuid, unique=True, comment="of the message to the hashers"),
    Column("cause", Uuid, comment="the scan, or the ticket whose answer made room, that sent it"),
    Column("copied", Text, comment="SHA-256 of its copy for the hashers"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("scanned_of_tenant", "tenant_id"),
    Index("scanned_waiting", "turn", "path", postgresql_where=text("state = 'waiting'")),
    Index("scanned_sent", "cause", postgresql_where=text("state = 'sent'")),
)

freed_numbers = Table(
    "freed_numbers",
    metadata,
    Column("counter_key", Text, primary_key=True),
    Column("number", Integer, primary_key=True, comment="given to a design that was not stored under it after all"),
)

nas_marks = Table(
    "nas_marks",
    metadata,
    Column("url", Text, primary_key=True),
    Column("mark", Text, nullable=False, comment="the id in .presswork-nas"),
)


def given_rows(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """Rows that come with a statement, as one list for each column: many are as few words for SQLAlchemy as one."""
    lists = [bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    rows = func.unnest(*lists).table_valued(*(column(name, kind) for name, kind in columns.items()), name="given")
    return rows.render_derived()
