"""What is on the broker against what the code expects, in words."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from services.ops.broker import Compared, State, compare
from services.ops.management import Management, NoManagement
from services.ops.policies import Policy, dangers, in_effect, policies
from services.ops.queues import Exchange, Queue, Topology
from shared.bus.topology import Route


class Verdict(Enum):
    """On one thing that was looked at."""

    FINE = "fine"
    MISSING = "missing"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing on the broker: what it is, what is expected of it and what was found."""

    thing: str
    verdict: Verdict
    expected: str
    found: str
    by_hand: str = ""
    """What a person has to do, where `presswork topology apply` can't."""

    def __str__(self) -> str:
        return f"{self.thing}: expected {self.expected}; found {self.found}"


@dataclass(frozen=True)
class Survey:
    """All findings; `unchecked` says why policies and bindings were not looked at, if they weren't."""

    findings: tuple[Finding, ...]
    unchecked: str = ""

    def of(self, *verdicts: Verdict) -> tuple[Finding, ...]:
        """Those with one of these verdicts."""
        return tuple(finding for finding in self.findings if finding.verdict in verdicts)


async def survey(amqp_url: str, management_url: str, wanted: Topology, *, ours: bool = True) -> Survey:
    """Look at everything, change nothing. Without `ours`, it is no matter whether our own policies are there.

    Raises:
        Unavailable: no broker.
    """
    compared = await compare(amqp_url, wanted)
    found = [_existence(each) for each in compared]
    absent = [each.wanted for each in compared if each.state is State.MISSING]
    found += [_bound(each, route, ()) for each in absent if isinstance(each, Queue) for route in each.bindings]
    there = [each.wanted for each in compared if each.state is not State.MISSING]
    queues = [each for each in there if isinstance(each, Queue)]

    def ask() -> list[Finding]:
        management = Management.of(amqp_url, management_url)
        with management.http:
            more = list(_of_queues(management, queues))
            return more + (list(_of_policies(management, wanted)) if ours else [])

    try:
        return Survey((*found, *await asyncio.to_thread(ask)))
    except NoManagement as error:
        return Survey(tuple(found), str(error))


def _existence(compared: Compared) -> Finding:
    wanted = compared.wanted
    thing = f"{'exchange' if isinstance(wanted, Exchange) else 'queue'} {wanted.name}"
    expected = wanted.kind if isinstance(wanted, Exchange) else _arguments(wanted)
    match compared.state:
        case State.AS_EXPECTED:
            return Finding(thing, Verdict.FINE, expected, "the same")
        case State.MISSING:
            return Finding(thing, Verdict.MISSING, expected, "nothing")
        case State.UNKNOWN:
            return Finding(thing, Verdict.UNKNOWN, expected, compared.words)
    return Finding(thing, Verdict.UNSAFE, expected, compared.words, _replacing(wanted))


def _of_queues(management: Management, queues: Iterable[Queue]) -> Iterator[Finding]:
    users, operators = management.policies().values(), management.policies("operator-policies").values()
    for queue in queues:
        bound = management.bindings(queue.name)
        yield from (_bound(queue, route, bound) for route in queue.bindings)
        for policy in (*in_effect(users, queue.name), *in_effect(operators, queue.name)):
            for danger in dangers(queue, policy.definition):
                thing = f"policy {policy.name} on queue {queue.name}, {danger.name}"
                yield Finding(thing, Verdict.UNSAFE, danger.expected, danger.found, _mending(policy.name))


def _bound(queue: Queue, route: Route, bound: Collection[Route]) -> Finding:
    verdict, found = (Verdict.FINE, "the same") if route in bound else (Verdict.MISSING, "nothing")
    return Finding(f"binding {queue.name}", verdict, f"{route.exchange} {route.key}", found)


def _of_policies(management: Management, wanted: Topology) -> Iterator[Finding]:
    there = management.policies()
    for policy in policies(wanted, management.version()):
        found = there.get(policy.name)
        verdict = Verdict.FINE if found == policy else Verdict.MISSING
        words = "the same" if found == policy else "nothing" if found is None else _policy(found)
        yield Finding(f"policy {policy.name}", verdict, _policy(policy), words)


def _policy(policy: Policy) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in policy.definition.items())
    return f"{settings} for {policy.pattern} ({policy.apply_to}, priority {policy.priority})"


def _arguments(queue: Queue) -> str:
    return "durable, " + ", ".join(f"{name.removeprefix('x-')}={value}" for name, value in queue.arguments.items())


def _mending(names: str) -> str:
    return (
        f"`presswork topology apply` sets our own policies above it; where {names} still has a higher priority, or is "
        "an operator policy, change it (rabbitmqctl list_policies, list_operator_policies)"
    )


def _replacing(wanted: Exchange | Queue) -> str:
    """What a broker can't change in place needs a person, who knows what is in the queue."""
    if isinstance(wanted, Exchange):
        return f"stop the services, delete the exchange {wanted.name}, then `presswork topology apply`: it binds anew"
    return (
        f"stop the services; let what is in {wanted.name} be consumed by the release that made it, or move it to "
        f"another queue with a shovel; delete it only when it is empty (rabbitmqctl delete_queue {wanted.name} "
        "--if-empty); `presswork topology apply`; move the messages back; start the services"
    )
