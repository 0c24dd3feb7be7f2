"""`presswork topology check` and `apply`: what is on the broker against what the code expects."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.ops.survey import Survey

app = typer.Typer(help="Exchanges, queues, bindings and policies on the broker.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Print what is there against what is expected; exit with 1 when it differs. Changes nothing."""
    from services.ops.applying import table
    from services.ops.survey import Verdict

    found = _looked_at()
    typer.echo(table(found))
    if any(finding.verdict is not Verdict.FINE for finding in found.findings):
        raise typer.Exit(1)


@app.command()
def apply(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print what would change, and change nothing")] = False,
) -> None:
    """Create what is missing and set our policies. Safe to repeat; never deletes anything."""
    from services.embedded import all_services
    from services.ops.applying import applied, plan
    from services.ops.queues import topology
    from shared.errors import Unavailable
    from shared.settings import BusSettings

    if dry_run:
        typer.echo(plan(_looked_at()))
        return
    try:
        done = asyncio.run(applied(BusSettings(), topology(all_services())))
    except Unavailable as error:
        raise SystemExit(str(error)) from error
    typer.echo(done.words)
    if done.left:
        raise typer.Exit(1)


def _looked_at() -> "Survey":
    from services.embedded import all_services
    from services.ops.queues import topology
    from services.ops.survey import survey
    from shared.errors import Unavailable
    from shared.settings import BusSettings

    settings = BusSettings()
    try:
        return asyncio.run(survey(settings.amqp_url, settings.management_url, topology(all_services())))
    except Unavailable as error:
        raise SystemExit(str(error)) from error
