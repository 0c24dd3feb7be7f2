"""`presswork duplicates`: what an account's uploads do with duplicates, as its owner can say by the API."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.place import HERE, NOTHING, DataDir, database, who

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection


def duplicates(
    email: Annotated[str, typer.Argument(help="e-mail of the account")],
    policy: Annotated[str | None, typer.Argument(help="skip_exact, skip_near, review or keep_all")] = None,
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    data: DataDir = HERE,
) -> None:
    """Show what an account's uploads do with duplicates, or change it for uploads from now on."""
    from services.ingest.catalog.duplicates import MEANING, change_policy, changes, current_policy
    from services.ops import showing
    from shared.database import transaction

    if policy is not None and policy not in MEANING:
        raise typer.BadParameter(f"no policy is called {policy!r}; there are {', '.join(MEANING)}")
    with database(data) as engine, transaction(engine) as connection:
        user_id = _account(connection, email)
        if policy is not None:
            change_policy(connection, user_id, policy, who())
        now, made = current_policy(connection, user_id), changes(connection, user_id)
    if json:
        showing.as_json({"policy": now, "meaning": MEANING[now], "changes": made})
        return
    typer.echo(f"{email}: {now}: {MEANING[now]}")
    for change in made:
        typer.echo(f"  {change['changed_at']:%Y-%m-%d %H:%M} UTC  {change['policy']:<10}  by {change['changed_by']}")


def _account(connection: "Connection", email: str) -> "UUID":
    from sqlalchemy import select

    from services.ingest.catalog.users import email_key
    from services.ingest.tables import users

    found = connection.execute(select(users.c.id).where(users.c.email_key == email_key(email))).scalar_one_or_none()
    if found is None:
        typer.echo(f"nobody has registered with {email}", err=True)
        raise typer.Exit(NOTHING)
    user_id: UUID = found
    return user_id
