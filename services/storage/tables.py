"""The tables of storage."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="storage")

NOW = func.clock_timestamp()

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
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=NOW),
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

freed_numbers = Table(
    "freed_numbers",
    metadata,
    Column("counter_key", Text, primary_key=True),
    Column("number", Integer, primary_key=True, comment="given to a design that was not stored under it after all"),
)
