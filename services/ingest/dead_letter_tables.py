"""The tables of dead letters: the letters themselves, and who did what with them.

Operators look at them and replay them (`dead_letters`). Sessions know only these tables: what is taken up again takes
along the letters about it (`sessions/actions/reopening.py`).
"""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.tables import CLOCK, metadata

OPEN = ("dead", "dead_again")
"""The status of what waits for somebody, and may be replayed."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service", Text, nullable=False),
    Column("message_type", Text),
    Column("message_id", Uuid),
    Column("session_id", Uuid, index=True),
    Column("tenant_id", Uuid),
    Column("lane", Text, nullable=False, server_default=COMPREHENSIVE),
    Column(
        "files",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="item_id, filename, generation of each file that it is about",
    ),
    Column("item_id", Uuid, comment="the one file that failed with it, if one did"),
    Column("mockup_id", Uuid, comment="which of its listings, if it is about one"),
    Column("item_generation", Integer, nullable=False, server_default="0"),
    Column("cause", Text, nullable=False),
    Column("error", Text, nullable=False, server_default="", comment="the kind of error"),
    Column("frame", Text, nullable=False, server_default="", comment="where in our code it was raised"),
    Column("fingerprint", Text, nullable=False, server_default="", comment="equal for equal causes"),
    Column("attempts", Integer, nullable=False),
    Column("stack", Text, nullable=False),
    Column("headers", JSONB, nullable=False, server_default="{}"),
    Column("body", Text, nullable=False),
    Column("raw", LargeBinary, comment="the bytes, where `body` is not them word for word"),
    Column("version", Text),
    Column("host", Text),
    Column("first_failed_at", DateTime(timezone=True), nullable=False),
    Column("dead_at", DateTime(timezone=True), nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column(
        "status",
        Text,
        nullable=False,
        server_default="dead",
        comment="dead, dead_again; replaying; resolved, superseded, discarded",
    ),
    Column("outcome", Text, comment="why it has this status, in words"),
    Column("status_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column("status_by", Text),
    Column("replay_of", Uuid, comment="the letter whose replay ended here"),
    Column("replay_id", Uuid, comment="its last replay, as the header x-replay-id says"),
    Column("target_generation", Integer, comment="of the file that a replay reopened"),
    Column("generation", Integer, nullable=False, server_default="0", comment="replays before this death"),
    Column("note", Text),
    Index("dead_letters_of_item", "item_id"),
    Index("dead_letters_of_group", "fingerprint", "kept_at"),
    Index("dead_letters_by_status", "status", "kept_at"),
    Index("dead_letters_replayed", "replay_id"),
)

audit = Table(
    "dead_letter_audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False, comment="one command; its own row has no letter"),
    Column("letter_id", Uuid),
    Column("at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False, comment="replay, edit, discard, restore, note, purge"),
    Column("filter", JSONB),
    Column("counts", JSONB),
    Column("result", Text),
    Column("words", Text),
    Column("seen_at", DateTime(timezone=True), comment="the last sign of a replay at work"),
    Column("cancelled_by", Text, comment="who wants it to stop"),
    Index("dead_letter_audit_of_letter", "letter_id"),
    Index("dead_letter_audit_of_run", "run_id", "at"),
)
