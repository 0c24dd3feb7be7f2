"""Three brokers, one of which dies under load: the queues go on without it."""

from collections.abc import Iterator

import pytest

from tests.chaos.cluster import Trio
from tests.chaos.conftest import Case, Worlds
from tests.chaos.world import small_world
from tests.waiting import until

QUEUES = ("hasher", "dedup", "storage", "mockup", "publisher", "ingest")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """A system of its own, whose broker is a cluster."""

    def make() -> object:
        folder = tmp_path_factory.mktemp("cluster")
        return small_world(folder, broker=Trio(folder / "brokers"))

    found = Worlds(make)  # type: ignore[arg-type]
    yield found
    found.end()


def trio(case: Case) -> Trio:
    broker = case.world.broker
    assert isinstance(broker, Trio)
    return broker


def test_c1_leader_killed_under_load(case: Case) -> None:
    cluster, queue = trio(case), f"presswork.{case.chance.choice(QUEUES)}"
    until(lambda: cluster.all_online(queue), what=f"{queue} has not three members")
    work = case.begin(case.files(16))
    work.until_heard("submitted")
    case.pause(1.0)
    leader = cluster.leader(queue)
    cluster.lose(leader)
    case.balance(work)
    assert not leader.alive, "the work should have gone on without it"
    cluster.recover(leader)
    case.ledger.balance(work)


def test_c2_rolling_restart_of_the_brokers(case: Case) -> None:
    cluster = trio(case)
    works = [case.begin(case.files(16))]
    for member in case.chance.sample(cluster.members, len(cluster.members)):
        until(lambda: all(cluster.all_online(f"presswork.{queue}") for queue in QUEUES))
        cluster.lose(member)
        works.append(case.begin())
        cluster.recover(member)
    case.balance(*works)
