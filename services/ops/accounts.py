"""`presswork account`: accounts that whoever runs the server opens, also where nobody can register."""

import secrets
from typing import Annotated

import typer

from services.ops.place import HERE, DataDir, database

app = typer.Typer(help="Open accounts, with folders that lie on the NAS already, too.", no_args_is_help=True)


@app.callback()
def several() -> None:
    """Keeps `add` a word of its own: typer leaves out the name of an only command."""


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="e-mail of the account")],
    shop: Annotated[str, typer.Argument(help="name of the shop, and of its folder on the NAS")],
    data: DataDir = HERE,
) -> None:
    """Open an account, and tell its first password, once. It gets the shop's folder, though files lie in it already."""
    from pydantic import BaseModel, ValidationError

    from services.ingest.catalog.fields import Email, Name
    from services.ingest.catalog.passwords import Passwords
    from services.ingest.catalog.users import EmailTaken, Users
    from shared.database import transaction

    class Given(BaseModel):
        email: Email
        shop: Name

    try:
        given = Given(email=email, shop=shop)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error
    password = secrets.token_urlsafe(12)
    hashed = Passwords().hash(password)
    try:
        with database(data) as engine, transaction(engine) as connection:
            user = Users(connection).register(given.email, hashed, given.shop, takes_what_lies_there=True)
    except EmailTaken as error:
        raise SystemExit(f"There is an account with the e-mail {given.email} already.") from error
    typer.echo(f"{user.email} has the folder {user.shop_folder}. Password, to be changed after the first login:")
    typer.echo(password)
