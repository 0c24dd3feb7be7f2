"""Which blobs nobody needs any more.

The blob store holds what is on its way. Once it arrived (a design on the NAS, a picture in the shop), its blobs serve
for some time those who look back, and then only fill the disk. What failed is kept: it can be tried again.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Text, cast, func, literal_column, select, table, text

FIND = text("""
WITH settled AS (  -- files of uploads that ended before the time, and were not tried again since
    SELECT item.* FROM ingest.items item JOIN ingest.sessions session ON session.id = item.session_id
    WHERE session.state = 'finished' AND session.finished_at < :before
      AND coalesce(item.updated_at, item.created_at) < :before AND item.state IN ('stored', 'duplicate', 'rejected')
      AND item.review IS DISTINCT FROM 'waiting'  -- for somebody's decision: it may be kept
), listed AS (  -- designs all of whose listings are made
    SELECT settled.id FROM settled JOIN ingest.listings listing ON listing.item_id = settled.id
    GROUP BY settled.id HAVING bool_and(listing.state = 'listed' AND listing.updated_at < :before)
), verdict AS (  -- that stands: a copy that made way for its original was accepted before that
    SELECT DISTINCT ON (item_id) item_id, matched_item_id, hashed FROM dedup.verdicts ORDER BY item_id, generation DESC
), spent AS (
    SELECT sha256 FROM settled
    UNION SELECT print_sha256 FROM settled WHERE state = 'stored' AND id IN (TABLE listed)
    UNION -- made before it was seen to be a duplicate; of what is stored, so that nobody will decide it anew
    SELECT verdict.hashed -> 'print_file' ->> 'sha256' FROM verdict
    JOIN settled ON settled.id = verdict.item_id AND settled.state = 'duplicate'
    JOIN ingest.items original ON original.id = verdict.matched_item_id AND original.state = 'stored'
    UNION SELECT media.sha256 FROM publisher.listing_media media JOIN publisher.listings USING (target, publish_key)
    WHERE listings.status = 'published' AND listings.item_id IN (TABLE listed)
), needed AS (  -- by somebody else, as equal bytes are one blob
    SELECT sha256 FROM ingest.items WHERE id NOT IN (SELECT id FROM settled)
    UNION SELECT print_sha256 FROM ingest.items WHERE id NOT IN (TABLE listed)
    UNION -- the print of a file in work, which only its services know; and of a duplicate that may be decided anew
    SELECT verdict.hashed -> 'print_file' ->> 'sha256' FROM verdict
    LEFT JOIN settled ON settled.id = verdict.item_id
    LEFT JOIN ingest.items original ON original.id = verdict.matched_item_id
    WHERE settled.id IS NULL OR (settled.state = 'duplicate' AND original.state IS DISTINCT FROM 'stored')
    UNION SELECT sha256 FROM storage.designs WHERE state IN ('accepted', 'placed', 'numbered', 'failed')
    UNION SELECT sha256 FROM ingest.mockup_images
    UNION SELECT watermark_sha256 FROM ingest.mockup_images
    UNION SELECT (regexp_matches(template::text, '[0-9a-f]{64}', 'g'))[1] FROM ingest.mockup_images
    UNION SELECT sha256 FROM ingest.watermarks
    UNION SELECT (regexp_matches(request::text, '[0-9a-f]{64}', 'g'))[1] FROM ingest.listings
    WHERE state IN ('requested', 'rendered') -- with backgrounds that the group may have no more
    UNION SELECT copied FROM storage.scanned WHERE state = 'sent'
    UNION SELECT canonical_sha256 FROM dedup.hashes
    UNION SELECT (regexp_matches(body, '[0-9a-f]{64}', 'g'))[1] FROM ingest.dead_letters
    WHERE status IN ('dead', 'dead_again', 'replaying')
    UNION SELECT (regexp_matches(data::text, '[0-9a-f]{64}', 'g'))[1] FROM ingest.outbox WHERE sent_at IS NULL
)
SELECT sha256 FROM spent WHERE sha256 IS NOT NULL EXCEPT SELECT sha256 FROM needed ORDER BY sha256
""")

TABLES = text("""
SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname != 'information_schema'
""")


def spent(connection: Connection, before: datetime) -> list[str]:
    """The SHA-256 of each blob whose use ended before that time.

    A print is needed until its design is listed; brought again from the NAS if it is to be listed once more
    (`services/ingest/sessions/intake/print_files.py`).
    """
    return list(connection.execute(FIND, {"before": before}).scalars())


def unnamed(connection: Connection, before: datetime, names: Collection[str]) -> list[str]:
    """Which of these blobs no row of ours names: what ingest wrote when it was killed before its commit, say.

    None while an upload from before that time is still in work: a blob may then be named only by a message.
    """
    working = text("SELECT count(*) FROM ingest.sessions WHERE state = 'working' AND announced_at < :before")
    if connection.execute(working, {"before": before}).scalar_one():
        return []
    left = set(names)
    for schema, name in connection.execute(TABLES).all():
        row = table(name, schema=schema).alias("a_row")
        named = func.regexp_matches(cast(literal_column("a_row"), Text), "[0-9a-f]{64}", "g")
        left -= {found[0] for (found,) in connection.execute(select(named).select_from(row).distinct())}
    return sorted(left)
