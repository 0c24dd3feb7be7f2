"""`presswork dead replay`: shows what it would do, asks, and does it; `cancel` stops one that is at work."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.ops import dead_lines, showing
from services.ops.dead_direct import Manner, move_letters, only_understood
from services.ops.dead_filters import All, Ids, chosen, run_named, service_named
from services.ops.obstacles import obstacles
from services.ops.place import AWAY, HERE, NOTHING, DataDir, confirmed, database, end, hashers, settings, who
from services.ops.showing import Json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from services.ingest.dead_letters.finding import Filter
    from services.ingest.dead_letters.jobs import Job
    from services.ingest.dead_letters.steps import ReplayPace
    from shared.contracts import Stage


def replay(
    context: typer.Context,
    wanted: "Filter",
    ids: Ids = None,
    everything: All = False,
    limit: Annotated[int | None, typer.Option(help="only the oldest so many", min=1)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would be done")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    rate: Annotated[str | None, typer.Option(help="at most so many a second, like 5/s")] = None,
    canary: Annotated[bool, typer.Option("--canary", help="one, then five, then the rest, if those end well")] = False,
    tolerate: Annotated[
        float, typer.Option(help="the share of a step that may fail again, like 0.2", min=0, max=1)
    ] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="wait for the end, and fail if they fail again")] = False,
    patience: Annotated[float, typer.Option(help="seconds to wait for the end of a step", min=0)] = 600,
    to: Annotated[str | None, typer.Option(help="send them to this service's inbox instead: rarely right")] = None,
    force: Annotated[bool, typer.Option("--force", help="send them though nobody is there to take them")] = False,
    as_json: Json = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="from broker to broker, without a database; with --service")
    ] = False,
    data: DataDir = HERE,
) -> None:
    """Replay letters: what failed with them is worked on again, the rest goes back to its service's inbox.

    Each letter is sent once, by however many at once it is replayed. Ctrl-C stops between two of them; it does not stop
    when nobody reads on (`| head`). Exit code 0: all was sent (with --wait: and ended well); 1: some was not, or failed
    again; 3: no letter fits; 4: database or broker can't be reached, or a service that is needed doesn't run (--force
    sends all the same: it waits for it).
    """
    how = Manner(data=data, limit=limit, dry_run=dry_run, yes=yes, force=force, as_json=as_json)
    if direct:
        only_understood(context)
        move_letters(wanted.service, how)
        return
    from services.ingest.dead_letters.steps import ReplayPace

    target = service_named(to) if to else None
    pace = ReplayPace(canary=canary, wait=wait, pause_s=_pause(rate), patience_s=patience, tolerance=tolerate)
    with database(data) as engine:
        _replay(engine, chosen(engine, wanted, ids, everything=everything), target, pace, how)


def cancel(
    run: Annotated[
        str, typer.Argument(help="a replay's id, as `dead replay` and `dead audit` tell it, or its beginning")
    ],
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Stop a replay that is at work, whoever began it: what was sent is sent, the rest stays."""
    from services.ingest.dead_letters import auditing
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = auditing.cancel(connection, run_named(connection, run), who())
    if found is None:
        raise typer.Exit(NOTHING)  # deleted this very moment
    if as_json:
        showing.as_json(found)
    else:
        typer.echo("It stops before its next letter." if found["state"] == "running" else "It was over already.")
        dead_lines.runs([found])


def _replay(engine: "Engine", wanted: "Filter", target: "Stage | None", pace: "ReplayPace", how: Manner) -> None:
    from services.ingest.dead_letters import jobs
    from services.ingest.dead_letters.auditing import Run

    ids, cutoff = jobs.chosen(engine, wanted, how.limit)
    if not ids:
        end(_why_none(wanted))
    run = Run(who(), "replay")
    job = jobs.Job(engine, hashers(how.data), run, wanted, ids, cutoff, target, pace, how.limit)
    _preview(job, how)
    if how.dry_run:
        return
    if not how.yes:
        confirmed(f"Replay {len(ids)}? What dies from now on stays.", "Nothing was replayed.")
    run_id = job.begin()
    showing.line(f"presswork dead cancel {run_id} stops it", err=True)
    _report(job.carry_out(partial(showing.line, err=how.as_json)), how)


def _why_none(wanted: "Filter") -> str:
    if "discarded" in wanted.status:
        return "What is discarded is not replayed: take it back first (presswork dead restore)."
    return "No letter that could be replayed fits."


def _preview(job: "Job", how: Manner) -> None:
    """How many, for whom, what would become of the first few, and what is in the way."""

    foreseen = job.foreseen()
    in_the_way = obstacles(settings(how.data).amqp_url)(job.takers())
    if how.as_json and how.dry_run:
        showing.as_json({"dry_run": True, **foreseen, "obstacles": in_the_way})
        return
    dead_lines.foreseen(foreseen, err=how.as_json)
    for words in in_the_way:
        showing.line(f"  in the way: {words}", err=not how.dry_run)
    if in_the_way and not how.force:
        undone = "It would be refused:" if how.dry_run else "Nothing was replayed."
        showing.line(f"{undone} Mend that, or send all the same: --force", err=not how.dry_run)
        if not how.dry_run:
            raise typer.Exit(AWAY)


def _report(done: dict[str, Any], how: Manner) -> None:

    counts = done["counts"]
    if how.as_json:
        showing.as_json(done)
    else:
        showing.line(", ".join([*(f"{n} {result}" for result, n in counts.items()), f"audit {done['run_id']}"]))
        for words in dead_lines.became(done):
            showing.line(words)
        if done["stopped"]:
            showing.line(f"stopped: {done['stopped']}. {done['left']} were left alone.")
    if done["stopped"] or counts.get("refused"):
        raise typer.Exit(1)


def _pause(rate: str | None) -> float:
    if rate is None:
        return 0.0
    try:
        per_second = float(rate.removesuffix("/s"))
    except ValueError:
        per_second = 0.0
    if not per_second > 0:  # nor a NaN: no pause would come of either
        raise typer.BadParameter(f"{rate!r} should look like 5/s")
    return 1 / per_second
