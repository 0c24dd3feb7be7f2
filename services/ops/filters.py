"""The filters that the `presswork dead` commands share, as options of each of them."""

import functools
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from services.ops.place import NOTHING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from services.ingest.ops.finding import Filter
    from shared.contracts import Stage

Ids = Annotated[list[UUID] | None, typer.Argument(help="ids of letters", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="needed where no filter is given")]
Moment = datetime | None


def _filters(
    *,
    service: Annotated[str | None, typer.Option(help="the service that gave up")] = None,
    session: Annotated[UUID | None, typer.Option(help="the upload")] = None,
    tenant: Annotated[str | None, typer.Option(help="the seller: user id or e-mail")] = None,
    file: Annotated[str | None, typer.Option(help="part of a file's name, or its item id")] = None,
    cause: Annotated[str | None, typer.Option(help="part of the cause")] = None,
    fingerprint: Annotated[str | None, typer.Option("--fingerprint", "--group", help="a group of `groups`")] = None,
    text: Annotated[str | None, typer.Option(help="anywhere in cause, stack, body or note")] = None,
    since: Annotated[Moment, typer.Option(help="died at or after this, UTC")] = None,
    until: Annotated[Moment, typer.Option(help="died before this, UTC")] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="dead, dead_again, replaying, resolved, superseded, discarded; repeatable")
    ] = None,
) -> "Filter":
    from services.ingest.ops.finding import Filter

    return Filter(
        service=service,
        session=session,
        tenant=tenant,
        file=file,
        cause=cause,
        fingerprint=fingerprint,
        text=text,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
        status=tuple(status or ()),
    )


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the filters as options, and hand it the filter they make as `wanted`."""
    own = inspect.signature(command)
    shared = inspect.signature(_filters).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:  # noqa: ANN401 - whatever the command line says
        chosen = {name: given.pop(name) for name in shared}
        command(wanted=_filters(**chosen), **given)

    kept = [parameter for name, parameter in own.parameters.items() if name != "wanted"]
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in kept]
    parameters = [*keyword, *shared.values()]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def chosen(wanted: "Filter", ids: list[UUID] | None, *, everything: bool) -> "Filter":
    """The filter with the ids in it; refuses to take all letters where nobody said so."""
    from services.ingest.ops.finding import Filter

    if ids:
        return wanted.model_copy(update={"ids": tuple(ids)})
    if wanted == Filter() and not everything:
        raise typer.BadParameter("say which letters: ids, a filter like --fingerprint, or --all")
    return wanted


def service_named(name: str) -> "Stage":
    """One of our services; no other queue is ever sent to."""
    from typing import get_args

    from shared.contracts import Stage

    for stage in get_args(Stage):
        if stage == name:
            return stage  # type: ignore[no-any-return]
    raise typer.BadParameter(f"{name!r} is none of our services: {', '.join(get_args(Stage))}")


def named(connection: "Connection", letter: str) -> UUID:
    """The one letter whose id begins so; or the command ends."""
    from services.ingest.ops import finding

    ids = finding.named(connection, letter)
    if len(ids) != 1:
        typer.echo(f"{'Several letters begin' if ids else 'No letter begins'} with {letter}.", err=True)
        raise typer.Exit(NOTHING)
    return ids[0]
