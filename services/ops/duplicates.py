"""`presswork duplicates`: what an account's uploads do with duplicates, as its owner can say by the API."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, end, of_kind, who
from services.ops.showing import Json

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine


def duplicates(
    email: Annotated[str, typer.Argument(help="e-mail of the account")],
    policy: Annotated[
        str | None, typer.Argument(help="skip_exact, skip_near, review or keep_all; none: show what it is")
    ] = None,
    distance: Annotated[
        int | None, typer.Option(min=-1, max=32, help="bits of 256 within which hashes are the same; -1: the server's")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="only say what --distance would change")] = False,
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Show what an account's uploads do with duplicates, or change it for uploads from now on."""
    from services.ingest.catalog.duplicates import MEANING
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    if policy is not None and policy not in MEANING:
        raise typer.BadParameter(f"no policy is called {policy!r}; there are {', '.join(MEANING)}")
    if preview and (policy or distance is None or distance < 0):
        raise typer.BadParameter("--preview is of a --distance, and of nothing else")
    given: dict[str, Any] = {} if policy is None else {"policy": policy}
    if distance is not None:
        given["distance"] = None if distance < 0 else distance
    with database(data) as engine:
        with transaction(engine) as connection:
            user = Users(connection).of_email(email)
        if user is None:
            end(f"nobody has registered with {email}")
        if preview:
            _preview(engine, user.id, given["distance"], data, as_json=as_json)
        else:
            _change(engine, user.id, email, given, as_json=as_json)


def _change(engine: "Engine", user_id: "UUID", email: str, given: dict[str, Any], *, as_json: bool) -> None:
    from services.ingest.catalog.duplicates import MEANING, change, changes, current
    from shared.database import transaction

    with transaction(engine) as connection:
        if given:
            change(connection, user_id, who(), given)
        now, made = current(connection, user_id), changes(connection, user_id)
    if as_json:
        showing.as_json(
            {"policy": now.policy, "distance": now.distance, "meaning": MEANING[now.policy], "changes": made}
        )
        return
    typer.echo(f"{email}: {now.policy}: {MEANING[now.policy]}{_within(now.distance)}")
    for row in made:
        what = f"{row['policy']}{_within(row['distance'])}"
        typer.echo(f"  {row['changed_at']:%Y-%m-%d %H:%M} UTC  {what}  by {row['changed_by']}")


def _preview(engine: "Engine", user_id: "UUID", then: int, data: Path, *, as_json: bool) -> None:
    from services.dedup.preview import Preview
    from services.dedup.settings import Settings
    from services.ingest.catalog.duplicates import current
    from shared.blobs import Blobs
    from shared.database import transaction

    dedup = of_kind(Settings, data)
    with transaction(engine) as connection:
        now = current(connection, user_id).distance
    found = Preview(engine, dedup.duplicate_distance, Blobs(dedup.blob_dir))(user_id, now, then)
    if as_json:
        showing.as_json(found)
        return
    change = "more" if "more" in found else "fewer"
    matches = f"{found[change]} {change} match{'' if found[change] == 1 else 'es'}"
    typer.echo(
        f"at {then}: {matches} than at {found['distance_now']}, of the newest {found['compared']} pictures with all "
        f"{found['pictures']}. Nothing was changed."
    )
    for pair in found["pairs"]:
        one, other = (pair[name]["name"] or pair[name]["filename"] or pair[name]["path"] for name in ("one", "other"))
        typer.echo(f"  {pair['distance']:>3} bits  {pair['verdict']:<10} {one}  and  {other}")


def _within(distance: int | None) -> str:
    return "" if distance is None else f", within {distance} bits"
