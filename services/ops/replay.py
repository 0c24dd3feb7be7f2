"""`presswork dead replay`: shows what it would do, asks, and does it."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from services.ops.direct import move_letters
from services.ops.filters import All, Ids, chosen
from services.ops.place import HERE, NOTHING, DataDir, database, settings, who

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.ingest.ops.auditing import Run
    from services.ingest.ops.finding import Filter
    from services.ops.steps import Steps

SAMPLE = 5
HASHERS = 8
CALM_S = 20.0
"""How long nothing must come back of a message that is about no file, for a canary to call it well."""


def replay(
    wanted: "Filter",
    ids: Ids = None,
    everything: All = False,
    limit: Annotated[int | None, typer.Option(help="only the oldest so many", min=1)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would be done")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    rate: Annotated[str | None, typer.Option(help="at most so many a second, like 5/s")] = None,
    canary: Annotated[bool, typer.Option("--canary", help="one, then five, then the rest, if those end well")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="wait for the end, and fail if they fail again")] = False,
    patience: Annotated[float, typer.Option(help="seconds to wait for the end of a step", min=0)] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="from broker to broker, without a database; with --service")
    ] = False,
    data: DataDir = HERE,
) -> None:
    """Replay letters: what failed with them is worked on again, the rest goes back to its service's inbox.

    Each letter is sent once, by however many at once it is replayed. Exit code 0: all was sent (with --wait: and ended
    well); 1: some was not, or failed again; 3: no letter fits; 4: database or broker can't be reached.
    """
    if direct:
        move_letters(data, wanted.service, limit)
        return
    wish = _Wish(data, limit, _pause(rate), patience, dry_run, yes, canary, wait, as_json)
    with database(data) as engine:
        _replay(engine, chosen(wanted, ids, everything=everything), wish)


@dataclass(frozen=True)
class _Wish:
    """How to go about it."""

    data: Path
    limit: int | None
    pause_s: float
    patience_s: float
    dry_run: bool
    yes: bool
    canary: bool
    wait: bool
    as_json: bool


def _replay(engine: "Engine", wanted: "Filter", wish: _Wish) -> None:
    from services.ingest.ops import finding
    from services.ingest.ops.auditing import Run
    from shared.database import transaction

    with transaction(engine) as connection:
        cutoff = finding.clock(connection)
        targets = finding.targets(connection, wanted, cutoff, wish.limit)
    if not targets:
        typer.echo("No letter that could be replayed fits.", err=True)
        raise typer.Exit(NOTHING)
    _preview(engine, targets, wish)
    if wish.dry_run:
        return
    if not wish.yes and not typer.confirm(f"Replay {len(targets)}? What dies from now on stays.", err=True):
        raise typer.Exit(1)
    run = Run(who(), "replay")
    with transaction(engine) as connection:
        run.begin(connection, wanted.given() | {"cutoff": cutoff.isoformat(), "canary": wish.canary}, len(targets))
    steps = _steps(engine, run, cutoff, wish)
    try:
        steps.run(targets, canary=wish.canary, wait=wish.wait)
    finally:
        with transaction(engine) as connection:
            run.end(connection, steps.counts(), steps.stopped or "")
    _report(steps, run, len(targets), wish)


def _steps(engine: "Engine", run: "Run", cutoff: datetime, wish: _Wish) -> "Steps":
    from services.ingest.ops import outcomes
    from services.ingest.ops.replaying import Replays
    from services.ops.steps import Steps
    from shared.database import transaction

    replays = Replays(engine, HASHERS)

    def tally(sent: Sequence[UUID]) -> outcomes.Tally:
        outcomes.settle(engine)
        with transaction(engine) as connection:
            return outcomes.tally(connection, sent, CALM_S)

    def say(line: str) -> None:
        typer.echo(line, err=wish.as_json)

    return Steps(lambda letter: replays.replay(letter, run, cutoff), tally, say, wish.pause_s, wish.patience_s)


def _preview(engine: "Engine", targets: Sequence[UUID], wish: _Wish) -> None:
    """How many, for whom, and what would become of the first few."""
    from services.ingest.ops import finding
    from services.ingest.ops.finding import Filter
    from services.ingest.ops.replaying import Replays
    from shared.database import transaction

    with transaction(engine) as connection:
        found = finding.letters(connection, Filter(ids=tuple(targets)), len(targets))
    count = Counter(letter["service"] for letter in found)
    sample = [Replays(engine, HASHERS).foresee(letter_id, who()) for letter_id in targets[:SAMPLE]]
    if wish.as_json and wish.dry_run:
        from services.ops import showing

        told = [{"letter_id": each.letter_id, "result": each.result, "words": each.words} for each in sample]
        showing.as_json({"dry_run": True, "matched": len(targets), "services": count, "sample": told})
        return
    typer.echo(f"{len(targets)} letters: {', '.join(f'{n} of {name}' for name, n in count.items())}", err=wish.as_json)
    for each in sample:
        typer.echo(f"  {each.letter_id}  {each.result}: {each.words}", err=wish.as_json)
    if len(targets) > len(sample):
        typer.echo(f"  ... and {len(targets) - len(sample)} more", err=wish.as_json)
    over_broker = {letter["service"] for letter in found if letter["lane"] == "comprehensive"}
    for words in _missing_consumers(over_broker, wish.data):
        typer.echo(f"  beware: {words}", err=wish.as_json)


def _missing_consumers(services: Collection[str], data: Path) -> list[str]:
    """What keeps replayed letters waiting: nobody there to take them."""
    from services.ops.broker import consumers
    from shared.errors import Unavailable

    url = settings(data).amqp_url
    if not services:
        return []
    try:
        found = asyncio.run(consumers(url, services))
    except Unavailable as error:
        return [f"{error}; what is replayed over it waits until it is back"]
    return [f"no {name} is running; what is sent to it waits until one is" for name, n in found.items() if not n]


def _report(steps: "Steps", run: "Run", matched: int, wish: _Wish) -> None:
    counts = steps.counts()
    if wish.as_json:
        from services.ops import showing

        told = [{"letter_id": each.letter_id, "result": each.result, "words": each.words} for each in steps.results]
        showing.as_json(
            {"run_id": run.id, "matched": matched, "counts": counts, "stopped": steps.stopped, "results": told}
        )
    else:
        typer.echo(", ".join(f"{n} {result}" for result, n in counts.items()) + f"; audit {run.id}")
        if steps.stopped:
            typer.echo(f"stopped: {steps.stopped}. {matched - len(steps.results)} were left alone.")
    if steps.stopped or counts.get("refused"):
        raise typer.Exit(1)


def _pause(rate: str | None) -> float:
    if rate is None:
        return 0.0
    number = rate.removesuffix("/s")
    try:
        return 1 / float(number)
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{rate!r} should look like 5/s") from error
