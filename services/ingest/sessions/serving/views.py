"""Sessions and items as the two APIs show them. Pure: rows in, JSON-able values out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.progress.time_left import TimeLeft
from services.ingest.sessions.progress.totals import message as words
from services.ingest.sessions.progress.totals import waiting
from services.ingest.sessions.states import KEEP, SKIP, WAITING, is_cancelled

Row = Mapping[str, Any]


def item(row: Row) -> dict[str, Any]:
    """A file with its state, its reason and its newest listing."""
    listing = row["listings"][-1] if row["listings"] else None
    facts = row["facts"]
    judged = facts if row["state"] in ("duplicate", "rejected") else {}  # of a file tried anew they are the past
    return {
        "item_id": row["id"],
        "index": row["index"],
        "filename": row["filename"],
        "size": row["size"],
        "sha256": row["sha256"],
        "state": row["state"],
        "reason": row["reason"],
        "generation": row["generation"],
        "cancelled": is_cancelled(row["state"], facts),
        "code": judged.get("code"),
        "kind": judged.get("kind"),
        "verdict": (judged.get("match") or {}).get("verdict"),
        "distance": judged.get("distance"),
        "match": judged.get("match"),
        "needs_review": row["review"] == WAITING,
        "decision": row["review"] if row["review"] in (KEEP, SKIP) else None,
        "resembles": facts.get("resembles") if row["state"] in ("accepted", "stored") else None,
        "warnings": _warnings(row),
        "number": row["number"],
        "name": row["name"],
        "path": row["path"],
        "print_sha256": row["print_sha256"],
        "listing_state": listing["state"] if listing else None,
        "listing_reason": listing["reason"] if listing else None,
        "listing_cancelled": bool(listing and listing["cancelled"]),
        "listing_id": listing["listing_id"] if listing else None,
        "listing_warnings": listing["warnings"] if listing else [],
        "listing_url": listing["url"] if listing else None,
        "listing_target": (listing["target"] or "").partition(":")[0] or None if listing else None,
        "updated_at": row["updated_at"],
    }


def _warnings(row: Row) -> Sequence[str]:
    """Warnings are about a file's print. A copy gets no print, unless somebody may still want it."""
    is_printed = row["state"] != "duplicate" or row["review"] == WAITING
    warnings: Sequence[str] = row["facts"].get("warnings", []) if is_printed else []
    return warnings


def session(found: Session, cause: str | None = None, left: TimeLeft | None = None) -> dict[str, Any]:
    """A session with its totals, which always add up. `cause` is what its work waits for, if it is known to wait.

    `left` is None before its files are there.
    """
    return {
        "session_id": found.id,
        "client_key": found.client_key,
        "state": found.state,
        "lane": found.lane,
        "lane_reason": found.lane_reason,
        "percent": found.percent,
        "time_left": left.as_json() if left else None,
        "message": _message(found, cause),
        "waits_for": cause,
        "duplicates": found.duplicates,
        "needs_review": found.totals.to_review,
        "announced_at": found.announced_at,
        "submitted_at": found.submitted_at,
        "settled_at": found.settled_at,
        "finished_at": found.finished_at,
        "cancelled_at": found.cancelled_at,
        "last_seq": found.last_seq,
        "totals": totals(found),
    }


def _message(found: Session, cause: str | None) -> str:
    cancelled = found.cancelled_at is not None
    return waiting(
        words(found.totals, finished=found.finished, again=found.reopened_at is not None, cancelled=cancelled), cause
    )


def totals(found: Session) -> dict[str, int]:
    """The accounting: received = stored + duplicate + rejected + failed + in_progress.

    `cancelled` is how many of the failed somebody cancelled, and `listing_cancelled` the same of listings.
    """
    counts = found.totals
    return {
        "received": counts.received,
        "stored": counts.stored,
        "duplicate": counts.duplicate,
        "rejected": counts.rejected,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "in_progress": counts.in_progress,
        "listings_requested": counts.requested,
        "listed": counts.listed,
        "listing_failed": counts.listing_failed,
        "listing_cancelled": counts.listing_cancelled,
        "listings_in_progress": counts.listings_in_progress,
    }


def receipt(found: Session, rows: Iterable[Row], cause: str | None = None, notes: Sequence[str] = ()) -> dict[str, Any]:
    """What was received and where each file went. `cause` is what the rest waits for, if it is known to wait.

    `notes` are about the whole upload.
    """
    return {
        "session_id": found.id,
        "state": found.state,
        "message": _message(found, cause),
        "lane": found.lane,
        "submitted_at": found.submitted_at,
        "finished_at": found.finished_at,
        "waits_for": cause,
        "duplicates": found.duplicates,
        "needs_review": found.totals.to_review,
        "notes": list(notes),
        **totals(found),
        "items": [item(row) for row in rows],
    }
