"""Etsy as a shop of the publisher: drafts, their pictures in order, their files, and what became of a lost create."""

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from services.publisher import encoding, limits
from services.publisher.etsy import calls
from services.publisher.etsy.answers import ListingAnswer
from services.publisher.etsy.choosing import account_of, resolved
from services.publisher.etsy.client import Access, Client, File, Refusal
from services.publisher.etsy.connections import Connected, Connections
from services.publisher.etsy.limiter import Limiter
from services.publisher.etsy.oauth import App
from services.publisher.limits import Problem
from services.publisher.listing import Capabilities, ListingDraft, Words, sku
from services.publisher.shop import Ambiguous, Asset, Intent, ListingGone, PicturesLost, Refused, RemoteRef
from shared.errors import Retryable

PAGE = 100
HALF_A_CENT = 0.005
CLOCKS_DIFFER = timedelta(minutes=2)  # Etsy's and the database's, beyond what its answers tell of that
SET_BACK = timedelta(days=1)  # how old at most ours is taken to be, if the database's clock was wrong when it was made

Known = Callable[[str, Sequence[str]], set[str]]
"""Which of these listings the ledger has on record as somebody's, under this name of a shop."""


@dataclass(frozen=True)
class EtsyTarget:
    """Etsy, for all tenants: one app, one rate."""

    http: httpx.Client
    app: App
    limiter: Limiter
    connections: Connections
    known: Known
    create_takes_s: float = limits.ETSY.create_takes_s
    settles_after_s: float = limits.ETSY.settles_after_s

    def check(self) -> tuple[Problem, ...]:
        """The keys; whether shops are connected is each tenant's own affair."""
        return ()

    def of(self, tenant_id: UUID) -> "EtsyShop":
        """The tenant's shop."""
        connected = self.connections.working(tenant_id)
        capabilities = replace(limits.ETSY, create_takes_s=self.create_takes_s, settles_after_s=self.settles_after_s)
        client = self.client(tenant_id, shop_id=connected.shop_id)
        return EtsyShop(connected, client, self.known, capabilities)

    def client(self, tenant_id: UUID, *, urgent: bool = False, shop_id: int | None = None) -> Client:
        """Calls in this tenant's name; with a `shop_id` only while that shop is the connected one."""
        access: Access = lambda refused: self.connections.access(tenant_id, refused, shop_id)  # noqa: E731
        refused: Refusal = lambda token, why: self.connections.refuse(tenant_id, token, why)  # noqa: E731
        return Client(self.http, self.app, self.limiter, access, refused, urgent)


