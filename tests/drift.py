"""Whether a session's counts are those of its files and listings: whatever died, they must be."""

DRIFT = """
SELECT s.id, s.client_key, told, found FROM ingest.sessions s
CROSS JOIN LATERAL (SELECT ARRAY[s.received, s.hashed, s.accepted, s.stored, s.duplicate, s.rejected, s.failed,
    s.cancelled, s.to_review, s.requested, s.rendered, s.listed, s.listing_failed, s.listing_cancelled]::bigint[]
    AS told) counts
CROSS JOIN LATERAL (SELECT ARRAY[count(*), count(*) FILTER (WHERE state = 'hashed'),
    count(*) FILTER (WHERE state = 'accepted'), count(*) FILTER (WHERE state = 'stored'),
    count(*) FILTER (WHERE state = 'duplicate'), count(*) FILTER (WHERE state = 'rejected'),
    count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE facts->>'code' = 'cancelled'),
    count(*) FILTER (WHERE review = 'waiting')] AS files FROM ingest.items i WHERE i.session_id = s.id) of_files
CROSS JOIN LATERAL (SELECT files || ARRAY[count(*), count(*) FILTER (WHERE state = 'rendered'),
    count(*) FILTER (WHERE state = 'listed'), count(*) FILTER (WHERE state = 'failed'),
    count(*) FILTER (WHERE cancelled)] AS found FROM ingest.listings l WHERE l.session_id = s.id) of_all
WHERE told <> found
"""
"""The sessions whose counts are other ones: those that they have, and those of their rows."""
