"""Every service's tables, for migrations only."""

import importlib

from sqlalchemy import MetaData

OWNERS = (
    "ingest.dead_letter_tables",
    "ingest.sessions.tables",
    "dedup.tables",
    "storage.tables",
    "publisher.etsy.tables",
)


def _metadata(owner: str) -> MetaData:
    found: MetaData = importlib.import_module(f"services.{owner}").metadata
    return found


METADATA = tuple(dict.fromkeys(_metadata(owner) for owner in OWNERS))  # ingest's are one, whoever declares them
