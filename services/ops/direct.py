"""`presswork dead replay --direct`: from the broker's dead-letter queue to the inbox, while the database is down."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import typer

from services.ops.filters import service_named
from services.ops.obstacles import obstacles
from services.ops.place import AWAY, NOTHING, settings

EVERYTHING = 10**9


def move_letters(data: Path, service: str | None, limit: int | None, *, force: bool, as_json: bool) -> None:
    """Move what lies in a service's dead-letter queue back to its inbox; no database is asked, nothing is archived."""
    from services.ops import showing
    from shared.errors import Unavailable

    if service is None:
        raise typer.BadParameter("--direct needs --service: it empties one service's dead-letter queue")
    url, target = settings(data).amqp_url, service_named(service)
    if not force and (in_the_way := obstacles(url)({target})):
        typer.echo(f"{in_the_way[0]}. Nothing was moved. Mend that, or move them all the same: --force", err=True)
        raise typer.Exit(AWAY)
    try:
        moved = _moved(url, target, limit or EVERYTHING)
    except Unavailable as error:
        typer.echo(f"{error}. What was moved before that is moved; the rest still lies there.", err=True)
        raise typer.Exit(AWAY) from error
    if as_json:
        showing.as_json({"moved": moved, "service": target})
    else:
        typer.echo(f"{moved} letters moved back to {target}.")
    if not moved:
        typer.echo("None was ready: the archive has them (presswork dead list), or holds them until it can.", err=True)
        raise typer.Exit(NOTHING)


def _moved(url: str, service: str, limit: int) -> int:
    from services.ingest.ops.replaying import replayed_headers
    from services.ops.broker import move_back

    def headers(old: Mapping[str, object]) -> dict[str, object]:
        lived = old.get("x-generation")
        return replayed_headers(old, uuid4(), lived + 1 if isinstance(lived, int) else 1)

    return asyncio.run(move_back(url, service, limit, headers))
