"""Making the broker what the code expects, and saying in words what differs. Nothing is ever deleted."""

import asyncio
from dataclasses import dataclass

from services.ops.broker import declare
from services.ops.management import Management, NoManagement
from services.ops.policies import policies
from services.ops.queues import Topology
from services.ops.survey import Finding, Survey, Verdict, survey
from shared.settings import BusSettings

BY_HAND = (Verdict.UNSAFE, Verdict.UNKNOWN)
"""What can't be created or set: a person looks at it."""


@dataclass(frozen=True)
class Applied:
    """What was done, in words, and what is left for a person to do."""

    words: str
    left: tuple[Finding, ...]


async def applied(settings: BusSettings, wanted: Topology) -> Applied:
    """Create and set what can be, and look again.

    Raises:
        Unavailable: no broker.
    """
    before = await survey(settings.amqp_url, settings.management_url, wanted)
    refused, after = "", before
    if before.unchecked or before.of(Verdict.MISSING):  # what can't be looked at is declared again: that is harmless
        left_alone = {finding.thing for finding in before.of(*BY_HAND)}
        await declare(settings.amqp_url, _without(wanted, left_alone))
        refused = await asyncio.to_thread(_set_policies, settings, wanted)
        after = await survey(settings.amqp_url, settings.management_url, wanted)
    left = tuple(finding for finding in after.findings if finding.verdict is not Verdict.FINE)
    still = {(finding.thing, finding.expected) for finding in left}
    done = [finding for finding in before.of(Verdict.MISSING) if (finding.thing, finding.expected) not in still]
    lines = [_change(finding, "created", "changed") for finding in done] or ["nothing was missing"]
    return Applied("\n".join([*lines, *_by_hand(left), *_unlooked(refused or after.unchecked)]), left)


def table(found: Survey) -> str:
    """One line for each thing; what differs says how."""
    width = max(len(finding.thing) for finding in found.findings)
    lines = []
    for finding in found.findings:
        lines.append(f"{finding.verdict.value:8} {finding.thing:{width}} {finding.expected}")
        if finding.verdict is not Verdict.FINE:
            lines.append(f"{'':8} {'':{width}} found: {finding.found}")
    missing = ["missing: presswork topology apply creates it"] if found.of(Verdict.MISSING) else []
    return "\n".join([*lines, *missing, *_by_hand(found.of(*BY_HAND)), *_unlooked(found.unchecked)])


def plan(found: Survey) -> str:
    """What `apply` would do, and what it would leave."""
    changes = [_change(finding, "would create", "would change") for finding in found.of(Verdict.MISSING)] or [
        "nothing would change"
    ]
    return "\n".join([*changes, *_by_hand(found.of(*BY_HAND)), *_unlooked(found.unchecked)])


def _change(finding: Finding, create: str, change: str) -> str:
    if finding.found == "nothing":
        return f"{create} {finding.thing}: {finding.expected}"
    return f"{change} {finding.thing}: {finding.expected}\n  instead of {finding.found}"


def _by_hand(left: tuple[Finding, ...]) -> list[str]:
    return [f"{finding}\n  by hand: {finding.by_hand or 'look at what the broker says'}" for finding in left]


def _unlooked(why: str) -> list[str]:
    return [f"policies and bindings could not be looked at: {why}"] if why else []


def _set_policies(settings: BusSettings, wanted: Topology) -> str:
    """Why they could not be set; empty if they are."""
    try:
        management = Management.of(settings.amqp_url, settings.management_url)
        with management.http:
            there = management.policies()
            for policy in policies(wanted, management.version()):
                if there.get(policy.name) != policy:
                    management.put(policy)
    except NoManagement as error:
        return str(error)
    return ""


def _without(wanted: Topology, things: set[str]) -> Topology:
    return Topology(
        tuple(exchange for exchange in wanted.exchanges if f"exchange {exchange.name}" not in things),
        tuple(queue for queue in wanted.queues if f"queue {queue.name}" not in things),
    )
