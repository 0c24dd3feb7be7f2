"""The room for uploads, counted before it is measured."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from services.ingest.sessions.admission import Door, Refused, Room


def test_uploads_that_come_one_after_the_other_dont_share_the_room_that_was_measured_before_them(
    tmp_path: Path,
) -> None:
    nobody = create_engine("postgresql+psycopg2://nobody@localhost:1/none")
    door = Door(nobody, tmp_path, Room(free_bytes=0, spool_bytes=1000, outbox_age_s=900, files_of_user=10), lambda: 0)
    door.check(600)
    with door.holding(600):
        door.check(400)
    door.check(400)
    with pytest.raises(Refused, match="has no room for this upload"):
        door.check(401)
