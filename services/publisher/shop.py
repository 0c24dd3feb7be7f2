"""A place to list products: what the publisher needs of it, and the ways in which it can say no."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.publisher.limits import Problem
from services.publisher.listing import Capabilities, ListingDraft, Words
from shared.errors import Busy, Permanent, Retryable, Unavailable


class Refused(Permanent):
    """The shop will never take this listing or file; the words are for the seller. Nothing was created by the call."""


class ListingGone(Refused):
    """The listing, a draft or not, is at the shop no more: somebody deleted it there."""


class PicturesLost(Retryable):
    """Pictures that were uploaded are not in the draft any more: they are uploaded again."""

    def __init__(self, media_ids: Sequence[str]) -> None:
        super().__init__(f"{len(media_ids)} pictures are gone from the draft: they are uploaded again")
        self.media_ids = tuple(media_ids)


class NotAuthorised(Permanent):
    """The shop's connection was revoked, ran out or lacks a right: somebody must connect it again, then try again."""


class Throttled(Retryable):
    """The shop wants this one call later, and does not say that it is over for good. Nothing was created by it."""


class OutcomeUnknown(Retryable):
    """The call may have worked although no good answer came: a create is looked up before it is repeated."""


class QuotaSpent(Unavailable):
    """There is no turn for this call within seconds: the day's calls are used up, say. Everything waits."""


class Unreachable(Unavailable):
    """The shop can't be reached, or does not work. Nothing was created by the call. Everything waits."""


class Replaced(Busy):
    """Another shop was connected in this one's place, and gets it at the next try. Nothing was done by the call."""


NOTHING_CREATED = (Refused, NotAuthorised, Throttled, QuotaSpent, Unreachable, Replaced)
"""After these, `create` may simply be called again."""


@dataclass(frozen=True)
class Intent:
    """A listing that the ledger has on record as about to be created. Only the ledger makes one.

    `words` are those that its create was called with, whatever the draft says now. `alike` listings of its design,
    itself among them, were called to be created without an end on record: with other pictures, but the same words.
    """

    key: str
    draft: ListingDraft
    since: datetime
    words: Words
    alike: int = 1


@dataclass(frozen=True)
class RemoteRef:
    """A listing as the shop names it."""

    listing_id: str
    url: str | None = None
    state: str = "draft"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ambiguous:
    """Several listings could be the one looked for: `where` says which, for the person who must choose."""

    where: tuple[str, ...]


@dataclass(frozen=True)
class Asset:
    """A file to upload."""

    name: str
    data: bytes


class Shop(Protocol):
    """One shop of a tenant. Called by one writer at a time; every error is one of this module's.

    Only `create` is not repeatable; the others may be repeated and then have the same effect once. Listings are on
    record under `name`: the target, and after a colon the shop there, if another one can come in its place.
    """

    @property
    def name(self) -> str:
        """The name under which the ledger has this shop's listings."""

    @property
    def capabilities(self) -> Capabilities:
        """What the shop takes of a draft."""

    def validate(self, draft: ListingDraft) -> tuple[Problem, ...]:
        """What the shop would say about this draft, without asking it."""

    def find(self, intent: Intent) -> RemoteRef | Ambiguous | None:
        """The listing that an earlier `create` with this intent may have made. Never raises `Refused`."""

    def create(self, intent: Intent) -> RemoteRef:
        """Make the draft, without its files."""

    def put_picture(self, ref: RemoteRef, rank: int, asset: Asset) -> str:
        """Put a picture at this rank in place of what is there; return the shop's id of it."""

    def put_download(self, ref: RemoteRef, asset: Asset) -> str:
        """Attach the file that buyers of a digital listing get; return the shop's id of it."""

    def finish(self, ref: RemoteRef, pictures: Sequence[str], draft: ListingDraft) -> RemoteRef:
        """See that the listing has exactly these pictures, in this order; return it as it now is.

        What the shop then shows otherwise than in the draft is in the notes.
        """


class Target(Protocol):
    """Where the listings of all tenants go."""

    def check(self) -> tuple[Problem, ...]:
        """What would keep any listing from working: keys, an address, a folder that can't be written."""

    def of(self, tenant_id: UUID) -> Shop:
        """The tenant's own shop.

        Raises:
            NotAuthorised: none is connected.
        """
