"""Trying again what failed in an upload: one way for its seller, by the API, and for an operator, by the command."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from services.ingest.catalog.choices import listing_choice
from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.sessions.actions.reopening import Group, Reopened
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.duplicate_originals import beside_originals
from services.ingest.sessions.lifecycle.records import Session, Wanted
from services.ingest.sessions.serving.outcome_text import retold
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import listings
from services.ingest.tables import users
from shared.database import transaction


@dataclass(frozen=True)
class Retried:
    """What is tried again, and that in words."""

    opened: Reopened
    words: str


def retry(
    store: Sessions, prints: Prints, session: Session, who: str, asked: Sequence[Mapping[str, Any]] = ()
) -> Retried:
    """Try again everything in a session that failed, or what did of the items that are `asked` for.

    Listings ask for template and mockup as they are now, where the cause may have been mended; and their prints are
    brought back where they are lacking or damaged.

    Raises:
        Unavailable: database, blob store or NAS are away. Nothing is tried again.
    """
    ids = [item["id"] for item in asked] or None
    failed = [row for row in _failed_listings(store, session.id) if ids is None or row.item_id in ids]
    requests, unready = _as_they_are_now(store, session.user_id, {(row.template_id, row.mockup_id) for row in failed})
    prints.bring_back(session.user_id, [row.item_id for row in failed], damaged=True)
    opened = store.retry(session, who, ids, requests)
    one = _single(store, asked)
    words = retold([row.filename for row in opened.files], len(opened.listings), one)
    return Retried(opened, " ".join([words, *unready]) if opened.listings else words)


def _single(store: Sessions, asked: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The file that was asked about, if it is only one: if nothing of it is tried again, its seller is told why."""
    if len(asked) != 1:
        return None
    with transaction(store.engine) as connection:
        return beside_originals(connection, asked)[0]


def _failed_listings(store: Sessions, session_id: UUID) -> Sequence[Row[Any]]:
    """Of which item each is, with which template and mockup group."""
    failed: Select[Any] = select(listings.c.item_id, listings.c.template_id, listings.c.mockup_id)
    with transaction(store.engine) as connection:
        these = failed.where(listings.c.session_id == session_id, listings.c.state == "failed")
        return connection.execute(these).all()


def _as_they_are_now(
    store: Sessions, user_id: UUID, groups: Collection[Group]
) -> tuple[dict[Group, dict[str, Any]], list[str]]:
    owner = select(users.c.shop_folder).where(users.c.id == user_id)
    requests: dict[Group, dict[str, Any]] = {}
    unready: list[str] = []
    for template_id, mockup_id in sorted(groups):
        try:
            with transaction(store.engine) as connection:
                template, backgrounds = listing_choice(connection, user_id, template_id, mockup_id)
                folder = connection.execute(owner).scalar_one()
        except (Missing, Unusable) as error:
            unready.append(f"They are listed with what was chosen then: {error}")
        else:
            wanted = Wanted(folder, template, mockup_id, backgrounds)
            requests[template_id, mockup_id] = wanted.request
    return requests, unready
