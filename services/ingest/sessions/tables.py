"""The tables of sessions, their items, listings and events; the outbox."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.ingest.tables import metadata

NOW = func.now()

IMPORTED = "imported"
"""Among the facts of an item: it is a design of the old system, and what there is to say of it."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("client_key", Text, nullable=False, comment="the session_id that the client sends; its idempotency key"),
    Column("state", Text, nullable=False, comment="announced | working | finished"),
    Column("lane", Text, comment="comprehensive | original; set once, when files are submitted"),
    Column("lane_reason", Text, comment="why this lane, in words"),
    Column("manifest", Text, comment="digest of what was submitted, to tell a repeat from another upload"),
    Column("choice", JSONB, comment="template, mockup, canvas, size, print spec and destination as chosen"),
    Column("duplicates", Text, comment="skip_exact | skip_near | review | keep_all: fixed when files are submitted"),
    Column(
        "duplicate_distance",
        Integer,
        comment="bits within which hashes are the same; null: what dedup is set to",
    ),
    Column("announced_bytes", BigInteger, nullable=False, server_default="0"),
    Column("announced_files", Integer, nullable=False, server_default="0"),
    Column("announced_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("submitted_at", DateTime(timezone=True)),
    Column("hashed_at", DateTime(timezone=True), comment="when the last file was hashed, or had its end"),
    Column("settled_at", DateTime(timezone=True), comment="when the last file got its end state"),
    Column("asked_at", DateTime(timezone=True), comment="when the first listing was asked for"),
    Column("rendered_at", DateTime(timezone=True), comment="when the last listing had its pictures, or its end"),
    Column("finished_at", DateTime(timezone=True)),
    Column("cancelled_at", DateTime(timezone=True), comment="when the whole session was cancelled, the last time"),
    Column("reopened_at", DateTime(timezone=True), comment="when it was taken up again, the last time"),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("percent", Float, nullable=False, server_default="0"),
    Column("takeovers", Integer, nullable=False, server_default="0", comment="restarts in a row without progress"),
    Column("takeover_seq", Integer, nullable=False, server_default="0", comment="last_seq at the last of them"),
    Column("costs", JSONB, comment="what work costs, as earlier uploads had shown when it was submitted"),
    # Derived from the items and listings, in the same transactions.
    Column("work", Float, nullable=False, server_default="0", comment="the weight of all files; 0: not known"),
    Column("work_done", Float, nullable=False, server_default="0", comment="how much of it is done"),
    Column("pace", JSONB, nullable=False, server_default="{}", comment="how much was done lately: files, listings"),
    Column("received", Integer, nullable=False, server_default="0"),
    Column("hashed", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("stored", Integer, nullable=False, server_default="0"),
    Column("duplicate", Integer, nullable=False, server_default="0"),
    Column("to_review", Integer, nullable=False, server_default="0", comment="duplicates that wait for a decision"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0", comment="of those that failed"),
    Column("requested", Integer, nullable=False, server_default="0"),
    Column("rendered", Integer, nullable=False, server_default="0"),
    Column("listed", Integer, nullable=False, server_default="0"),
    Column("listing_failed", Integer, nullable=False, server_default="0"),
    Column("listing_cancelled", Integer, nullable=False, server_default="0", comment="of those that failed"),
    UniqueConstraint("user_id", "client_key"),
    Index("sessions_finished", "lane", "finished_at", postgresql_where=text("state = 'finished'")),
    Index("sessions_working", "submitted_at", postgresql_where=text("state = 'working'")),
)

FILES_IN_PROGRESS = (
    sessions.c.received - sessions.c.stored - sessions.c.duplicate - sessions.c.rejected - sessions.c.failed
)
LISTINGS_IN_PROGRESS = sessions.c.requested - sessions.c.listed - sessions.c.listing_failed
"""Of a session, as `progress.totals.Totals` counts them."""

items = Table(
    "items",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also the design's id, from the moment the file is received"),
    Column("session_id", Uuid, ForeignKey(sessions.c.id), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("index", Integer, nullable=False, comment="position in the upload, from 0"),
    Column("filename", Text, nullable=False),
    Column("sha256", Text, comment="of the upload; null: the old system had it"),
    Column("size", BigInteger, nullable=False),
    Column(
        "state", Text, nullable=False, comment="received, hashed, accepted; then stored, duplicate, rejected or failed"
    ),
    Column("stage_rank", Integer, nullable=False, server_default="0"),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("facts", JSONB, nullable=False, server_default="{}", comment="code, match, distance, warnings ..."),
    Column("template_id", Uuid),
    Column("canvas_config_id", Uuid),
    Column("number", Integer),
    Column("name", Text),
    Column("path", Text),
    Column("print_sha256", Text),
    Column("print_size", BigInteger),
    Column("description", Text),
    Column("review", Text, comment="of a near duplicate: waiting for a decision, skip or keep; keep stays for ever"),
    Column("pair", JSONB(none_as_null=True), comment="of a near duplicate: what it matched, how, and both pictures"),
    Column("is_digital", Boolean, nullable=False, server_default=false()),
    Column("is_active", Boolean, nullable=False, server_default=true(), comment="false: the user deleted the design"),
    Column("revision", Integer, nullable=False, server_default="0", comment="how often is_active has changed"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("updated_at", DateTime(timezone=True)),
    UniqueConstraint("session_id", "index"),
    Index("items_of_user", "user_id", "state", "created_at"),
)

listings = Table(
    "listings",
    metadata,
    Column("item_id", Uuid, ForeignKey(items.c.id), primary_key=True),
    Column("mockup_id", Uuid, primary_key=True),
    Column("session_id", Uuid, ForeignKey(sessions.c.id), nullable=False, index=True),
    Column("user_id", Uuid, nullable=False),
    Column("template_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, comment="requested, rendered; then listed or failed"),
    Column("stage_rank", Integer, nullable=False, server_default="0"),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("cancelled", Boolean, nullable=False, server_default=false(), comment="it failed so: somebody cancelled it"),
    Column("target", Text),
    Column("listing_id", Text),
    Column("url", Text),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    Column("request", JSONB, nullable=False, comment="template and backgrounds as they were when it was asked for"),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("updated_at", DateTime(timezone=True)),
)

session_events = Table(
    "session_events",
    metadata,
    Column("session_id", Uuid, ForeignKey(sessions.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="1..n per session, without gap or repeat"),
    Column("type", Text, nullable=False),
    Column("item_id", Uuid),
    Column("payload", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
)

delays = Table(
    "delays",
    metadata,
    Column("service", Text, primary_key=True),
    Column("session_id", Uuid, primary_key=True, comment="whose upload waits; zeros: all of the service"),
    Column("cause", Text, nullable=False, comment="the error and its words"),
    Column("again_at", DateTime(timezone=True), comment="when it is tried again; null: as soon as may be"),
    Column("until", DateTime(timezone=True), nullable=False, comment="how long this holds unless it is told again"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True, comment="the message's id"),
    Column("lane", Text, nullable=False),
    Column("session_id", Uuid),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    # Null: it is owed. Else it is owed no more, since the broker confirmed it, or since what it asks for was done here.
    Column("sent_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("tenant_id", Uuid),
    Column("place", Integer, nullable=False, server_default="0", comment="order within a session"),
    Column("done_at", DateTime(timezone=True), comment="when its work was seen to be done"),
    Index("outbox_unsent", "lane", "created_at", postgresql_where=text("sent_at IS NULL")),
    Index("outbox_of_session", "session_id"),
    Index(
        "outbox_in_flight",
        "lane",
        "type",
        "tenant_id",
        postgresql_where=text(
            "sent_at IS NOT NULL AND done_at IS NULL AND type IN ('BatchSubmitted', 'MockupsRequested')"
        ),
    ),
)
