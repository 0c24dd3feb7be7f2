"""Which lane an upload takes, and why."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from services.ingest.broker_standing import BrokerStanding
from services.ingest.lane_choice import AWAY, COMPARED, DEFAULT, EMBEDDED, FEW, SWITCHED_OFF, LaneRule
from services.ingest.lanes import Lanes
from services.ingest.service import build
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.recovery.unfinished import Unfinished

USER = UUID(int=7)
RULE = LaneRule(embedded=False, use_comprehensive=True, min_files=2)


def test_ingest_without_the_other_services_handlers_is_refused() -> None:
    """Nobody would tell them what was cancelled, and they would go on with it."""
    engine = create_engine("postgresql+psycopg://nowhere")
    with pytest.raises(ValueError, match="what was cancelled"):
        Lanes(engine, build(engine), Unfinished(engine, 1), BrokerStanding(None), Windows(4, 4, 100), [])


@pytest.mark.parametrize(
    ("files", "connected", "set_up", "lane", "reason"),
    [
        (2, True, {}, "comprehensive", DEFAULT),
        (1, True, {}, "original", FEW),
        (2, False, {}, "original", AWAY),
        (2, True, {"use_comprehensive": False}, "original", SWITCHED_OFF),
        (2, False, {"embedded": True}, "original", EMBEDDED),
        (2, True, {"compared": 1.0}, "original", COMPARED),
        (1, True, {"compared": 1.0}, "original", FEW),
    ],
    ids=["default", "few", "away", "off", "embedded", "compared", "few, compared"],
)
def test_an_upload_takes_its_lane_for_a_reason(
    files: int, connected: bool, set_up: dict[str, Any], lane: str, reason: str
) -> None:
    rule = replace(RULE, **set_up)
    assert rule.choose(files, USER, "key", connected=connected) == (lane, reason)


def test_the_lot_of_an_upload_is_the_same_in_every_process_and_the_share_is_kept() -> None:
    one, other = replace(RULE, compared=0.25), replace(RULE, compared=0.25)
    keys = [f"upload-{number}" for number in range(2000)]
    drawn = [one.choose(5, USER, key, connected=True).name for key in keys]
    assert drawn == [other.choose(5, USER, key, connected=True).name for key in keys]
    assert 0.2 < drawn.count("original") / len(keys) < 0.3
