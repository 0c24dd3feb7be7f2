"""`presswork etsy`: connect a shop, choose what its listings take from it, see what a batch costs, publish drafts."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.place import AWAY, HERE, NOTHING, DataDir, confirmed, our_tables

if TYPE_CHECKING:
    from uuid import UUID

    from services.ingest.catalog.users import User
    from services.publisher.etsy.activating import Published
    from services.publisher.etsy.shop import EtsyTarget
    from services.publisher.settings import Settings
    from services.publisher.store import Ledger

app = typer.Typer(help="The connection of an account to its Etsy shop.", no_args_is_help=True)

Email = Annotated[str | None, typer.Option("--email", help="of the account; not needed where there is only one")]
WAIT_S = 300.0


@dataclass(frozen=True)
class Place:
    """What the commands work on."""

    settings: "Settings"
    target: "EtsyTarget"
    ledger: "Ledger"

    def account(self, email: str | None) -> "User":
        """The account with this e-mail; without one the only account there is."""
        from services.etsy_setup.accounts import NoAccount, account

        try:
            return account(self.ledger.engine, email)
        except NoAccount as error:
            raise _Refused(str(error)) from error

    def template(self, user: "User", name: str) -> "UUID":
        """The account's product template with this name."""
        from services.etsy_setup.accounts import NoAccount, template

        try:
            return template(self.ledger.engine, user, name)
        except NoAccount as error:
            raise _Refused(str(error)) from error


@app.command()
def connect(
    email: Email = None,
    paste: Annotated[bool, typer.Option("--paste", help="paste the address back instead of waiting for it")] = False,
    data: DataDir = HERE,
) -> None:
    """Connect an account to its Etsy shop, through Etsy's consent page."""
    from services.publisher.etsy import connecting, oauth

    with _place(data) as place:
        user = place.account(email)
        url, attempt = connecting.begun(place.target, user.id)
        back = _way_back(place.settings.etsy_redirect_uri, url, paste=paste)
        found = connecting.finished(place.target, user.id, oauth.code_of(back, attempt))
        typer.echo(f"{user.email} is connected to the Etsy shop {found.shop_name} ({found.shop_id}).")
        typer.echo("Next: presswork etsy setup")


@app.command()
def status(email: Email = None, data: DataDir = HERE) -> None:
    """Say whether the shop is connected, what was chosen, and what is left of the day's calls."""
    from services.etsy_setup.accounts import overruling
    from services.etsy_setup.showing import connection_in_words

    with _place(data) as place:
        user = place.account(email)
        found = place.target.connections.find(user.id)
        typer.echo(connection_in_words(found, place.target.limiter.quota(), overruling(place.ledger.engine, user)))
        if place.settings.publisher_target != "etsy":
            typer.echo(f"Nothing goes there now: PUBLISHER_TARGET is {place.settings.publisher_target}.")
        if found is None:
            raise typer.Exit(NOTHING)


@app.command()
def setup(
    email: Email = None,
    shipping_profile: Annotated[int | None, typer.Option(help="id of a shipping profile")] = None,
    readiness_state: Annotated[int | None, typer.Option(help="id of a processing profile")] = None,
    return_policy: Annotated[int | None, typer.Option(help="id of a return policy")] = None,
    section: Annotated[int | None, typer.Option(help="id of a shop section; templates may say another")] = None,
    category: Annotated[int | None, typer.Option(help="id of a category; templates may say another")] = None,
    partner: Annotated[list[int] | None, typer.Option(help="id of a production partner; repeatable")] = None,
    template: Annotated[str | None, typer.Option(help="name of a product template: for its listings only")] = None,
    skus: Annotated[bool | None, typer.Option(help="give each listing a SKU, like UV 100: a call more")] = None,
    find: Annotated[str, typer.Option(help="show the categories with this word")] = "",
    data: DataDir = HERE,
) -> None:
    """Choose what listings take from the shop; without a choice, show what there is."""
    given = {
        "shipping_profile_id": shipping_profile,
        "readiness_state_id": readiness_state,
        "return_policy_id": return_policy,
        "shop_section_id": section,
        "taxonomy_id": category,
        "production_partner_ids": tuple(partner) if partner else None,
    }
    changes = {kind: value for kind, value in given.items() if value is not None}
    with _place(data) as place:
        typer.echo(_chosen(place, place.account(email), changes, template, skus, find))


@app.command()
def plan(
    designs: Annotated[int, typer.Option(min=1, help="how many designs")],
    pictures: Annotated[int, typer.Option(min=0, max=20, help="pictures of each")] = 5,
    digital: Annotated[bool, typer.Option("--digital", help="each with a file to download")] = False,
    email: Email = None,
    data: DataDir = HERE,
) -> None:
    """Say what a batch will cost in calls, time and money. Nothing is called."""
    from services.etsy_setup.front import planned

    with _place(data) as place:
        try:
            user = place.account(email)
        except _Refused:  # nobody, or several: it is counted for no shop in particular
            if email:
                raise
            user = None
        typer.echo(planned(place.target, user, designs, pictures, digital=digital).words)


