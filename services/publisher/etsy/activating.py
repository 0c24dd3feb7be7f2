"""Publishing drafts, which costs a fee for each: only with a total that somebody has seen, and under a cap."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, cast, select, update
from sqlalchemy.dialects.postgresql import JSONB

from services.plurals import counted
from services.publisher.etsy.shop import EtsyShop, EtsyTarget
from services.publisher.limits import LISTING_FEE_USD
from services.publisher.shop import ListingGone, Refused, RemoteRef
from services.publisher.store import Ledger, listings
from shared.database import transaction


class TooDear(Exception):  # noqa: N818
    """More than was agreed to. Nothing was published."""


@dataclass(frozen=True)
class Draft:
    """A finished draft on record."""

    target: str
    key: str
    shop: str
    item_id: UUID
    listing_id: str
    url: str | None


@dataclass(frozen=True)
class Published:
    """How one draft's publishing ended; `problem` is why it was not published. `gone`: it is not at Etsy any more.

    `before`: it was published already when its turn came (by hand, or from another window), so it cost nothing here.
    """

    draft: Draft
    problem: str | None = None
    gone: bool = False
    before: bool = False


def drafts(ledger: Ledger, shop: EtsyShop, tenant_id: UUID, items: Sequence[UUID] | None = None) -> list[Draft]:
    """The shop's finished drafts, oldest first; of these uploaded files only, if they are named."""
    state = listings.c.answer["state"].astext
    mine = [
        listings.c.target == shop.name,
        listings.c.tenant_id == tenant_id,
        listings.c.status == "published",
        state == "draft",
    ]
    if items is not None:
        mine.append(listings.c.item_id.in_(items))
    return _on_record(ledger, mine)


def published_before(ledger: Ledger, shop: EtsyShop, tenant_id: UUID, listing_ids: Sequence[str]) -> list[Draft]:
    """Those of these listings that were published before, as far as is on record."""
    state = listings.c.answer["state"].astext
    mine = (listings.c.target == shop.name, listings.c.tenant_id == tenant_id, listings.c.status == "published")
    return _on_record(ledger, [*mine, state != "draft", listings.c.listing_id.in_(listing_ids)])


def _on_record(ledger: Ledger, which: Sequence[ColumnElement[bool]]) -> list[Draft]:
    with transaction(ledger.engine) as connection:
        rows = connection.execute(select(listings).where(*which).order_by(listings.c.created_at)).all()
    return [Draft(row.target, row.publish_key, row.shop, row.item_id, row.listing_id, row.url) for row in rows]


def total_usd(count: int) -> float:
    """What publishing so many costs."""
    return round(count * LISTING_FEE_USD, 2)


def total(count: int) -> str:
    """In words."""
    return f"{counted(count, 'listing')} = {total_usd(count):.2f} USD"


def activate(
    ledger: Ledger,
    target: EtsyTarget,
    tenant_id: UUID,
    wanted: Sequence[Draft],
    *,
    cap_usd: float,
    why_not: Callable[[Draft], str | None],
) -> Iterator[Published]:
    """Publish these drafts one after the other, each written down before the next.

    `why_not` is asked when a draft's turn has come: its design may have been deleted since the total was agreed to.

    Raises:
        TooDear: they cost more than `cap_usd`; before anything was published.
    """
    if total_usd(len(wanted)) > cap_usd:
        raise TooDear(f"{total(len(wanted))} is more than the cap of {cap_usd:.2f} USD: nothing was published")
    return _activated(ledger, target, tenant_id, wanted, why_not)


def _activated(
    ledger: Ledger,
    target: EtsyTarget,
    tenant_id: UUID,
    wanted: Sequence[Draft],
    why_not: Callable[[Draft], str | None],
) -> Iterator[Published]:
    shop = target.of(tenant_id)
    for draft in wanted:
        if draft.target != shop.name:  # Etsy may say of another shop's draft that there is none
            words = f"another shop was connected meanwhile ({shop.connected.shop_name}): it stays a draft"
            yield Published(draft, words)
            continue
        with ledger.writing(shop.name, draft.shop, draft.key) as journal:
            why = why_not(draft)
            ended = Published(draft, why) if why else _one(ledger, shop, draft)
            if ended.gone:
                journal.listing_gone(draft.listing_id)
        yield ended


def _one(ledger: Ledger, shop: EtsyShop, draft: Draft) -> Published:
    try:
        return Published(draft, before=not _publish(ledger, shop, draft))
    except ListingGone as gone:
        return Published(draft, str(gone), gone=True)
    except Refused as refusal:
        return Published(draft, str(refusal))


def deleted(ledger: Ledger, target: EtsyTarget, tenant_id: UUID, listing_ids: Sequence[str]) -> list[str]:
    """Which of these listings are not at Etsy any more: the ledger forgets them. A call for each.

    So are those that it has forgotten already: whoever asked then was not told. Another shop's are not asked about.
    """
    shop = target.of(tenant_id)
    on_record = _on_record(ledger, [listings.c.tenant_id == tenant_id, listings.c.listing_id.in_(listing_ids)])
    found = [number for number in listing_ids if number not in {one.listing_id for one in on_record}]
    for one in on_record:
        if one.target != shop.name:
            continue
        with ledger.writing(shop.name, one.shop, one.key) as journal:
            try:
                shop.state(RemoteRef(one.listing_id))
            except ListingGone:
                journal.listing_gone(one.listing_id)
                found.append(one.listing_id)
    return found


def _publish(ledger: Ledger, shop: EtsyShop, draft: Draft) -> bool:
    """Whether it was a draft until now, so that Etsy has charged its fee for this."""
    ref = shop.state(RemoteRef(draft.listing_id))
    was_draft = ref.state == "draft"
    if was_draft:  # published by hand meanwhile, it may have sold out: then this would renew it, for a fee
        ref = shop.activate(ref)
    answer = listings.c.answer.op("||")(cast({"state": ref.state}, JSONB))  # what is answered from now on
    row = update(listings).where(listings.c.target == shop.name, listings.c.publish_key == draft.key)
    with transaction(ledger.engine) as connection:
        connection.execute(row.values(answer=answer))
    return was_draft
