"""Whatever order, death, crash and person: no file is stuck, lost, stored twice or listed twice (`life.py`)."""

import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random, randrange

import pytest
from sqlalchemy import Engine

from shared.database import engine_of
from tests import backends
from tests.simulation.books import Books
from tests.simulation.dice import Dice
from tests.simulation.life import Life
from tests.simulation.steps import Steps
from tests.simulation.world import World

FEW, FEW_S = 20, 6.0
LIVES = int(os.environ.get("SIMULATE_LIVES", "0"))
FIRST = int(os.environ.get("SIMULATE_SEED") or (randrange(10**6) if LIVES else 0))
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@pytest.fixture(scope="module")
def engine(postgres_url: str, _template: str) -> Iterator[Engine]:
    with backends.new_database(postgres_url, _template) as url:
        made = engine_of(url, pool_size=20)
        yield made
        made.dispose()


@pytest.fixture(scope="module")
def steps(engine: Engine) -> Steps:
    made = Steps()
    made.watch(engine)
    return made


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="presswork-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # nobody pulls the plug here
        yield folder
    shutil.rmtree(folder)


def seeds() -> Iterator[int]:
    """Which lives are lived: the ordinary tests begin none after some seconds, however busy their machine is."""
    until = time.monotonic() + (math.inf if LIVES else FEW_S)
    for seed in range(FIRST, FIRST + (LIVES or FEW)):
        if time.monotonic() < until:
            yield seed


@pytest.mark.timeout(0 if LIVES else 120)
def test_no_file_is_stuck_lost_stored_twice_or_listed_twice(engine: Engine, steps: Steps, root: Path) -> None:
    for seed in seeds():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "urandom", Random(seed).randbytes)  # all ids: some things go by their order
            _live(World(engine, root / "life", steps), seed)


def _live(world: World, seed: int) -> None:
    life = Life(world, Dice(seed))
    try:
        life.live()
        life.rest()
        _agree("at rest", list(Books(world, life.people).resting()))
        life.mend()
        life.people.take_back()
        life.mend()
        _agree("after all letters", list(Books(world, life.people).mended()))
        life.people.decide_about_all()
        life.rest()
        life.mend()
        _agree("after all decisions", list(Books(world, life.people).mended()))
        life.retry()
        life.mend()
        _agree("after all retries", list(Books(world, life.people).done()))
        for _ in range(2):
            life.move()
            _agree(
                "after all was listed in the shop that was connected last", list(Books(world, life.people).at_home())
            )
    except Exception as error:
        error.add_note("\n".join([*world.told, f"again: make simulate SEED={seed} LIVES=1"]))
        raise


def _agree(when: str, findings: list[str]) -> None:
    assert not findings, f"{when}: {findings}"
