"""Whether a session's counts are those of its files and listings: whatever died, they must be."""

DRIFT = """
SELECT s.id FROM ingest.sessions s
WHERE (s.received, s.hashed, s.accepted, s.stored, s.duplicate, s.rejected, s.failed) <> (
    SELECT count(*), count(*) FILTER (WHERE state = 'hashed'), count(*) FILTER (WHERE state = 'accepted'),
        count(*) FILTER (WHERE state = 'stored'), count(*) FILTER (WHERE state = 'duplicate'),
        count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state = 'failed')
    FROM ingest.items i WHERE i.session_id = s.id)
OR (s.requested, s.rendered, s.listed, s.listing_failed) <> (
    SELECT count(*), count(*) FILTER (WHERE state = 'rendered'), count(*) FILTER (WHERE state = 'listed'),
        count(*) FILTER (WHERE state = 'failed')
    FROM ingest.listings l WHERE l.session_id = s.id)
"""
"""The sessions whose counts are other ones."""
