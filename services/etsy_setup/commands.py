"""`presswork etsy`: connect a shop, choose what its listings take from it, see what a batch costs, publish drafts."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.ops.place import AWAY, HERE, NOTHING, DataDir, confirmed, end, environment_file, of_kind, our_tables

if TYPE_CHECKING:
    from services.ingest.catalog.users import User
    from services.publisher.etsy.activating import Published
    from services.publisher.etsy.shop import EtsyTarget
    from services.publisher.settings import Settings
    from services.publisher.store import Ledger

app = typer.Typer(help="The connection of an account to its Etsy shop.", no_args_is_help=True)

Email = Annotated[str | None, typer.Option("--email", help="e-mail of the account; not needed where there is only one")]
WAIT_S = 300.0


@dataclass(frozen=True)
class Etsy:
    """What the commands work on: what the publisher would list with."""

    settings: "Settings"
    target: "EtsyTarget"
    ledger: "Ledger"

    def account(self, email: str | None) -> "User":
        """The account with this e-mail; without one the only account there is."""
        from services.etsy_setup.accounts import account

        return account(self.ledger.engine, email)


@app.command()
def connect(
    email: Email = None,
    paste: Annotated[bool, typer.Option("--paste", help="paste the address back instead of waiting for it")] = False,
    data: DataDir = HERE,
) -> None:
    """Connect an account to its Etsy shop, through Etsy's consent page."""
    from services.publisher.etsy import connecting, oauth

    with _etsy(data) as etsy:
        user = etsy.account(email)
        url, attempt = connecting.begun(etsy.target, user.id)
        back = _way_back(etsy.settings.etsy_redirect_uri, url, paste=paste)
        found = connecting.finished(etsy.target, user.id, oauth.code_of(back, attempt))
        typer.echo(f"{user.email} is connected to the Etsy shop {found.shop_name} ({found.shop_id}).")
        typer.echo("Next: presswork etsy setup")


@app.command()
def status(email: Email = None, data: DataDir = HERE) -> None:
    """Say whether the shop is connected, what was chosen, and what is left of the day's calls."""
    from services.etsy_setup.accounts import overruling
    from services.etsy_setup.showing import connection_in_words

    with _etsy(data) as etsy:
        user = etsy.account(email)
        found = etsy.target.connections.find(user.id)
        typer.echo(connection_in_words(found, etsy.target.limiter.quota(), overruling(etsy.ledger.engine, user)))
        if etsy.settings.publisher_target != "etsy":
            typer.echo(f"Nothing goes there now: PUBLISHER_TARGET is {etsy.settings.publisher_target}.")
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
    skus: Annotated[bool | None, typer.Option(help="give each listing a SKU, like UV 100, by one call more")] = None,
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
    with _etsy(data) as etsy:
        typer.echo(_chosen(etsy, etsy.account(email), changes, template, skus, find))


@app.command()
def plan(
    designs: Annotated[int, typer.Option(min=1, help="how many designs")],
    pictures: Annotated[int, typer.Option(min=0, max=20, help="pictures of each")] = 5,
    digital: Annotated[bool, typer.Option("--digital", help="each with a file to download")] = False,
    email: Email = None,
    data: DataDir = HERE,
) -> None:
    """Say what a batch will cost in calls, time and money. Nothing is called."""
    from services.etsy_setup.accounts import NoAccount
    from services.etsy_setup.front import planned

    with _etsy(data) as etsy:
        try:
            user = etsy.account(email)
        except NoAccount:  # nobody, or several: it is counted for no shop in particular
            if email:
                raise
            user = None
        typer.echo(planned(etsy.target, user, designs, pictures, digital=digital).words)


@app.command()
def activate(
    cap: Annotated[float, typer.Option(min=0, help="most that it may cost, in USD")],
    most: Annotated[int | None, typer.Option(min=1, help="at most so many, the oldest first")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="agree to the total without being asked")] = False,
    email: Email = None,
    data: DataDir = HERE,
) -> None:
    """Publish finished drafts. Etsy charges 0.20 USD for each at once, and gives nothing back."""
    from services.etsy_setup.accounts import in_use, left_out, why_not
    from services.publisher.etsy import activating

    with _etsy(data) as etsy:
        user = etsy.account(email)
        engine = etsy.ledger.engine
        there = activating.drafts(etsy.ledger, etsy.target.of(user.id), user.id)
        found = in_use(engine, user, there)
        drafts = found[:most]
        typer.echo(f"{activating.total(len(drafts))}, cap {cap:.2f} USD{left_out(len(there) - len(found))}")
        if not drafts:
            raise typer.Exit(NOTHING)
        ended = activating.activate(
            etsy.ledger, etsy.target, user.id, drafts, cap_usd=cap, why_not=partial(why_not, engine, user)
        )
        if not yes:
            confirmed("Publish them?", "Nothing was published.")
        if _publish(etsy, user, ended):
            raise typer.Exit(1)


