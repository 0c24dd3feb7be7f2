"""How listings are asked for: each once per design and mockup group, before or after the design is stored."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, literal, not_, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from services.ingest.many_ids import any_of
from services.ingest.sessions.design_names import called
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.file_transitions import told_of
from services.ingest.sessions.lifecycle.projection import mockups_requested, request_id
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.states import DRY_RUN, LISTABLE, LISTING_IN_WORK, LISTING_RANKS
from services.ingest.sessions.tables import NOW, items, listings, sessions
from services.plurals import counted
from shared.contracts import Background, ListingTemplate

GONE = "the listing is not at Etsy any more, somebody deleted it there: try again, and it is listed anew"
COMPLETE = and_(items.c.print_sha256.is_not(None), items.c.number.is_not(None))
"""A stored design that can be listed. The old system's have no print before that is asked for (`print_files.py`)."""


def ask_listings(connection: Connection, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> list[UUID]:
    """Ask for listings of the user's designs of this product; return the designs that can have one.

    A design that failed to be listed before is tried anew, and so is one that is listed elsewhere; one that is not
    stored yet is listed when it is. A design of another product is left out: its name has a number of that product's
    sequence, by which an order would find the wrong print file.
    """
    template = wanted.template
    listable = (
        select(items)
        .where(items.c.id.in_(design_ids), items.c.user_id == user_id, items.c.is_active, items.c.state.in_(LISTABLE))
        .where(items.c.template_id == template.template_id, or_(items.c.state != "stored", COMPLETE))
        .order_by(items.c.session_id, items.c.index)
        .with_for_update()
    )
    designs = connection.execute(listable).all()
    happened: dict[UUID, list[Happening]] = {}
    owed: list[tuple[Row[Any], Row[Any]]] = []
    for item in designs:
        if asking := _ask(connection, item, wanted):
            listing, changes = asking
            facts = told_of(item, listing_state="requested")
            happening = Happening("listing_requested", changes, item.id, facts)
            happened.setdefault(item.session_id, []).append(happening)
            owed += [(item, listing)] if item.state == "stored" else []
    for session_id, together in happened.items():
        timeline.append_all(connection, session_id, together)
    _owe(connection, owed)
    return [item.id for item in designs]


def elsewhere(wanted: Wanted) -> ColumnElement[bool]:
    """Listings that are not where these are wanted: a dry run wrote them to a folder, or they are in another shop."""
    if wanted.target in (None, DRY_RUN):
        return false()
    shops = and_(listings.c.state == "listed", listings.c.target.contains(":"))
    return or_(in_a_dry_run(wanted), and_(shops, listings.c.target != wanted.target))


def in_a_dry_run(wanted: Wanted) -> ColumnElement[bool]:
    """Listings that a dry run wrote to a folder, which are wanted in a real shop."""
    if wanted.target in (None, DRY_RUN):
        return false()
    return and_(listings.c.state == "listed", listings.c.target == DRY_RUN)


def asked_before(
    connection: Connection,
    user_id: UUID,
    design_ids: Sequence[UUID],
    template_id: UUID,
    mockup_id: UUID,
    target: str | None,
) -> Wanted | None:
    """What the listings of these designs were asked for with, if each of them is under way or done where it goes.

    Asked for once more, they need nothing of the catalog, which may be such by now that no others can be asked for.
    """
    mine = (listings.c.user_id == user_id, listings.c.item_id.in_(design_ids))
    these = (*mine, listings.c.template_id == template_id, listings.c.mockup_id == mockup_id)
    newest = select(listings.c.request).where(*these).order_by(listings.c.requested_at.desc()).limit(1)
    request = connection.execute(newest).scalar_one_or_none()
    if request is None:
        return None
    template = ListingTemplate.model_validate(request["template"])
    backgrounds = tuple(Background.model_validate(background) for background in request["backgrounds"])
    wanted = Wanted(request["shop"], template, mockup_id, backgrounds, target)
    there = (listings.c.state.in_((*LISTING_IN_WORK, "listed")), not_(elsewhere(wanted)))
    found = connection.execute(select(func.count()).where(*these, *there)).scalar_one()
    return wanted if found == len(set(design_ids)) else None


def outdated(connection: Connection, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> int:
    """How many listings of these designs were asked for with what the template or the mockup said before.

    Not those that failed: tried again, they are made of what these say by then.
    """
    of_these = (listings.c.user_id == user_id, listings.c.item_id.in_(design_ids), listings.c.state != "failed")
    before = listings.c.request != literal(wanted.request, JSONB)
    count = select(func.count()).where(*of_these, listings.c.mockup_id == wanted.mockup_id, before)
    return connection.execute(count).scalar_one()


def why_not(connection: Connection, user_id: UUID, design_ids: Sequence[UUID], template: ListingTemplate) -> list[str]:
    """Why `ask_listings` left these designs out: a line for each that is there, and one for all that are not."""
    mine = select(items).where(items.c.id.in_(design_ids), items.c.user_id == user_id, items.c.is_active)
    found = connection.execute(mine.order_by(items.c.session_id, items.c.index)).all()
    lines = [f"{called(item.filename, item.name)}: not listed: {_reason(item, template)}" for item in found]
    if gone := len(set(design_ids)) - len(found):
        lines.append(f"{counted(gone, 'design')} not listed: deleted, or unknown here")
    return lines


def _reason(item: Row[Any], template: ListingTemplate) -> str:
    if item.state not in LISTABLE:
        return str(item.reason or item.state)
    if item.template_id != template.template_id:
        return f"it belongs to another product than '{template.name}'"
    if item.number is None:
        return "it has no number, which the old system gave in its file's name"
    return "its file is not on the NAS where the old system had it"


def at_etsy(connection: Connection, user_id: UUID, item_id: UUID) -> list[str]:
    """The design's listings at Etsy, as far as is on record."""
    listed = (listings.c.user_id == user_id, listings.c.item_id == item_id, listings.c.state == "listed")
    listing_ids = select(listings.c.listing_id).where(*listed, listings.c.target.startswith("etsy"))
    return list(connection.execute(listing_ids).scalars())


def of_deleted(connection: Connection, user_id: UUID, made_of: Mapping[str, UUID]) -> set[str]:
    """Which of these listings at Etsy, each with the design that it was made of, are of deleted designs alone.

    A design with the same print may have got the same listing. The listing is wanted while one of them is in use.
    """
    mine = items.c.user_id == user_id
    deleted = select(items.c.id).where(mine, ~items.c.is_active, any_of(items.c.id, set(made_of.values())))
    unused = set(connection.execute(deleted).scalars())
    if not unused:
        return set()
    theirs = select(listings.c.listing_id).join(items, items.c.id == listings.c.item_id).where(mine, items.c.is_active)
    theirs = theirs.where(listings.c.state == "listed", listings.c.target.startswith("etsy"))
    wanted = set(connection.execute(theirs.where(any_of(listings.c.listing_id, made_of))).scalars())
    return {listing_id for listing_id, design in made_of.items() if design in unused and listing_id not in wanted}


def gone(connection: Connection, user_id: UUID, listing_ids: Sequence[str]) -> None:
    """These are not at Etsy any more: they have failed, and are listed anew when somebody tries them again.

    They fail as their next generation: within the same one, a repeated `ListingPublished` ranks above a failure.
    """
    mine = (listings.c.user_id == user_id, listings.c.listing_id.in_(listing_ids), listings.c.state == "listed")
    of_them = select(listings.c.item_id).where(*mine, listings.c.target.startswith("etsy"))
    of_items = select(items).where(items.c.id.in_(of_them)).order_by(items.c.session_id, items.c.index)
    by_id = {item.id: item for item in connection.execute(of_items.with_for_update())}
    theirs = (*mine, listings.c.item_id.in_(by_id))
    in_order = select(listings.c.item_id).where(*theirs).order_by(listings.c.item_id, listings.c.mockup_id)
    connection.execute(in_order.with_for_update())
    values = {"state": "failed", "stage_rank": LISTING_RANKS["failed"], "reason": GONE, "warnings": []}
    values |= {"listing_id": None, "url": None, "updated_at": NOW, "generation": listings.c.generation + 1}
    changed = connection.execute(update(listings).where(*theirs).values(**values).returning(listings)).all()
    for row in sorted(changed, key=lambda row: (row.session_id, row.item_id, row.mockup_id)):
        item = by_id[row.item_id]
        facts = told_of(item, listing_state="failed", reason=GONE)
        changes = {"listed": -1, "listing_failed": 1}
        timeline.append(connection, item.session_id, "listing_failed", changes, item_id=item.id, facts=facts)


def _ask(connection: Connection, item: Row[Any], wanted: Wanted) -> tuple[Row[Any], dict[str, int]] | None:
    """Ask for one listing; return it, and which counts change. None: it was asked for, and is under way or done."""
    request = wanted.request
    its_listing = (listings.c.item_id == item.id) & (listings.c.mockup_id == wanted.mockup_id)
    values = {"session_id": item.session_id, "user_id": item.user_id, "template_id": wanted.template.template_id}
    new_row = upsert(listings).values(item_id=item.id, mockup_id=wanted.mockup_id, state="requested", request=request)
    listing = connection.execute(new_row.values(**values).on_conflict_do_nothing().returning(listings)).one_or_none()
    if listing:
        return listing, {"requested": 1}
    failed = listings.c.state == "failed"
    ended: list[tuple[dict[str, int], ColumnElement[bool]]] = [
        ({"listing_failed": -1}, failed & ~listings.c.cancelled),
        ({"listing_failed": -1, "listing_cancelled": -1}, failed & listings.c.cancelled),
        ({"listed": -1}, elsewhere(wanted)),
    ]
    afresh = {"state": "requested", "stage_rank": 0, "generation": listings.c.generation + 1, "reason": None}
    afresh |= {"target": None, "listing_id": None, "url": None, "warnings": [], "cancelled": False}
    for changes, has_ended in ended:
        ask_anew = update(listings).where(its_listing, has_ended).values(**afresh, request=request, requested_at=NOW)
        if listing := connection.execute(ask_anew.returning(listings)).one_or_none():
            return listing, changes
    return None


def _owe(connection: Connection, owed: Sequence[tuple[Row[Any], Row[Any]]]) -> None:
    """Owe the work on the listings of items that are stored."""
    of_these = select(sessions.c.id, sessions.c.lane).where(sessions.c.id.in_({item.session_id for item, _ in owed}))
    lanes = {row.id: row.lane for row in connection.execute(of_these)}
    for item, listing in owed:
        owe(connection, lanes[item.session_id], mockups_requested(item, listing), message_id=request_id(listing))
