"""`presswork operator`: who may use the operators' calls of the API."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, end
from services.ops.showing import Json

if TYPE_CHECKING:
    from services.ingest.catalog.users import User

app = typer.Typer(help="Which accounts may use /api/v1/ops.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="e-mail of an account that has registered")]


@app.command()
def add(
    email: Email,
    viewer: Annotated[bool, typer.Option("--viewer", help="may look, and change nothing")] = False,
    data: DataDir = HERE,
) -> None:
    """Make an account an operator's, or a viewer's, from its next call on."""
    user = _set(email, "viewer" if viewer else "operator", data)
    typer.echo(f"{user.email} is {'a viewer' if viewer else 'an operator'}.")


@app.command()
def remove(email: Email, data: DataDir = HERE) -> None:
    """Make an account a seller's again, from its next call on."""
    user = _set(email, "seller", data)
    typer.echo(f"{user.email} is a seller.")


@app.command("list")
def list_operators(as_json: Json = False, data: DataDir = HERE) -> None:
    """List operators and viewers."""
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = Users(connection).operators()
    if as_json:
        showing.as_json([{"email": user.email, "role": user.role, "is_active": user.is_active} for user in found])
        return
    for user in found:
        typer.echo(f"{user.email}  {user.role}{'' if user.is_active else ', disabled'}")
    if not found:
        typer.echo("There are none; make one: presswork operator add EMAIL", err=True)


def _set(email: str, role: str, data: "DataDir") -> "User":
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        user = Users(connection).set_role(email, role)
    if user is None:
        end(f"No account has the e-mail {email}; its owner registers first.")
    return user
