"""Policies: the numbers that may change while queues exist, and what a foreign policy may do to our queues. Pure.

How RabbitMQ joins a queue's arguments with the one policy that applies to it: of limits, lengths and times to live the
lesser counts; of dead-letter settings the argument; of `overflow` the policy.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.ops.queues import PRACTICALLY_NEVER, Queue, Topology

INBOX_LENGTH = 50_000
"""Messages in an inbox; publishing more is refused, so the service before it waits, and ingest's outbox at last."""

CONSUMER_TIMEOUT_MS = 30 * 60 * 1000
"""RabbitMQ's own default, which a broker's administrator may have lowered; delivery keeps a message for ten minutes."""

Version = tuple[int, int]


@dataclass(frozen=True)
class Policy:
    """One policy, as the broker keeps it."""

    name: str
    pattern: str
    definition: Mapping[str, str | int]
    priority: int
    apply_to: str = "queues"  # "quorum_queues" is unknown before 3.12, and the pattern names ours alone


@dataclass(frozen=True)
class Danger:
    """One thing that a policy sets and must not."""

    name: str
    expected: str
    found: str


def policies(wanted: Topology, version: Version) -> tuple[Policy, ...]:
    """Ours, in the words that this version of RabbitMQ knows.

    Only one policy applies to a queue, so each kind of queue has one, though the arguments say most of it already: that
    keeps everybody's `.*` policies off.
    """
    inboxes: dict[str, str | int] = {"max-length": INBOX_LENGTH, "overflow": "reject-publish"}
    if version >= (3, 12):
        inboxes["consumer-timeout"] = CONSUMER_TIMEOUT_MS
    never = -1 if version >= (4, 0) else PRACTICALLY_NEVER
    return (
        Policy("presswork-inboxes", _pattern(wanted, "inbox"), inboxes, 100),
        Policy("presswork-dead", _pattern(wanted, "dead"), {"delivery-limit": never}, 101),
        Policy("presswork-retry", r"^presswork\.retry\.", {"overflow": "reject-publish"}, 102),
    )


def version_of(text: str) -> Version:
    """`3.10.8` and `4.1.0-rc.1` as what decides."""
    found = re.match(r"(\d+)\.(\d+)", text)
    if found is None:
        raise ValueError(f"{text!r} is no version of RabbitMQ")
    return int(found[1]), int(found[2])


def in_effect(everybodys: Iterable[Policy], queue: str) -> list[Policy]:
    """The one that applies to a quorum queue; several where the priority is the same, as then the broker takes any."""
    candidates = [
        policy
        for policy in everybodys
        if policy.apply_to in ("all", "queues", "quorum_queues") and _matches(policy.pattern, queue)
    ]
    highest = max((policy.priority for policy in candidates), default=0)
    return [policy for policy in candidates if policy.priority == highest]


def dangers(queue: Queue, effective: Mapping[str, Any]) -> list[Danger]:
    """What a policy in effect takes from the safety of a queue that has our arguments."""
    found = []
    overflow, expires = effective.get("overflow", "reject-publish"), effective.get("expires")
    if overflow != "reject-publish":
        found.append(Danger("overflow", "reject-publish", f"{overflow}, which drops messages without a word"))
    if expires is not None:
        found.append(Danger("expires", "none", f"{expires} ms, after which the queue itself is deleted"))
    return found + _of_time(queue, effective) + _of_numbers(queue, effective)


def _of_time(queue: Queue, effective: Mapping[str, Any]) -> list[Danger]:
    ttl, argument = effective.get("message-ttl"), queue.arguments.get("x-message-ttl")
    if ttl is None or (isinstance(argument, int) and ttl >= argument):
        return []
    expected = "none" if argument is None else f"{argument} ms"
    return [Danger("message-ttl", expected, f"{ttl} ms, after which messages leave the queue")]


def _of_numbers(queue: Queue, effective: Mapping[str, Any]) -> list[Danger]:
    found, limit = [], effective.get("delivery-limit")
    if queue.kind == "inbox" and limit == 0:
        found.append(Danger("delivery-limit", "1 or more", "0, which buries what met one crash"))
    if queue.kind == "dead":
        if limit is not None and 0 <= limit < PRACTICALLY_NEVER:
            found.append(Danger("delivery-limit", "practically none", f"{limit}: looking at letters uses them up"))
        lengths = sorted({"max-length", "max-length-bytes"} & effective.keys())
        found += [Danger(name, "none", f"{effective[name]}: dead letters would be dropped") for name in lengths]
    return found


def _pattern(wanted: Topology, kind: str) -> str:
    names: Iterable[str] = sorted(queue.name for queue in wanted.queues if queue.kind == kind)
    return f"^({'|'.join(map(re.escape, names))})$"


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # Erlang's regular expressions know more than ours: better a question too many
        return True
