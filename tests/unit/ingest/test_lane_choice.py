"""Which lane an upload takes, and why."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from services.ingest.broker_standing import BrokerStanding
from services.ingest.lane_choice import AWAY, COMPARED, DEFAULT, EMBEDDED, FEW, SWITCHED_OFF
from services.ingest.lanes import Lanes
from services.ingest.service import build
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.recovery.unfinished import Unfinished
from shared.bus.service import Service

USER = UUID(int=7)


def lanes(*, connected: bool = True, broker: bool = True, use: bool = True, compared: float = 0.0) -> Lanes:
    """Lanes of a process that connects to nothing."""
    engine = create_engine("postgresql+psycopg://nowhere")
    bus: Any = SimpleNamespace(connected=connected) if broker else None
    standing = BrokerStanding(bus)
    original = [Service("hasher")]
    windows = Windows(4, 4, 100)
    return Lanes(
        engine, build(engine), Unfinished(engine, 1), 2, use, standing, windows, original=original, compared=compared
    )


def test_ingest_without_the_other_services_handlers_is_refused() -> None:
    """Nobody would tell them what was cancelled, and they would go on with it."""
    engine = create_engine("postgresql+psycopg://nowhere")
    with pytest.raises(ValueError, match="what was cancelled"):
        Lanes(engine, build(engine), Unfinished(engine, 1), 2, True, BrokerStanding(None), Windows(4, 4, 100), [])


@pytest.mark.parametrize(
    ("files", "set_up", "lane", "reason"),
    [
        (2, {}, "comprehensive", DEFAULT),
        (1, {}, "original", FEW),
        (2, {"connected": False}, "original", AWAY),
        (2, {"use": False}, "original", SWITCHED_OFF),
        (2, {"broker": False}, "original", EMBEDDED),
        (2, {"compared": 1.0}, "original", COMPARED),
        (1, {"compared": 1.0}, "original", FEW),
    ],
    ids=["default", "few", "away", "off", "embedded", "compared", "few, compared"],
)
def test_an_upload_takes_its_lane_for_a_reason(files: int, set_up: dict[str, Any], lane: str, reason: str) -> None:
    assert lanes(**set_up).choose(files, USER, "key") == (lane, reason)


def test_the_lot_of_an_upload_is_the_same_in_every_process_and_the_share_is_kept() -> None:
    one, other = lanes(compared=0.25), lanes(compared=0.25)
    keys = [f"upload-{number}" for number in range(2000)]
    drawn = [one.choose(5, USER, key).name for key in keys]
    assert drawn == [other.choose(5, USER, key).name for key in keys]
    assert 0.2 < drawn.count("original") / len(keys) < 0.3
