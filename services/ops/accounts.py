"""`presswork account`: what whoever runs the server does for sellers: opens, lists, helps and closes accounts."""

import secrets
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, end
from services.ops.showing import Json, printable
from services.plurals import counted

if TYPE_CHECKING:
    from services.ingest.catalog.users import User

app = typer.Typer(help="Open, list, help and close sellers' accounts.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(metavar="EMAIL", help="e-mail of the account")]


@app.command()
def add(
    email: Account,
    shop: Annotated[str, typer.Argument(help="name of the shop, and of its folder on the NAS")],
    data: DataDir = HERE,
) -> None:
    """Open an account, and tell its first password, once. It gets the shop's folder, though files lie in it already."""
    from pydantic import BaseModel, ValidationError

    from services.ingest.catalog.fields import Email, Name
    from services.ingest.catalog.users import EmailTaken, Users
    from shared.database import transaction

    class Given(BaseModel):
        email: Email
        shop: Name

    try:
        given = Given(email=email, shop=shop)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error
    chosen, hashed = _new_password()
    try:
        with database(data) as engine, transaction(engine) as connection:
            user = Users(connection).register(given.email, hashed, given.shop, takes_what_lies_there=True)
    except EmailTaken:
        end(f"There is an account with the e-mail {given.email} already.", 1)
    typer.echo(f"{user.email} has the folder {user.shop_folder}. Password, to be changed after the first login:")
    typer.echo(chosen)


@app.command("list")
def list_accounts(as_json: Json = False, data: DataDir = HERE) -> None:
    """List all accounts, oldest first: their folders on the NAS, since when, and who is disabled or an operator."""
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = Users(connection).everybody()
    if as_json:
        names = ("id", "email", "shop_name", "shop_folder", "created_at", "is_active", "role")
        showing.as_json([{name: getattr(user, name) for name in names} for user in found])
        return
    for user in found:
        marks = ", ".join(filter(None, (user.role if user.looks else "", "" if user.is_active else "disabled")))
        typer.echo(f"{printable(user.email)}  {user.shop_folder}  since {user.created_at:%Y-%m-%d}  {marks}".rstrip())
    if not found:
        typer.echo("There are none; open one: presswork account add EMAIL SHOP", err=True)


@app.command()
def password(email: Account, data: DataDir = HERE) -> None:
    """Give an account a new password, and tell it, once. All its logins by the one before are over."""
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    chosen, hashed = _new_password()
    with database(data) as engine, transaction(engine) as connection:
        user = Users(connection).of_email(email)
        if user is not None:
            Users(connection).set_password(user.id, hashed)
    if user is None:
        _nobody(email)
    if not user.is_active:
        typer.echo(f"It is disabled, and can't log in before: presswork account enable {user.email}", err=True)
    typer.echo(f"{user.email} is logged out everywhere. New password, to be changed after the next login:")
    typer.echo(chosen)


@app.command()
def disable(email: Account, data: DataDir = HERE) -> None:
    """Close an account: from its next call on it is logged out, and can't log in. What it has uploaded goes on."""
    user, in_work = _set(email, data, active=False)
    typer.echo(f"{user.email} is logged out, and can't log in any more.")
    if in_work:
        goes = "is in work and goes" if in_work == 1 else "are in work and go"
        typer.echo(f"{counted(in_work, 'upload')} of it {goes} on: presswork sessions --tenant {user.email}")
    else:
        typer.echo("None of its uploads are in work.")


@app.command()
def enable(email: Account, data: DataDir = HERE) -> None:
    """Open a disabled account again, with the password that it had."""
    user, _ = _set(email, data, active=True)
    typer.echo(f"{user.email} can log in.")


def _set(email: str, data: "DataDir", *, active: bool) -> "tuple[User, int]":
    """The account as it is then, and how many of its uploads are in work."""
    from services.ingest import all_uploads
    from services.ingest.catalog.users import Users
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        user = Users(connection).set_active(email, active=active)
        in_work = all_uploads.in_work(connection, user.id) if user else 0
    return (user, in_work) if user else _nobody(email)


def _new_password() -> tuple[str, str]:
    """One that nobody could guess, and its hash."""
    from services.ingest.catalog.passwords import Passwords

    chosen = secrets.token_urlsafe(12)
    return chosen, Passwords().hash(chosen)


def _nobody(email: str) -> NoReturn:
    end(f"No account has the e-mail {email}: presswork account list")
