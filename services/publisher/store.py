"""The ledger: which listing was asked for, how far it came, and what was answered."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.publisher.listing import Capabilities, Words
from services.publisher.lock import locked, step
from services.publisher.shop import RemoteRef
from shared.contracts import MockupsRendered, WorkCancelled
from shared.database import transaction

metadata = MetaData(schema="publisher")

# unknown: a create was called and nobody knows what became of it
STATUSES = ("pending", "unknown", "draft_created", "images_done", "published", "failed")
GONE: dict[str, None] = dict.fromkeys(("listing_id", "url", "intent_at", "tried_at"))
"""Of a listing that the shop has no more nothing is kept: no draft from before it is made anew can be that one."""

listings = Table(
    "listings",
    metadata,
    Column("target", Text, primary_key=True),
    Column("publish_key", Text, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("shop", Text, nullable=False),
    Column("item_id", Uuid, nullable=False),
    Column("mockup_id", Uuid, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("content_hash", Text),  # of what the create was called with
    Column("words", JSONB),  # that it was called with; null: none was, or they were not kept yet
    Column("intent_at", DateTime(timezone=True)),  # the first create; what it made can't be older
    Column("tried_at", DateTime(timezone=True)),  # the last create; when it is unknown, since when
    Column("listing_id", Text),
    Column("url", Text),
    Column("asked", Text),  # which asking was answered
    Column("answer", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(f"status IN {STATUSES}", name="listings_status"),
)

media = Table(
    "listing_media",
    metadata,
    Column("target", Text, primary_key=True),
    Column("publish_key", Text, primary_key=True),
    Column("rank", Integer, primary_key=True),  # pictures from 1; 0 is the download
    Column("media_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    ForeignKeyConstraint(["target", "publish_key"], [listings.c.target, listings.c.publish_key], ondelete="CASCADE"),
)

cancelled = Table(
    "cancelled",
    metadata,
    Column("item_id", Uuid, primary_key=True),
    Column("mockup_id", Uuid, primary_key=True),
    Column("generation", Integer, nullable=False),  # up to this one
    Column("reason", Text, nullable=False),
)


@dataclass(frozen=True)
class Entry:
    """A row of the ledger. `tried_s`: how long ago the last create was called, or came to be in doubt; None: never."""

    status: str
    content_hash: str | None
    words: Words | None
    intent_at: datetime | None
    tried_s: float | None
    ref: RemoteRef | None
    asked: str | None
    answer: dict[str, Any] | None

    @property
    def in_doubt(self) -> bool:
        """A create was called, and what became of it is not on record."""
        return self.ref is None and self.tried_s is not None and self.status in {"pending", "unknown"}

    def settled(self, shop: Capabilities) -> bool:
        """Whether the shop's reads show by now what a create in doubt has made.

        Of one that is `pending` nobody knows how long it went on: its process died, or only lost its lock.
        """
        over_s = (self.tried_s or 0) - (shop.create_takes_s if self.status == "pending" else 0)
        return over_s >= shop.settles_after_s

    @property
    def begun(self) -> bool:
        """The shop has something of it, or may have."""
        return self.ref is not None or self.in_doubt


@dataclass(frozen=True)
class Uploaded:
    """A file that the shop has, by its id there."""

    media_id: str
    sha256: str


class Ledger:
    """The ledgers of all shops.

    Shops are locked on connections of `locks`. Whoever holds one needs another of `engine` meanwhile: from one pool,
    many callers that wait for a shop would have taken them all.
    """

    def __init__(self, engine: Engine, *, locks: Engine | None = None, lock_wait_s: float = 30) -> None:
        self.engine = engine
        self.locks = locks or engine
        self.lock_wait_s = lock_wait_s

    def cancel(self, event: WorkCancelled) -> None:
        """These listings are not to be made any more, unless they are asked for anew."""
        rows = [
            {"item_id": item_id, "mockup_id": mockup_id, "generation": generation, "reason": event.reason}
            for item_id, mockup_id, generation in event.listings
        ]
        if rows:
            new = insert(cancelled).values(rows)
            anew = {"generation": new.excluded.generation, "reason": new.excluded.reason}
            key, later = ["item_id", "mockup_id"], new.excluded.generation >= cancelled.c.generation
            with transaction(self.engine) as connection:  # news of an earlier cancel may come after that of a later one
                connection.execute(new.on_conflict_do_update(index_elements=key, set_=anew, where=later))

    def known(self, target: str, listing_ids: Sequence[str]) -> set[str]:
        """Which of these listings at the shop are on record."""
        mine = select(listings.c.listing_id).where(listings.c.target == target, listings.c.listing_id.in_(listing_ids))
        with transaction(self.engine) as connection:
            return set(connection.execute(mine).scalars())

    @contextlib.contextmanager
    def writing(self, target: str, shop: str, key: str) -> Iterator["Journal"]:
        """The journal of one listing. For the length of the block nobody else writes to its shop.

        The journal is written through the session that holds the lock: who loses the one can't do the other.
        """
        with locked(self.locks, target, shop, self.lock_wait_s) as connection:
            yield Journal(connection, target, shop, key)


class Journal:
    """The ledger of one listing, in the hands of its shop's only writer. Each method is one committed transaction."""

    def __init__(self, connection: Connection, target: str, shop: str, key: str) -> None:
        self.connection = connection
        self.shop = shop
        self.key = key
        self.names = {"target": target, "publish_key": key}
        self.row = (listings.c.target == target) & (listings.c.publish_key == key)
        self.files = (media.c.target == target) & (media.c.publish_key == key)

    def open(self, event: MockupsRendered) -> Entry:
        """What is on record; a new row if nobody asked for this listing before."""
        row = {**self.names, "tenant_id": event.tenant_id, "shop": self.shop}
        row |= {"item_id": event.item_id, "mockup_id": event.mockup_id}
        tried_s = func.extract("epoch", func.now() - listings.c.tried_at).label("tried_s")
        with step(self.connection):
            self.connection.execute(insert(listings).values(row).on_conflict_do_nothing())
            found = self.connection.execute(select(listings, tried_s).where(self.row)).one()
        return Entry(
            status=found.status,
            content_hash=found.content_hash,
            words=Words.model_validate(found.words) if found.words else None,
            intent_at=found.intent_at,
            tried_s=None if found.tried_s is None else float(found.tried_s),
            ref=RemoteRef(found.listing_id, found.url) if found.listing_id else None,
            asked=found.asked,
            answer=found.answer,
        )

    def cancelled(self, event: MockupsRendered) -> str | None:
        """Why this listing is not to be made any more, if it is not."""
        this_listing = (cancelled.c.item_id == event.item_id) & (cancelled.c.mockup_id == event.mockup_id)
        with step(self.connection):
            reason = self.connection.execute(
                select(cancelled.c.reason).where(this_listing, cancelled.c.generation >= event.generation)
            )
            return reason.scalar_one_or_none()

    def intend(self, content_hash: str, words: Words) -> datetime:
        """Put on record that create is about to be called, and with what; return when that was first so."""
        now = func.clock_timestamp()
        change = update(listings).where(self.row)
        change = change.values(status="pending", content_hash=content_hash, tried_at=now, updated_at=now)
        change = change.values(intent_at=func.coalesce(listings.c.intent_at, now), words=words.model_dump())
        with step(self.connection):
            first: datetime = self.connection.execute(change.returning(listings.c.intent_at)).scalar_one()
        return first

    def alike_in_doubt(self) -> int:
        """How many listings of this design, with the same words, have a create without an end on record.

        This one, and those with other mockup groups. A draft at the shop may be any of theirs, and does for this one.
        """
        this_one = listings.alias()
        doubts = (this_one.c.target == self.names["target"]) & (this_one.c.publish_key == self.key)
        doubts &= (listings.c.target == this_one.c.target) & (listings.c.item_id == this_one.c.item_id)
        doubts &= listings.c.words.is_not_distinct_from(this_one.c.words)
        doubts &= listings.c.listing_id.is_(None) & listings.c.tried_at.is_not(None)
        with step(self.connection):
            count = self.connection.execute(
                select(func.count()).where(doubts, listings.c.status.in_(("pending", "unknown")))
            )
            return int(count.scalar_one())

    def withdrawn(self) -> None:
        """The create that was called made nothing, for certain."""
        self._set(tried_at=None)

    def doubted(self) -> None:
        """Nobody knows whether the create that was called made a listing; the shop is given time from now on."""
        self._set(status="unknown", tried_at=func.clock_timestamp())

    def tried_now(self) -> None:
        """The shop is given its time from now on: the clock was set back since the create."""
        self._set(tried_at=func.clock_timestamp())

    def drafted(self, ref: RemoteRef) -> None:
        """The shop has the draft."""
        self._set(status="draft_created", listing_id=ref.listing_id, url=ref.url)

    def uploads(self) -> dict[int, Uploaded]:
        """The files that the shop has, by rank."""
        with step(self.connection):
            rows = self.connection.execute(select(media).where(self.files)).all()
        return {row.rank: Uploaded(row.media_id, row.sha256) for row in rows}

    def uploaded(self, rank: int, file: Uploaded) -> None:
        """The shop has this file."""
        values = {"media_id": file.media_id, "sha256": file.sha256}
        row = insert(media).values({**self.names, "rank": rank, **values})
        with step(self.connection):
            self.connection.execute(row.on_conflict_do_update(constraint=media.primary_key, set_=values))

    def pictures_lost(self, media_ids: Sequence[str]) -> None:
        """The shop has these files no more."""
        with step(self.connection):
            self.connection.execute(delete(media).where(self.files, media.c.media_id.in_(media_ids)))

    def images_done(self) -> None:
        """The shop has every file."""
        self._set(status="images_done")

    def published(self, ref: RemoteRef, asked: str, answer: dict[str, Any]) -> None:
        """It is listed. This is what is answered from now on."""
        self._set(status="published", listing_id=ref.listing_id, url=ref.url, asked=asked, answer=answer)

    def failed(self, status: str, asked: str, answer: dict[str, Any], *, forget: bool = False) -> None:
        """It was refused. What is at the shop stays on record, for a later try to finish.

        With `forget` the shop has nothing of it any more, and a later try starts afresh.
        """
        refused = {"status": status, "asked": asked, "answer": answer, "updated_at": func.clock_timestamp()}
        with step(self.connection):
            if forget:
                self.connection.execute(delete(media).where(self.files))
            self.connection.execute(update(listings).where(self.row).values(**refused, **(GONE if forget else {})))

    def listing_gone(self, listing_id: str) -> None:
        """This listing is not at the shop any more: asked for again, it is listed anew.

        One that was made in its place since stays on record: forgotten, it would be made a second time.
        """
        nothing = {**GONE, "asked": None, "answer": None}
        this = update(listings).where(self.row, listings.c.listing_id == listing_id)
        with step(self.connection):  # at once: with its answer left behind, it would count as listed for ever
            noted = self.connection.execute(this.values(**nothing, status="failed", updated_at=func.clock_timestamp()))
            if noted.rowcount:
                self.connection.execute(delete(media).where(self.files))

    def _set(self, **values: object) -> None:
        with step(self.connection):
            change = update(listings).where(self.row).values(**values, updated_at=func.clock_timestamp())
            self.connection.execute(change)
