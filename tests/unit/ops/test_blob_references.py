"""Every column that may name a blob: the sweep knows it, or it is said here why it need not. Rows are not needed."""

import re
from collections.abc import Iterator

from sqlalchemy import JSON, Column

from services.migrations.tables import METADATA
from services.ops.spent import FIND

NO_BLOB = "names no blob"
HISTORY = "tells what has been; nothing is read from it to be worked on"
CONTENT = "what a file holds, to compare by; nobody reads the bytes"
OTHER_COLUMN = "what it names is also in a column that is asked"

EXCUSED = {
    "ingest.dead_letter_audit.filter": NO_BLOB,
    "ingest.dead_letter_audit.counts": NO_BLOB,
    "ingest.dead_letters.files": NO_BLOB,
    "ingest.dead_letters.headers": NO_BLOB,
    "ingest.sessions.choice": NO_BLOB,
    "ingest.sessions.costs": NO_BLOB,
    "ingest.sessions.pace": NO_BLOB,
    "ingest.items.facts": NO_BLOB,
    "ingest.items.pair": f"{OTHER_COLUMN}: dedup.hashes.canonical_sha256; no blob of it is ever spent",
    "ingest.session_events.payload": HISTORY,
    "ingest.listings.warnings": NO_BLOB,
    "ingest.mockup_masks.masks": NO_BLOB,
    "ingest.mockup_masks.points": NO_BLOB,
    "ingest.mockup_masks.is_cropped_list": NO_BLOB,
    "ingest.mockup_masks.alignment_list": NO_BLOB,
    "dedup.hashes.upload_sha256": CONTENT,
    "dedup.hashes.print_sha256": CONTENT,
    "dedup.pairs.one": CONTENT,
    "dedup.verdicts.accepted": f"{OTHER_COLUMN}: dedup.verdicts.hashed, which it repeats",
    "dedup.verdicts.duplicate": f"{OTHER_COLUMN}: dedup.verdicts.hashed, which it repeats",
    "storage.designs.accepted": f"{OTHER_COLUMN}: storage.designs.sha256",
    "storage.scanned.sha256": CONTENT,
    "storage.scans.unread": NO_BLOB,
    "publisher.etsy_connections.choices": NO_BLOB,
    "publisher.etsy_connections.options": NO_BLOB,
    "publisher.listings.words": NO_BLOB,
    "publisher.listings.answer": NO_BLOB,
    "publisher.listing_media.sha256": "of what the shop has by now; a picture that it lost is made and written anew",
}


def may_name_blobs(column: Column[object]) -> bool:
    """By its name, by what is said of it, or as it holds whatever somebody puts there."""
    return "sha256" in column.name or "SHA-256" in (column.comment or "") or isinstance(column.type, JSON)


def columns() -> Iterator[tuple[str, str]]:
    """The table and the name of each column of ours that may name blobs."""
    for metadata in METADATA:
        for table in metadata.sorted_tables:
            yield from ((table.fullname, column.name) for column in table.columns if may_name_blobs(column))


def kept_by_the_sweep() -> list[str]:
    """What it asks before it lets a blob go, table by table."""
    needed = re.sub(r"--.*", "", FIND.text).partition("needed AS (")[2].partition("\n)")[0]
    return re.split(r"\bUNION\b", needed.replace("FROM verdict\n", "FROM dedup.verdicts verdict\n"))


def is_kept(table: str, column: str) -> bool:
    """Whether the sweep leaves the blobs that this column names."""
    asked = [part for part in kept_by_the_sweep() if re.search(rf"\bFROM {re.escape(table)}\b", part)]
    return any(re.search(rf"\b{column}\b", part.partition("FROM")[0]) for part in asked)


def test_the_sweep_leaves_what_any_column_names_unless_it_is_said_why_it_need_not() -> None:
    forgotten = {f"{table}.{column}" for table, column in columns() if not is_kept(table, column)}
    assert forgotten - EXCUSED.keys() == set(), "the sweep may delete what these name"
    assert EXCUSED.keys() - forgotten == set(), "these need no excuse: they are gone, or the sweep asks them"