@app.command()
def activate(
    cap: Annotated[float, typer.Option(min=0, help="most that it may cost, in USD")],
    most: Annotated[int | None, typer.Option(min=1, help="so many of them, the oldest first")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="agree to the total without being asked")] = False,
    email: Email = None,
    data: DataDir = HERE,
) -> None:
    """Publish finished drafts. Etsy charges 0.20 USD for each at once, and gives nothing back."""
    from services.etsy_setup.accounts import in_use, left_out, why_not
    from services.publisher.etsy import activating

    with _place(data) as place:
        user = place.account(email)
        engine = place.ledger.engine
        there = activating.drafts(place.ledger, place.target.of(user.id), user.id)
        found = in_use(engine, user, there)
        drafts = found[:most]
        typer.echo(f"{activating.total(len(drafts))}, cap {cap:.2f} USD{left_out(len(there) - len(found))}")
        if not drafts:
            raise typer.Exit(NOTHING)
        try:
            ended = activating.activate(
                place.ledger, place.target, user.id, drafts, cap_usd=cap, why_not=partial(why_not, engine, user)
            )
        except activating.TooDear as error:
            raise _Refused(str(error)) from error
        if not yes:
            confirmed("Publish them?", "Nothing was published.")
        if _publish(place, user, ended):
            raise typer.Exit(1)


@app.command()
def refresh(data: DataDir = HERE) -> None:
    """Keep every connection alive that was idle for a month: Etsy ends them after three. For a daily job."""
    from services.publisher.shop import NotAuthorised

    failed = 0
    with _place(data) as place:
        for found in place.target.connections.all():
            try:
                place.target.connections.keep_alive(found.tenant_id)
            except NotAuthorised as error:
                failed += 1
                typer.echo(f"{found.shop_name}: {error}", err=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def disconnect(email: Email = None, data: DataDir = HERE) -> None:
    """Forget the account's shop: its tokens, and what was chosen. What is listed stays, at Etsy and on record."""
    with _place(data) as place:
        user = place.account(email)
        if not place.target.connections.forget(user.id):
            raise _Refused("no Etsy shop is connected")
        typer.echo("The connection is forgotten. At Etsy: Account settings, Apps, revoke access.")


def _publish(place: Place, user: "User", ended: "Iterator[Published]") -> int:
    """Print how each ends as it ends; how many were not published."""
    from services.etsy_setup.accounts import gone

    problems = 0
    for each in ended:
        gone(place.ledger.engine, user, [each.draft.listing_id] if each.gone else [])
        problems += each.problem is not None
        published = "published before, at no fee now:" if each.before else "published"
        typer.echo(f"{each.draft.listing_id} {each.problem or published} {each.draft.url or ''}".rstrip())
    return problems


def _chosen(
    place: Place, user: "User", changes: "Mapping[str, object]", template: str | None, skus: bool | None, find: str
) -> str:
    """Keep these changes, if each is one of the shop's; what there is to choose, with marks at what is chosen."""
    from services.etsy_setup.accounts import overruling
    from services.etsy_setup.showing import choosable
    from services.publisher.etsy.choosing import Choices, Chosen, refusals
    from services.publisher.etsy.options import offered

    connections = place.target.connections
    found = connections.working(user.id)
    client = place.target.client(user.id, urgent=True, shop_id=found.shop_id)
    options = offered(client, connections, user.id, found.shop_id)
    template_id = place.template(user, template) if template else None

    def change(now: Choices) -> Choices:
        before = now.templates.get(template_id, Chosen()) if template_id else now
        chosen = Chosen.model_validate({**before.model_dump(include=set(Chosen.model_fields)), **changes})
        if wrong := refusals(chosen, options):
            raise _Refused("; ".join(wrong))
        return now.changed(template_id, chosen).model_copy(update={"skus": now.skus if skus is None else skus})

    choices = connections.choose(user.id, found.shop_id, change)
    own = overruling(place.ledger.engine, user)
    return choosable(choices.of(template_id) if template_id else choices, options, find, own)


class _Refused(Exception):  # noqa: N818
    """The command ends with these words."""


@contextlib.contextmanager
def _place(data: Path) -> "Iterator[Place]":
    """Everything that a command needs; what stands in its way ends it in words."""
    from services.publisher.etsy.sealing import BadKey
    from services.publisher.etsy.wiring import NotConfigured, etsy
    from services.publisher.service import ledger_of
    from services.publisher.settings import Settings
    from services.publisher.shop import NotAuthorised, Replaced
    from shared.errors import Permanent, Retryable

    try:
        settings = Settings(_env_file=data / "environment")
        ledger = ledger_of(settings)
        target = etsy(settings, ledger)
        with our_tables(), target.http:
            yield Place(settings, target, ledger)
    except NotConfigured as error:
        left = data / "environment"
        where = (
            "" if left.exists() else f" ({left} is not there: name the folder of a running `presswork up` with --data)"
        )
        typer.echo(f"{error}{where}.", err=True)
        if settings.publisher_target != "etsy":
            typer.echo(f"Nothing goes to Etsy now: PUBLISHER_TARGET is {settings.publisher_target}.", err=True)
        raise typer.Exit(1) from error
    except (BadKey, NotAuthorised, Permanent, Replaced, _Refused) as error:
        typer.echo(f"{error}.", err=True)
        raise typer.Exit(1) from error
    except Retryable as error:
        typer.echo(f"{error}. Say it again when that is over.", err=True)
        raise typer.Exit(AWAY) from error


def _way_back(redirect_uri: str, url: str, *, paste: bool) -> str:
    """The address that the browser ended at: heard here, or pasted by the person."""
    from services.etsy_setup.callback import Callback

    callback = None
    if not paste:
        try:
            callback = Callback(redirect_uri)
        except OSError as error:
            typer.echo(f"The browser's way back can't be waited for here ({error}), so its address is pasted.")
    typer.echo(f"Open this page in a browser and allow the app:\n\n  {url}\n")
    if callback:
        typer.echo("Waiting for the browser to come back (with Ctrl-C and --paste you can paste the address instead).")
        if heard := callback.wait(WAIT_S):
            return heard
        raise _Refused("nobody came back from Etsy within 5 minutes: begin again")
    typer.echo(f"It leads to {redirect_uri}, which may show an error: that doesn't matter.")
    return str(typer.prompt("Paste the whole address of that page here"))
