"""What the stand-in's shop has, held against what the publisher has on record and what was asked for."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.etsy_fake.faults import Fault
from tests.chaos.findings import Finding, Kind

WRITES, READS = ("createDraftListing", "uploadListingImage", "updateListing"), ("getListingImages", "getListingsByShop")
BEFORE = ("error-before", "stall-before", "cut-before", "reset", "html", "too-many", "unauthorised")
AFTER = ("error-after", "stall-after", "cut-after")
ANYWHERE = (*BEFORE, *AFTER)
OF_ONE_CALL = {"bad-order": "uploadListingImage", "repeat-rows": "getListingsByShop", "lag": "createDraftListing"}


OFTEN = 10**9


@dataclass(frozen=True)
class Asked:
    """A listing as it should be at the shop. `key` is its row's in the ledger."""

    key: str
    title: str
    price: float
    quantity: int
    pictures: tuple[str, ...]


def every_fault(seed: int, rate: float, *, stall_s: float, lag_s: float, pause_s: float) -> Iterator[Fault]:
    """All that the stand-in can do but `quota`: each once for certain, and at its own chance on every call for as long
    as the stand-in lives. A refresh of tokens fails as well, but never after it was done: that ends a connection.
    """
    chance = random.Random(seed)
    seconds = {"lag": lag_s, "too-many": pause_s}

    def fault(operation: str, kind: Any, rate: float, **once: int) -> Fault:
        how = {"times": OFTEN, "rate": rate, "seed": chance.randrange(10**6), "seconds": seconds.get(kind, stall_s)}
        return Fault(operation=operation, kind=kind, **(how | once))

    for kind in ANYWHERE:
        yield fault(chance.choice(WRITES), kind, 1, times=1, skip=chance.randrange(5))
    for kind, operation in OF_ONE_CALL.items():
        yield fault(operation, kind, 1, times=1)
        yield fault(operation, kind, min(1, 5 * rate))
    for operation in (*WRITES, *READS):
        for kind in ANYWHERE:
            yield fault(operation, kind, rate)
    for kind in ("error-before", "cut-before", "reset", "html"):
        yield fault("refreshToken", kind, min(1, 2 * rate))


def differences(
    shop: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], asked: Iterable[Asked]
) -> Iterator[Finding]:
    """`shop` are the listings of `/_fake/state`, `rows` those of the ledger."""
    there = {str(listing["listing_id"]): listing for listing in shop}
    mine = {row["publish_key"]: row for row in rows}
    wanted = list(asked)
    for each in wanted:
        row = mine.get(each.key)
        if row is None or row["status"] != "published":
            yield Finding("lost", f"{each.title} is {row['status'] if row else 'nowhere'} in the ledger")
        elif row["listing_id"] not in there:
            yield Finding("lost", f"{each.title} should be {row['listing_id']}, and the shop has no such listing")
        else:
            yield from _of_one(each, there[row["listing_id"]])
    for key in mine.keys() - {each.key for each in wanted}:
        yield Finding("wrong", f"the ledger has a listing that nobody asked for: {key}")


def strangers(shop: Sequence[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Listings that nobody has on record; and those that stand for several. `rows` are all of the ledger."""
    on_record = Counter(row["listing_id"] for row in rows if row["listing_id"])
    for listing in shop:
        if str(listing["listing_id"]) not in on_record:
            yield Finding("doubled", f"{listing['title']} ({listing['listing_id']}) is on nobody's record")
    for listing_id, count in on_record.items():
        if count > 1:
            yield Finding("lost", f"{listing_id} stands for {count} listings")


def _of_one(asked: Asked, listing: Mapping[str, Any]) -> Iterator[Finding]:
    fields = listing["fields"]
    facts = (listing["title"], fields["price"], fields["quantity"])
    if facts != (asked.title, asked.price, asked.quantity):
        yield Finding("wrong", f"{asked.title} is {facts} at the shop")
    pictures = tuple(each["sha256"] for each in listing["pictures"])
    if pictures != asked.pictures:
        kind: Kind = "wrong" if sorted(pictures) == sorted(asked.pictures) else "lost"
        yield Finding(kind, f"{asked.title} ({listing['listing_id']}) shows {pictures}, not {asked.pictures}")
