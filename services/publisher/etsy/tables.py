"""What the publisher keeps about Etsy: connected shops, ways to the consent page, and the rate of each key."""

from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from services.publisher.store import metadata

connections = Table(
    "etsy_connections",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("shop_id", BigInteger, nullable=False, unique=True),
    Column("shop_name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("access_token", Text, nullable=False),  # sealed, as the next one
    Column("refresh_token", Text, nullable=False),
    Column("access_expires_at", DateTime(timezone=True), nullable=False),
    Column("refresh_expires_at", DateTime(timezone=True), nullable=False),
    Column("code", Text),  # a digest of the consent page's code that it was made with; null: from before that was noted
    Column("app", Text),  # whose tokens these are: a digest of its keystring; null: connected before that was noted
    Column("broken", Text),  # why a person must connect again
    Column("choices", JSONB, nullable=False, server_default="{}"),
    Column("options", JSONB),  # what the shop has to choose from, as last read
    Column("options_at", DateTime(timezone=True)),
    Column("connected_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("refreshed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

attempts = Table(
    "etsy_attempts",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("verifier", Text, nullable=False),  # sealed
    Column("state", Text, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

keys = Table(
    "etsy_keys",
    metadata,
    Column("key", Text, primary_key=True),  # a digest of the keystring
    Column("next_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("stopped_until", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("per_second", Float),  # as Etsy's answers say
    Column("per_day", Integer),
    Column("remaining_today", Integer),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
