"""Chaos: every fault of the reliability page, in rounds, against real processes.

`make chaos` sets CHAOS_ROUNDS; without it only the short selection runs, one round each. CHAOS_SEED repeats a run.
Several workers may run at once (pytest-xdist), each with a system of its own; the table is of all of them.
"""

import math
import os
import random
import re
import secrets
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.results import Table, keep_failure, markdown
from tests.chaos.work import Work
from tests.chaos.world import World, small_world, wait_s
from tests.seller import File, Seller, artworks

HERE = Path(__file__).parent
ROUNDS = os.environ.get("CHAOS_ROUNDS", "")
SEED = os.environ.setdefault("CHAOS_SEED", secrets.token_hex(4))  # workers take it over
LEAST_OF_A_VARIANT = 3
NAME = re.compile(r"test_([fcs]\d+)_(\w+)(?:\[round(\d+)-?(.*)\])?")
FILES = 8
LONG_S = 60.0
ROUND_LIMIT_S = 400

CASE = pytest.StashKey["Case"]()
FAILED = pytest.StashKey[bool]()
COUNTS = "chaos"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without CHAOS_ROUNDS, leave out what is not of the short selection; with it, the rounds that are too many."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        item.add_marker(pytest.mark.rabbit)
        item.add_marker(pytest.mark.postgres)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(ROUND_LIMIT_S, method="signal"))  # ends the round, not the run
    if ROUNDS:
        left_out = beyond(ours, int(ROUNDS))
    else:
        left_out = [item for item in ours if not item.get_closest_marker("chaos_short")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def beyond(items: list[pytest.Item], rounds: int) -> list[pytest.Item]:
    """The rounds that a fault need not run, as its variants share its rounds; each has a few at least."""
    variants: dict[str, set[str]] = defaultdict(set)
    named = {item: found for item in items if (found := NAME.match(item.name))}
    for found in named.values():
        variants[found[1]].add(variant(found))
    enough = {fault: max(math.ceil(rounds / len(its)), LEAST_OF_A_VARIANT) for fault, its in variants.items()}
    return [item for item, found in named.items() if int(found[3] or 1) > enough[found[1]]]


def variant(found: re.Match[str]) -> str:
    """What is done, in words."""
    return " ".join([*found[2].split("_"), *([f"({found[4]})"] if found[4] else [])])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every fault runs in rounds."""
    if "round_" in metafunc.fixturenames:
        rounds = int(ROUNDS or 1)
        metafunc.parametrize("round_", range(1, rounds + 1), ids=lambda number: f"round{number}")


@dataclass
class Case:
    """One round of one fault: its chance, its sellers, its ledger."""

    world: World
    seed: str
    number: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.ledger = Ledger(self.world)

    def seller(self, **how: object) -> Seller:
        """A new account."""
        self.world.sellers.append(Seller(self.world.base_url, **how))  # type: ignore[arg-type]
        return self.world.sellers[-1]

    def files(self, count: int = FILES) -> list[File]:
        """New designs, the same for a seed."""
        return artworks(count, self.chance.randrange(10**6))

    def begin(self, files: list[File] | None = None, seller: Seller | None = None, **how: object) -> Work:
        """A seller's upload, under way."""
        work = Work(self.world, seller or self.seller(), files or self.files(), **how)  # type: ignore[arg-type]
        self.world.works.append(work)
        return work.start()

    def balance(self, *works: Work, within_s: float = 120) -> None:
        """Bring the uploads to their ends, and hold all books against each other."""
        try:
            for work in works:
                work.finish(within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.ledger.standing(*works)}") from error
        self.ledger.balance(*works)

    def pause(self, longest_s: float) -> None:
        """Let a random time pass, so that the fault meets another moment in each round."""
        wait_s(self.chance.uniform(0, longest_s))

    def outage_s(self, usual: float = 12) -> float:
        """How long an outage lasts: a minute in the first round, less in the others."""
        return LONG_S if self.number == 1 and ROUNDS else self.chance.uniform(1, usual)

    def close(self) -> None:
        """Nothing breaks any more; the sellers stay, for the audit."""
        self.world.points.disarm()


class Worlds:
    """One system for all faults; another one after a fault that it did not survive, so that none has two causes."""

    def __init__(self, make: Callable[[], AbstractContextManager[World]]) -> None:
        self._make = make
        self._life = ExitStack()
        self._world: World | None = None

    def current(self) -> World:
        if self._world is None:
            self._world = self._life.enter_context(self._make())
        return self._world

    def end(self) -> None:
        world, self._world = self._world, None
        for seller in world.sellers if world else ():
            seller.http.close()
        self._life.close()

    def audit(self) -> None:
        """Read all books once more: what came late came too late for its own round."""
        if self._world is not None:
            self._world.until_ready()
            Ledger(self._world).balance(*(work for work in self._world.works if work.ended))
            self._world.works.clear()
            for seller in self._world.sellers:
                seller.http.close()
            self._world.sellers.clear()


@pytest.fixture(scope="package")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """The system that is broken; it ends with these tests, as its idle processes would slow all others."""
    found = Worlds(lambda: small_world(tmp_path_factory.mktemp("chaos")))
    yield found
    found.end()


@pytest.fixture(scope="module", autouse=True)
def audited(worlds: Worlds) -> Iterator[None]:
    """At the end of a module, all books of all its rounds."""
    yield
    worlds.audit()


@pytest.fixture
def world(worlds: Worlds) -> World:
    """The system, whole and ready."""
    found = worlds.current()
    found.until_ready()
    return found


@pytest.fixture
def case(worlds: Worlds, world: World, request: pytest.FixtureRequest, round_: int) -> Iterator[Case]:
    """A round; its seed repeats its choices."""
    seed = f"{SEED}/{request.node.name}"
    sys.stdout.write(f"CHAOS_SEED={SEED} ({seed})\n")
    found = Case(world, seed, round_)
    request.node.stash[CASE] = found
    yield found
    found.close()
    if request.node.stash.get(FAILED, False):
        worlds.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What a round found travels with its report: to the worker that collects them, if there are several."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
        case = item.stash.get(CASE, None)
        report.user_properties.append((COUNTS, asdict(case.ledger.counts) if case else {}))
        if report.failed and ROUNDS and case:
            keep_failure(item.name, f"{case.seed}\n{report.longreprtext}\n{case.world.tell_where()}")
    return report


def pytest_configure(config: pytest.Config) -> None:
    """One process collects the rounds of all."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally(), "chaos-tally")


class Tally:
    """Makes the table of what the rounds report."""

    def __init__(self) -> None:
        self.table = Table()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        named = NAME.match(report.nodeid.rpartition("::")[2])
        if named and report.when == "call" and report.outcome != "skipped":
            counts = dict(report.user_properties).get(COUNTS, {})
            self.table.add(named[1].upper(), variant(named), counts, report.duration, failed=report.failed)
            if ROUNDS:
                self.table.write()  # at once: the run may take hours more

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.table.rows:
            terminalreporter.write_line(f"\nchaos, CHAOS_SEED={SEED}")
            for line in markdown(list(self.table.rows.values())):
                terminalreporter.write_line(line)
