"""`presswork dead replay --direct`: from the broker's dead-letter queue to the inbox, while the database is down."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import typer

from services.ops import showing
from services.ops.dead_filters import service_named
from services.ops.obstacles import obstacles
from services.ops.place import AWAY, confirmed, end, settings, tell_if_guessed
from services.plurals import counted

UNDERSTOOD = {"direct", "service", "everything", "limit", "dry_run", "yes", "force", "as_json", "data"}
NONE_READY = "None is ready to be moved. What the archive could keep it has (presswork dead list)."
IN_HAND = "ingest runs, and may have up to {} more in its hands: stop it first to move these as well."


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How to go about a replay, over the database or past it."""

    data: Path
    limit: int | None
    dry_run: bool
    yes: bool
    force: bool
    as_json: bool


def only_understood(context: typer.Context) -> None:
    """Refuse what only the database could answer: it would seem to narrow what is moved, and would not."""
    names = {parameter.name: parameter for parameter in context.command.params}
    given = [name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if unknown := [name for name in given if name not in UNDERSTOOD]:
        said = ", ".join(names[name].opts[0] if name != "ids" else "ids" for name in unknown)
        raise typer.BadParameter(f"--direct asks no database, so it can't tell letters apart: leave out {said}")


def move_letters(service: str | None, how: Manner) -> None:
    """Move what lies in a service's dead-letter queue back to its inbox; no database is asked, nothing is archived."""
    from shared.errors import Unavailable

    if service is None:
        raise typer.BadParameter("--direct needs --service: it empties one service's dead-letter queue")
    named, target = settings(how.data), service_named(service)
    url = named.amqp_url
    try:
        found = _confirmed(url, target, how)
        moved = 0 if how.dry_run or not found else _moved(url, target, how.limit)
    except Unavailable as error:
        typer.echo(f"{error}. What was moved before that is moved; the rest still lies there.", err=True)
        tell_if_guessed(named, "AMQP_URL", how.data)
        raise typer.Exit(AWAY) from error
    if how.as_json and not how.dry_run:
        showing.as_json({"moved": moved, "service": target})
    elif not how.dry_run:
        typer.echo(f"{counted(moved, 'letter')} moved back to {target}.")
    if not found:
        end(NONE_READY)


def _confirmed(url: str, target: str, how: Manner) -> int:
    """How many it would be, once that and what is in the way was said, and it was asked for; or the command ends."""
    from services.ingest.service import PREFETCH
    from services.ops.broker import waiting

    there, keepers = asyncio.run(waiting(url, target))
    if keepers:
        typer.echo(IN_HAND.format(keepers * PREFETCH), err=True)
    count = min(there, how.limit or there)
    in_the_way = obstacles(url)({target})
    if how.dry_run and how.as_json:
        foreseen = {"dry_run": True, "would_move": count, "service": target, "obstacles": in_the_way}
        showing.as_json(foreseen | {"in_hand_at_most": keepers * PREFETCH})
    elif how.dry_run:
        typer.echo(f"{counted(count, 'letter')} would be moved back to {target}; nothing was.")
        for words in in_the_way:
            typer.echo(f"  in the way: {words}")
    elif in_the_way and not how.force:
        end(f"{in_the_way[0]}. Nothing was moved. Mend that, or move them all the same: --force", AWAY)
    if count and not (how.dry_run or how.yes):
        confirmed(f"Move {count} back to {target}?", "Nothing was moved.")
    return count


def _moved(url: str, service: str, limit: int | None) -> int:
    from services.ingest.dead_letters.replaying import replayed_headers
    from services.ops.broker import move_back

    def headers(old: Mapping[str, object]) -> dict[str, object]:
        life = old.get("x-generation")
        return replayed_headers(old, uuid4(), life + 1 if isinstance(life, int) else 1)

    return asyncio.run(move_back(url, service, limit or 10**9, headers))
