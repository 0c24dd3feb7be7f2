"""`presswork topology check` and `apply`: what is on the broker against what the code expects."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.place import AWAY, HERE, DataDir, end, settings, tell_if_guessed, why_no_broker

if TYPE_CHECKING:
    from services.ops.survey import Survey

app = typer.Typer(help="Exchanges, queues, bindings and policies on the broker.", no_args_is_help=True)


@app.command()
def check(data: DataDir = HERE) -> None:
    """Print what is there against what is expected; exit with 1 when it differs. Changes nothing."""
    from services.ops.applying import table
    from services.ops.survey import Verdict

    _end_if_embedded(data)
    found = _looked_at(data)
    typer.echo(table(found))
    if any(finding.verdict is not Verdict.FINE for finding in found.findings):
        raise typer.Exit(1)


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print what would change, and change nothing")] = False,
    data: DataDir = HERE,
) -> None:
    """Create what is missing and set our policies. Safe to repeat; never deletes anything."""
    from services.embedded import all_services
    from services.ops.applying import applied, plan
    from services.ops.queues import topology
    from shared.errors import Unavailable

    _end_if_embedded(data)
    if dry_run:
        typer.echo(plan(_looked_at(data)))
        return
    found = settings(data)
    try:
        done = asyncio.run(applied(found, topology(all_services())))
    except Unavailable as error:
        tell_if_guessed(found, "AMQP_URL", data)
        end(str(error), AWAY)
    typer.echo(done.words)
    if done.left:
        raise typer.Exit(1)


def _end_if_embedded(data: Path) -> None:
    if words := why_no_broker(data):
        typer.echo(f"{words}: there are no exchanges, queues, bindings and policies.", err=True)
        raise typer.Exit


def _looked_at(data: Path) -> "Survey":
    from services.embedded import all_services
    from services.ops.queues import topology
    from services.ops.survey import survey
    from shared.errors import Unavailable

    found = settings(data)
    try:
        return asyncio.run(survey(found.amqp_url, found.management_url, topology(all_services())))
    except Unavailable as error:
        tell_if_guessed(found, "AMQP_URL", data)
        end(str(error), AWAY)