@dataclass(frozen=True)
class EtsyShop:
    """One tenant's shop at Etsy."""

    connected: Connected
    client: Client
    known: Known
    capabilities: Capabilities

    @property
    def name(self) -> str:
        """The shop's own: after another one was connected, everything may be listed in that one."""
        return self.connected.target

    def validate(self, draft: ListingDraft) -> tuple[Problem, ...]:
        """What Etsy would say, and what is still to be chosen in set-up."""
        whole, problems = resolved(draft, self.connected.choices, self.connected.options)
        told = {problem.field for problem in problems}
        return (*problems, *(problem for problem in limits.validate(whole) if problem.field not in told))

    def find(self, intent: Intent) -> RemoteRef | Ambiguous | None:
        """The draft that says what ours was made with, is not older than our first try, nor on record as another's.

        Drafts of one design that are all in doubt have nothing but the same words yet: any of them will do.
        """
        try:
            drafts = list(self._drafts())
        except Refused as refusal:
            raise Retryable(f"the shop's drafts can't be read: {refusal}") from refusal
        since = self._made_since(intent)
        fits = {each.listing_id: each for each in drafts if _fits(each, intent.words, since)}
        taken = self.known(self.name, [str(number) for number in fits])
        found = [each for number, each in sorted(fits.items()) if str(number) not in taken]
        if len(found) > intent.alike:
            return Ambiguous(tuple(each.url or str(each.listing_id) for each in found))
        return _ref(found[0]) if found else None

    def create(self, intent: Intent) -> RemoteRef:
        """A draft: it costs nothing, and no buyer sees it."""
        draft, _ = resolved(intent.draft, self.connected.choices, self.connected.options)
        fields = encoding.draft_fields(
            draft, account_of(self.connected.shop_id, self.connected.choices.of(draft.template_id))
        )
        return _ref(self.client.call(calls.CREATE, self._shop, fields=fields))

    def put_picture(self, ref: RemoteRef, rank: int, asset: Asset) -> str:
        """Put it at its rank. What a lost answer left there moves on, and `finish` drops it.

        `overwrite` would hit another picture if somebody has removed one, so it is only for a listing that is full.
        """
        file, fields = File(asset.name, asset.data, "image/jpeg"), [("rank", str(rank))]
        try:
            put = self.client.call(calls.PICTURE, self._path(ref), fields=fields, file=file)
        except ListingGone:
            raise
        except Refused:
            if len(self._pictures(ref)) < self.capabilities.max_pictures:
                raise
            fields.append(("overwrite", "true"))
            put = self.client.call(calls.PICTURE, self._path(ref), fields=fields, file=file)
        return str(put.listing_image_id)

    def put_download(self, ref: RemoteRef, asset: Asset) -> str:
        """Once: a file of this name and size that is there already is ours."""
        there = self.client.call(calls.FILES, self._path(ref))
        for each in there.results:
            if (each.filename, each.size_bytes) == (asset.name, len(asset.data)):
                return str(each.listing_file_id)
        file = File(asset.name, asset.data, "application/octet-stream")
        put = self.client.call(calls.FILE, self._path(ref), fields=[("name", asset.name)], file=file)
        return str(put.listing_file_id)

    def finish(self, ref: RemoteRef, pictures: Sequence[str], draft: ListingDraft) -> RemoteRef:
        """Force the pictures and their order, then read them back: answers to uploads say nothing about order."""
        if self.connected.choices.skus:
            self._set_sku(ref, draft)
        if not pictures:
            return ref
        fields = [("image_ids", ",".join(pictures))]
        try:
            listing = self.client.call(calls.UPDATE, self._path(ref), fields=fields)
        except ListingGone:
            raise
        except Refused:
            if gone := [each for each in pictures if each not in self._pictures(ref)]:
                raise PicturesLost(gone) from None
            raise
        if self._pictures(ref) != list(pictures):
            raise Retryable(f"Etsy shows the pictures of {ref.listing_id} in another order yet; they are ordered again")
        return replace(_ref(listing), notes=tuple(_differences(listing, draft)))

    def state(self, ref: RemoteRef) -> RemoteRef:
        """As it now is."""
        return _ref(self.client.call(calls.ONE, {"listing_id": int(ref.listing_id)}))

    def activate(self, ref: RemoteRef) -> RemoteRef:
        """Publish a draft, which costs Etsy's fee; one that is published stays so, at no cost."""
        fields = [("state", "active")]
        return _ref(self.client.call(calls.UPDATE, self._path(ref), fields=fields))

    def _set_sku(self, ref: RemoteRef, draft: ListingDraft) -> None:
        chosen = self.connected.choices.of(draft.template_id)
        readiness = chosen.readiness_state_id if draft.type == "physical" else None  # it must be there all the same
        offering = {
            "price": draft.price,
            "quantity": draft.quantity,
            "is_enabled": True,
            "readiness_state_id": readiness,
        }
        product = {"sku": sku(draft.design_name), "property_values": [], "offerings": [offering]}
        path = {"listing_id": int(ref.listing_id)}
        self.client.call(calls.INVENTORY, path, json={"products": [product]})

    def _pictures(self, ref: RemoteRef) -> list[str]:
        there = self.client.call(calls.PICTURES, {"listing_id": int(ref.listing_id)})
        return [str(each.listing_image_id) for each in sorted(there.results, key=lambda each: each.rank)]

    def _drafts(self) -> Iterator[ListingAnswer]:
        """All drafts of the shop; pages may repeat rows of others.

        When one is deleted or published meanwhile, those behind it move up, and one of them is on no page.
        """
        count = 0
        for offset in range(0, 1_000_000, PAGE):
            query = [("state", "draft"), ("limit", str(PAGE)), ("offset", str(offset))]
            page = self.client.call(calls.OF_SHOP, self._shop, query=query)
            if page.count < count:
                raise Retryable("the shop has fewer drafts than when their first page was read: they are read again")
            count = page.count
            yield from page.results
            if offset + PAGE >= page.count or not page.results:
                return

    def _made_since(self, intent: Intent) -> datetime:
        """No draft that is older, by Etsy's clock, can be of this intent.

        The intent has its time from the database's clock. That may be ahead, or was set back since.
        """
        told, ahead = self.client.limiter.told, self.client.limiter.ahead
        since = intent.since - max(ahead, timedelta(0)) - CLOCKS_DIFFER
        return since if told is None or since <= told else told - SET_BACK

    @property
    def _shop(self) -> dict[str, int]:
        return {"shop_id": self.connected.shop_id}

    def _path(self, ref: RemoteRef) -> dict[str, int]:
        return {"shop_id": self.connected.shop_id, "listing_id": int(ref.listing_id)}


def _fits(listing: ListingAnswer, words: Words, since: datetime) -> bool:
    """Whether it could be what a create with these words made."""
    return (
        _plain(listing.title) == _plain(words.title)
        and listing.quantity == words.quantity
        and abs(listing.price.units - words.price) < HALF_A_CENT
        and datetime.fromtimestamp(listing.created_timestamp, UTC) >= since.replace(microsecond=0)
    )


def _differences(listing: ListingAnswer, draft: ListingDraft) -> Iterator[str]:
    """What Etsy shows otherwise than it was asked for."""
    if _plain(listing.title) != _plain(draft.title):
        yield f"Etsy shows the title '{html.unescape(listing.title)}'"
    if abs(listing.price.units - draft.price) >= HALF_A_CENT:
        yield f"Etsy shows the price {listing.price.units:.2f} {listing.price.currency_code}"
    if listing.quantity != draft.quantity:
        yield f"Etsy shows a quantity of {listing.quantity}"


def _plain(title: str) -> str:
    """Etsy's answers have some signs as HTML writes them."""
    return " ".join(html.unescape(title).split())


def _ref(listing: ListingAnswer) -> RemoteRef:
    return RemoteRef(str(listing.listing_id), listing.url, listing.state)
