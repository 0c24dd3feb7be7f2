"""What ingest's tables have of an account: who it is, its templates, and which of its designs were deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User, Users
from services.ingest.sessions.intake import listing_requests
from services.plurals import counted
from services.publisher.etsy.activating import Draft
from shared.database import transaction

TEMPLATES_OWN = ("taxonomy_id", "shop_section_id", "return_policy_id")
"""Of one template each; its production partners it names itself, too, as they are of its product."""

OF_DELETED = "its design was deleted, so it stays a draft, which only you can delete at Etsy"


@dataclass(frozen=True)
class Overruling:
    """A template that says itself what is chosen for all listings."""

    template: str
    kind: str
    value: int


class NoAccount(Exception):  # noqa: N818
    """None, or not a single one; the text says what to do."""


def account(engine: Engine, email: str | None) -> User:
    """The account with this e-mail, a closed one too, whose shop may be to be let go; without one the only open one."""
    with transaction(engine) as connection:
        known = Users(connection)
        found = [known.of_email(email)] if email else [user for user in known.everybody() if user.is_active]
    if len(found) > 1:
        raise NoAccount("there are several accounts: say which with --email")
    if found and found[0]:
        return found[0]
    raise NoAccount(f"no account has the e-mail {email}" if email else "no account may log in: register one first")


def overruling(engine: Engine, user: User) -> list[Overruling]:
    """What templates of the account say themselves of what set-up chooses; theirs goes first."""
    with transaction(engine) as connection:
        templates = Templates(connection, user.id).all()
    return [
        Overruling(each.name, kind, value)
        for each in templates
        for kind in TEMPLATES_OWN
        if (value := getattr(each, kind)) is not None
    ]


def gone(engine: Engine, user: User, listing_ids: Sequence[str]) -> None:
    """Tell the uploads of the account that these listings are not at Etsy any more."""
    if listing_ids:
        with transaction(engine) as connection:
            listing_requests.gone(connection, user.id, listing_ids)


def in_use(engine: Engine, user: User, drafts: Sequence[Draft]) -> list[Draft]:
    """Those of these drafts that are not of deleted designs."""
    made_of = {each.listing_id: each.item_id for each in drafts}
    with transaction(engine) as connection:
        deleted = listing_requests.of_deleted(connection, user.id, made_of)
    return [each for each in drafts if each.listing_id not in deleted]


def why_not(engine: Engine, user: User, draft: Draft) -> str | None:
    """Why this draft is not to be published, if it is not."""
    return None if in_use(engine, user, [draft]) else OF_DELETED


def left_out(number: int) -> str:
    """The end of what is told of a total: how many drafts it leaves out, if any."""
    return f"; of deleted designs, and left out: {counted(number, 'draft')}" if number else ""


def template(engine: Engine, user: User, name: str) -> UUID:
    """The account's product template with this name."""
    with transaction(engine) as connection:
        there = {each.name: each.id for each in Templates(connection, user.id).all()}
    if name not in there:
        raise NoAccount(f"no template is called {name!r}; there are: {', '.join(there) or 'none'}")
    return there[name]
