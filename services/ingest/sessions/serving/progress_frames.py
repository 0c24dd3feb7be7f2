"""The progress frames that the existing client reads, field by field (times in seconds). Pure."""

from datetime import UTC, datetime
from typing import Any

from services.ingest.sessions.lifecycle.records import Event, Session
from services.ingest.sessions.progress.time_left import NOTHING_LEFT, TimeLeft
from services.ingest.sessions.progress.totals import TOTAL_STEPS, message, step, waiting

ANNOUNCED_S = 60.0
"""The client wants a number for an upload whose files are still on their way to us."""


def frame(session: Session, event: Event, at: datetime, cause: str | None, left: TimeLeft | None) -> dict[str, Any]:
    """The frame of an event as it is told at this moment; `cause` is what the work waits for.

    `left` is None as long as the files have not arrived; its range is null when nobody can tell it.
    """
    totals, finished = event.totals, event.payload["finished"]
    elapsed = max((at - session.begun_at).total_seconds(), 0.0)
    if finished:
        left = NOTHING_LEFT
    remaining = left.as_json() if left else TimeLeft(max(ANNOUNCED_S - elapsed, 0.0), None, None).as_json()
    current_step = step(totals, finished=finished)
    within = event.payload["percent"] / 100 * TOTAL_STEPS - (current_step - 1)
    again, cancelled = session.reopened_at is not None, event.cancels_upload
    return {
        "step": current_step,
        "total_steps": TOTAL_STEPS,
        "message": waiting(message(totals, finished=finished, again=again, cancelled=cancelled), cause),
        "progress_percent": event.payload["percent"],
        "elapsed_time": round(elapsed, 1),
        "estimated_total_time": round(elapsed + (remaining["seconds"] or 0.0), 1),
        "remaining_time": remaining["seconds"],
        "remaining_low": remaining["low"],
        "remaining_high": remaining["high"],
        "file_progress": round(min(max(within, 0.0), 1.0), 3),
        "current_file": event.payload.get("filename"),
        "timestamp": str(at.astimezone(UTC).replace(tzinfo=None)),
    }
