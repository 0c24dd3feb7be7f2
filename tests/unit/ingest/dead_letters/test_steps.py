"""A replay that waits says what for; one that is stopped by Ctrl-C ends its letter first."""

import signal
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


def test_ctrl_c_lets_a_letter_be_done_first_however_often_it_is_pressed() -> None:
    """In the middle of a statement it left a connection that nobody could use, and words about other tables."""
    said: list[str] = []

    def pressed(letter: UUID) -> Result:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return Result(letter, "reopened", "rose.png is being worked on again")

    run = Steps(pressed, lambda _: Tally(), lambda: None, said.append, ReplayPace())
    with pytest.raises(KeyboardInterrupt):
        run.run([UUID(int=1), UUID(int=2)])
    assert [each.letter_id for each in run.results] == [UUID(int=1)]
    assert said == [f"{UUID(int=1)}  reopened: rose.png is being worked on again"]


@pytest.mark.parametrize("asks", ["cancelled_by", "tally", "waits_for"])
def test_ctrl_c_interrupts_no_question_to_the_database(monkeypatch: pytest.MonkeyPatch, asks: str) -> None:
    monkeypatch.setattr(steps, "LOOK_S", 0)
    answered: list[str] = []

    def ask(name: str) -> None:
        if name == asks:
            signal.raise_signal(signal.SIGINT)
            answered.append(name)

    def tally(_: object) -> Tally:
        ask("tally")
        return Tally(open=1)

    run = Steps(
        lambda letter: Result(letter, "reopened", "rose.png is being worked on again"),
        tally,
        lambda: ask("cancelled_by"),
        lambda _: None,
        ReplayPace(wait=True),
        lambda: ask("waits_for") or [],
    )
    with pytest.raises(KeyboardInterrupt):
        run.run([UUID(int=1)])
    assert answered == [asks]