@app.command()
def refresh(data: DataDir = HERE) -> None:
    """Keep every connection alive that was idle for a month: Etsy ends them after three. For a daily job."""
    from services.publisher.shop import NotAuthorised

    failed = 0
    with _etsy(data) as etsy:
        for found in etsy.target.connections.all():
            try:
                etsy.target.connections.keep_alive(found.tenant_id)
            except NotAuthorised as error:
                failed += 1
                typer.echo(f"{found.shop_name}: {error}", err=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def disconnect(email: Email = None, data: DataDir = HERE) -> None:
    """Forget the account's shop: its tokens, and what was chosen. What is listed stays, at Etsy and on record."""
    with _etsy(data) as etsy:
        user = etsy.account(email)
        if not etsy.target.connections.forget(user.id):
            raise _Refused("no Etsy shop is connected")
        typer.echo("The connection is forgotten. At Etsy: Account settings, Apps, revoke access.")


def _publish(etsy: Etsy, user: "User", ended: "Iterator[Published]") -> int:
    """Print how each ends as it ends; how many were not published."""
    from services.etsy_setup.accounts import gone

    problems = 0
    for each in ended:
        gone(etsy.ledger.engine, user, [each.draft.listing_id] if each.gone else [])
        problems += each.problem is not None
        published = "published before, at no fee now:" if each.before else "published"
        typer.echo(f"{each.draft.listing_id} {each.problem or published} {each.draft.url or ''}".rstrip())
    return problems


def _chosen(
    etsy: Etsy, user: "User", changes: "Mapping[str, object]", template: str | None, skus: bool | None, find: str
) -> str:
    """Keep these changes, if each is one of the shop's; what there is to choose, with marks at what is chosen."""
    from services.etsy_setup.accounts import overruling
    from services.etsy_setup.accounts import template as template_named
    from services.etsy_setup.showing import choosable
    from services.publisher.etsy.choosing import Choices, Chosen, refusals
    from services.publisher.etsy.options import offered

    connections = etsy.target.connections
    found = connections.working(user.id)
    client = etsy.target.client(user.id, urgent=True, shop_id=found.shop_id)
    options = offered(client, connections, user.id, found.shop_id)
    template_id = template_named(etsy.ledger.engine, user, template) if template else None

    def change(now: Choices) -> Choices:
        before = now.templates.get(template_id, Chosen()) if template_id else now
        chosen = Chosen.model_validate({**before.model_dump(include=set(Chosen.model_fields)), **changes})
        if wrong := refusals(chosen, options):
            raise _Refused("; ".join(wrong))
        return now.changed(template_id, chosen).model_copy(update={"skus": now.skus if skus is None else skus})

    choices = connections.choose(user.id, found.shop_id, change)
    own = overruling(etsy.ledger.engine, user)
    return choosable(choices.of(template_id) if template_id else choices, options, find, own)


class _Refused(Exception):  # noqa: N818
    """The command ends with these words."""


@contextlib.contextmanager
def _etsy(data: Path) -> "Iterator[Etsy]":
    """Everything that a command needs; what stands in its way ends it in words."""
    from services.etsy_setup.accounts import NoAccount
    from services.publisher.etsy.activating import TooDear
    from services.publisher.etsy.sealing import BadKey
    from services.publisher.etsy.wiring import NotConfigured
    from services.publisher.etsy.wiring import etsy as target_of
    from services.publisher.service import ledger_of
    from services.publisher.settings import Settings
    from services.publisher.shop import NotAuthorised, Replaced
    from shared.errors import Permanent, Retryable

    try:
        settings = of_kind(Settings, data)
        ledger = ledger_of(settings)
        target = target_of(settings, ledger)
        with our_tables(), target.http:
            yield Etsy(settings, target, ledger)
    except NotConfigured as error:
        left = environment_file(data)
        where = f" ({left} is not there: name the folder of a running `presswork up` with --data)"
        typer.echo(f"{error}{'' if left.exists() else where}.", err=True)
        if settings.publisher_target != "etsy":
            typer.echo(f"Nothing goes to Etsy now: PUBLISHER_TARGET is {settings.publisher_target}.", err=True)
        raise typer.Exit(1) from error
    except (BadKey, NoAccount, NotAuthorised, Permanent, Replaced, TooDear, _Refused) as error:
        end(f"{error}.", 1)
    except Retryable as error:
        end(f"{error}. Say it again when that is over.", AWAY)


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
        raise _Refused(f"nobody came back from Etsy within {WAIT_S / 60:.0f} minutes: begin again")
    typer.echo(f"It leads to {redirect_uri}, which may show an error: that doesn't matter.")
    return str(typer.prompt("Paste the whole address of that page here"))
