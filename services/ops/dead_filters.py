"""The filters that the `presswork dead` commands share, as options of each of them."""

import functools
import inspect
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from services.ops.place import end, moment_said
from services.ops.uploads import SHORTEST, upload, uploads

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from services.ingest.dead_letters.finding import Filter, Status
    from shared.contracts import Stage

Ids = Annotated[list[str] | None, typer.Argument(help="ids of letters, or their beginnings", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="all letters; needed where no id or filter is given")]
Moment = datetime | None


def _status(name: str) -> "Status":
    from typing import get_args

    from services.ingest.dead_letters.finding import Status

    for status in get_args(Status):
        if status == name:
            return status  # type: ignore[no-any-return]
    raise typer.BadParameter(f"{name!r} is no status: {', '.join(get_args(Status))}")


def _filters(
    *,
    service: Annotated[str | None, typer.Option(help="the service that gave up")] = None,
    session: Annotated[str | None, typer.Option(help="the upload: its session id, or its client's")] = None,
    tenant: Annotated[str | None, typer.Option(help="the seller: user id or e-mail")] = None,
    file: Annotated[str | None, typer.Option(help="part of a file's name, or its item id")] = None,
    cause: Annotated[str | None, typer.Option(help="part of the cause")] = None,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", "--group", help="of a cause, as `presswork dead groups` tells it")
    ] = None,
    text: Annotated[str | None, typer.Option(help="anywhere in cause, stack, body or note")] = None,
    since: Annotated[
        Moment,
        typer.Option(help="died at or after this, like 12h, 2026-11-24 or 2026-11-24T18:30; UTC", parser=moment_said),
    ] = None,
    until: Annotated[Moment, typer.Option(help="died before this, said likewise", parser=moment_said)] = None,
    status: Annotated[
        list[str] | None, typer.Option(help="dead, dead_again, replaying, resolved, superseded, discarded; repeatable")
    ] = None,
) -> "Filter":
    from services.ingest.dead_letters.finding import Filter

    return Filter(
        service=service_named(service) if service else None,
        session=session,
        tenant=tenant,
        file=file,
        cause=cause,
        fingerprint=fingerprint,
        text=text,
        since=since,
        until=until,
        status=tuple(_status(each) for each in status or ()),
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


def chosen(engine: "Engine", wanted: "Filter", ids: list[str] | None, *, everything: bool) -> "Filter":
    """The filter with the ids in it; refuses to take all letters where nobody said so."""
    from services.ingest.dead_letters.finding import Filter
    from shared.database import transaction

    with transaction(engine) as connection:
        wanted = known(connection, wanted)
        if ids:
            return wanted.model_copy(update={"ids": tuple(named(connection, each) for each in ids)})
    if wanted == Filter() and not everything:
        raise typer.BadParameter("say which letters: ids, a filter like --fingerprint, or --all")
    return wanted


def known(connection: "Connection", wanted: "Filter") -> "Filter":
    """The filter, with the upload's whole id where its beginning was said.

    A seller or an upload that is unknown, as a slip of the pen makes one, ends the command: none would be found, as if
    all were well.
    """
    from services.ingest.dead_letters import finding

    if wanted.tenant and not finding.knows_tenant(connection, wanted.tenant):
        end(f"No account has the id or e-mail {wanted.tenant}.")
    if not wanted.session:
        return wanted
    name = str(wanted.session)
    named_by_a_letter = finding.count(connection, finding.Filter(session=name)) and not uploads(connection, name)
    return wanted if named_by_a_letter else wanted.model_copy(update={"session": upload(connection, name)})


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
    from services.ingest.dead_letters import finding

    return _only_one(finding.named(connection, _beginning(letter)), letter, "letter")


def run_named(connection: "Connection", run: str) -> UUID:
    """The one command in the audit whose id begins so; or the command ends."""
    from services.ingest.dead_letters import auditing

    return _only_one(auditing.named(connection, _beginning(run)), run, "run")


def _beginning(name: str) -> str:
    if len(name) < SHORTEST:
        raise typer.BadParameter(f"{name!r} is too short: say at least the first {SHORTEST} characters of the id")
    return name


def _only_one(ids: Sequence[UUID], name: str, thing: str) -> UUID:
    if len(ids) != 1:
        end(f"Several {thing}s begin with {name}; say more of the id." if ids else f"No {thing} begins with {name}.")
    return ids[0]
