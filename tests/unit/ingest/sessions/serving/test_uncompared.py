"""When somebody hears that a scan of the shop's folder had not come to every picture."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.serving.uncompared import uncompared

LISTED = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOWHERE = cast("Connection", None)


def upload(settled_at: datetime | None, duplicates: str = "skip_near") -> Session:
    times = dict.fromkeys(("submitted_at", "finished_at"), None)
    facts: dict[str, Any] = {"announced_at": LISTED, "settled_at": settled_at, "duplicates": duplicates, **times}
    return Session(uuid4(), uuid4(), "", "working", None, Totals(), 1, 0.0, **facts)


def scan(waiting: int) -> dict[str, Any]:
    return {"listed_at": LISTED, "waiting": waiting, "is_over": not waiting}


@pytest.mark.parametrize("settled_at", [None, LISTED + timedelta(minutes=1)])
def test_it_is_told_how_many_pictures_a_scan_has_still_to_come_to(settled_at: datetime | None) -> None:
    (note,) = uncompared(NOWHERE, upload(settled_at), lambda *_: scan(1488))
    assert note.startswith(
        "1488 pictures in your folder on the NAS are still to be compared with uploads: copies of those"
    )


@pytest.mark.parametrize(
    ("session", "found"),
    [
        (upload(LISTED - timedelta(minutes=1)), scan(3)),
        (upload(None, "keep_all"), scan(3)),
        (upload(None), scan(0)),
        (upload(None), None),
    ],
    ids=["judged before", "all are kept", "through", "not begun"],
)
def test_nothing_is_told_where_no_copy_was_missed_by_it(session: Session, found: dict[str, Any] | None) -> None:
    assert uncompared(NOWHERE, session, lambda *_: found) == []
