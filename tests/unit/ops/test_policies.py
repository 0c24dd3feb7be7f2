"""Policies in the words of each version of RabbitMQ, and what a foreign policy may not do."""

import re
from typing import Any

import pytest

from services.ops.management import beside, vhost_of
from services.ops.policies import Policy, dangers, in_effect, policies, version_of
from services.ops.queues import Queue, topology
from shared.bus.service import Service

WANTED = topology([Service("storage"), Service("ingest", archives=("storage",))])


def definitions(version: str) -> dict[str, dict[str, Any]]:
    return {policy.name: dict(policy.definition) for policy in policies(WANTED, version_of(version))}


@pytest.mark.parametrize(
    ("version", "inboxes", "dead"),
    [
        ("3.10.8", {}, 1_000_000),
        ("3.11.28", {}, 1_000_000),
        ("3.12.0", {"consumer-timeout": 1_800_000}, 1_000_000),
        ("3.13.7", {"consumer-timeout": 1_800_000}, 1_000_000),
        ("4.0.1", {"consumer-timeout": 1_800_000}, -1),
        ("4.3.0-rc.1", {"consumer-timeout": 1_800_000}, -1),
    ],
)
def test_each_version_is_told_what_it_knows(version: str, inboxes: dict[str, int], dead: int) -> None:
    found = definitions(version)
    assert found["presswork-inboxes"] == {"max-length": 50_000, "overflow": "reject-publish", **inboxes}
    assert found["presswork-dead"] == {"delivery-limit": dead}


def test_every_queue_of_ours_has_exactly_one_policy_of_ours_and_others_have_none() -> None:
    ours = policies(WANTED, (3, 10))
    names = [queue.name for queue in WANTED.queues]
    for name in [*names, "presswork.storage.mine", "presswork", "my.presswork.storage", "presswork-storage"]:
        assert sum(bool(re.search(policy.pattern, name)) for policy in ours) == (name in names), name
    assert len({policy.priority for policy in ours}) == len(ours)
    assert {policy.apply_to for policy in ours} == {"queues"}  # 3.10 knows no "quorum_queues"


def queue(kind: str) -> Queue:
    return next(queue for queue in WANTED.queues if queue.kind == kind)


@pytest.mark.parametrize(
    ("kind", "effective", "setting"),
    [
        ("inbox", {"overflow": "drop-head"}, "overflow"),
        ("retry", {"overflow": "drop-head"}, "overflow"),
        ("inbox", {"message-ttl": 60_000}, "message-ttl"),
        ("dead", {"message-ttl": 604_800_000}, "message-ttl"),
        ("retry", {"message-ttl": 100}, "message-ttl"),
        ("inbox", {"expires": 3_600_000}, "expires"),
        ("inbox", {"delivery-limit": 0}, "delivery-limit"),
        ("dead", {"delivery-limit": 20}, "delivery-limit"),
        ("dead", {"max-length": 1000}, "max-length"),
        ("dead", {"max-length-bytes": 1000}, "max-length-bytes"),
    ],
)
def test_a_policy_that_loses_messages_is_a_danger(kind: str, effective: dict[str, Any], setting: str) -> None:
    (danger,) = dangers(queue(kind), effective)
    assert danger.name == setting
    assert str(effective[setting]) in danger.found


@pytest.mark.parametrize(
    ("kind", "effective"),
    [
        ("inbox", {}),
        ("inbox", {"max-length": 10, "overflow": "reject-publish"}),
        ("inbox", {"delivery-limit": 3}),
        ("dead", {"delivery-limit": -1}),
        ("dead", {"delivery-limit": 1_000_000}),
        ("retry", {"message-ttl": 400_000}),
        ("retry", {"max-length": 10}),
        ("inbox", {"ha-mode": "all"}),
    ],
)
def test_a_policy_that_loses_nothing_is_none(kind: str, effective: dict[str, Any]) -> None:
    assert dangers(queue(kind), effective) == []


@pytest.mark.parametrize("kind", ["inbox", "dead", "retry"])
@pytest.mark.parametrize("version", [(3, 10), (3, 13), (4, 0)])
def test_our_own_policies_are_no_danger(kind: str, version: tuple[int, int]) -> None:
    (ours,) = (policy for policy in policies(WANTED, version) if re.search(policy.pattern, queue(kind).name))
    assert dangers(queue(kind), ours.definition) == []


def test_what_is_no_version_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="'rabbit' is no version of RabbitMQ"):
        version_of("rabbit")


@pytest.mark.parametrize(
    ("amqp_url", "vhost", "management"),
    [
        ("amqp://u:p@broker:5672/", "/", "http://broker:15672"),
        ("amqp://u:p@broker", "/", "http://broker:15672"),
        ("amqp://u:p@broker:5673/%2Fshop", "/shop", "http://broker:15672"),
        ("amqps://u:p@broker/shop", "shop", "https://broker:15671"),
    ],
)
def test_the_api_is_looked_for_beside_the_broker(amqp_url: str, vhost: str, management: str) -> None:
    assert (vhost_of(amqp_url), beside(amqp_url)) == (vhost, management)


def policy(name: str, pattern: str, priority: int, apply_to: str = "queues") -> Policy:
    return Policy(name, pattern, {}, priority, apply_to)


@pytest.mark.parametrize(
    ("everybodys", "names"),
    [
        ([], []),
        ([policy("a", "^presswork", 1), policy("b", ".*", 2)], ["b"]),
        ([policy("a", "^presswork", 1), policy("b", "^other", 2)], ["a"]),
        ([policy("a", "^presswork", 1), policy("b", ".*", 1)], ["a", "b"]),
        ([policy("a", ".*", -1), policy("b", ".*", -2)], ["a"]),
        ([policy("a", ".*", 9, "exchanges"), policy("b", ".*", 1, "all")], ["b"]),
        ([policy("a", ".*", 9, "classic_queues"), policy("b", ".*", 1, "quorum_queues")], ["b"]),
        ([policy("a", "(?<x", 1)], ["a"]),
    ],
)
def test_one_policy_applies_to_a_queue(everybodys: list[Policy], names: list[str]) -> None:
    assert [found.name for found in in_effect(everybodys, "presswork.storage")] == names
