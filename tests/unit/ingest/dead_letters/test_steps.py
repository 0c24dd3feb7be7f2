"""A replay that waits says what for."""

from uuid import UUID

import pytest

from services.ingest.dead_letters import steps
from services.ingest.dead_letters.outcomes import Tally
from services.ingest.dead_letters.replaying import Result
from services.ingest.dead_letters.steps import ReplayPace, Steps


def test_who_waits_for_the_end_of_a_replay_reads_once_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOOK_S", 0)
    said: list[str] = []
    tallies = iter([Tally(open=1), Tally(open=1), Tally(well=1)])
    run = Steps(
        lambda letter: Result(letter, "reopened", "rose.png is being worked on again"),
        lambda _: next(tallies),
        lambda: None,
        said.append,
        ReplayPace(wait=True),
        lambda: ["storage: the NAS is full"],
    )
    run.run([UUID(int=1)])
    assert run.stopped is None
    assert said[1:] == ["waiting for the end of 1", "  it waits: storage: the NAS is full"]
