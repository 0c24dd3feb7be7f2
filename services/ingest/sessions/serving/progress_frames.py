"""The progress frames that the existing client reads, field by field (times in seconds). Pure."""

from datetime import UTC, datetime
from typing import Any

from services.ingest.sessions.progress.time_left import NOTHING_LEFT, TimeLeft
from services.ingest.sessions.progress.totals import TOTAL_STEPS, Totals, message, step, waiting

ANNOUNCED_S = 60.0
"""The client wants a number for an upload whose files are still on their way to us."""


def frame(
    totals: Totals,
    done_percent: float,
    *,
    finished: bool,
    started_at: datetime,
    at: datetime,
    current_file: str | None,
    cause: str | None = None,
    left: TimeLeft | None = None,
    again: bool = False,
    cancelled: bool = False,
) -> dict[str, Any]:
    """One frame. `left` is None as long as the files have not arrived; its range is null when nobody can tell it."""
    elapsed = max((at - started_at).total_seconds(), 0.0)
    if finished:
        left = NOTHING_LEFT
    remaining = left.as_json() if left else TimeLeft(max(ANNOUNCED_S - elapsed, 0.0), None, None).as_json()
    current_step = step(totals, finished=finished)
    within = done_percent / 100 * TOTAL_STEPS - (current_step - 1)
    return {
        "step": current_step,
        "total_steps": TOTAL_STEPS,
        "message": waiting(message(totals, finished=finished, again=again, cancelled=cancelled), cause),
        "progress_percent": done_percent,
        "elapsed_time": round(elapsed, 1),
        "estimated_total_time": round(elapsed + (remaining["seconds"] or 0.0), 1),
        "remaining_time": remaining["seconds"],
        "remaining_low": remaining["low"],
        "remaining_high": remaining["high"],
        "file_progress": round(min(max(within, 0.0), 1.0), 3),
        "current_file": current_file,
        "timestamp": str(at.astimezone(UTC).replace(tzinfo=None)),
    }
