"""The frames of the progress stream, as the existing client reads them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.ingest.sessions.lifecycle.records import Event, Session
from services.ingest.sessions.progress.time_left import TimeLeft
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.serving.progress_frames import frame

START = datetime(2026, 9, 24, 12, 0, tzinfo=UTC)
ANNOUNCED = Session(
    id=UUID(int=1),
    user_id=UUID(int=2),
    client_key="3",
    state="working",
    lane=None,
    totals=Totals(),
    last_seq=1,
    percent=0.0,
    announced_at=START,
    submitted_at=None,
    settled_at=None,
    finished_at=None,
)


def test_a_frame_has_the_fields_and_types_that_the_client_reads() -> None:
    now = START + timedelta(seconds=30)
    told = {
        "totals": Totals(received=4, stored=2, hashed=2).as_dict(),
        "percent": 42.0,
        "finished": False,
        "filename": "a",
    }
    made = frame(ANNOUNCED, Event(2, "stored", None, told, now), now, None, TimeLeft(20.04, 12.0, 30.0))
    assert {name: type(value) for name, value in made.items()} == {
        "step": int,
        "total_steps": int,
        "message": str,
        "progress_percent": float,
        "elapsed_time": float,
        "estimated_total_time": float,
        "remaining_time": float,
        "remaining_low": float,
        "remaining_high": float,
        "file_progress": float,
        "current_file": str,
        "timestamp": str,
    }
    assert made["elapsed_time"] == 30.0
    assert (made["estimated_total_time"], made["remaining_time"]) == (50.0, 20.0)
    assert made["timestamp"] == "2026-09-24 12:00:30"
    assert 0 <= made["file_progress"] <= 1
