"""Sessions as the HTTP side sees them: announced, submitted once, asked for listings, read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from services.ingest.sessions.actions import cancelling, reviewing
from services.ingest.sessions.actions.cancel_result import Cancelled, cancel_reason
from services.ingest.sessions.actions.reopening import Group, Reopened, reopen
from services.ingest.sessions.actions.reviewing import Decided, Decision
from services.ingest.sessions.intake import left_unlisted, listing_requests, submitting
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.duplicate_originals import beside_originals
from services.ingest.sessions.lifecycle.records import Choice, Event, Received, Session, Wanted
from services.ingest.sessions.lifecycle.rows import event_of, session_of
from services.ingest.sessions.progress.lane_load import lane_load
from services.ingest.sessions.progress.slowdown import ALONE, Load
from services.ingest.sessions.tables import items, listings, session_events, sessions
from services.ingest.tables import users
from shared.contracts import Blob, ListingTemplate
from shared.database import transaction

# Without the request: it is kilobytes long, and rows are read at every change while somebody waits.
LISTING_COLUMNS = tuple(column for column in listings.c if column.name != "request")


Asking = tuple[UUID, int]
"""A design, and the generation of its listing: it grows each time that the listing is asked for anew."""
Wish = Callable[[Connection], Mapping[UUID, Decision]]


@dataclass(frozen=True)
class HowFar:
    """What whoever watches a session is woken by."""

    seq: int
    """The last entry of its timeline."""
    settled: bool
    """All its files have their end."""
    closed: bool
    """Its account is disabled."""


@dataclass(frozen=True)
class Sessions:
    """Every method is one transaction.

    Those that take a user's id come first: each acts on what is theirs, and on nothing else. The others take a session,
    which only those give (and to operators, who may see everybody's, `rows.session_of`): never an id that a user named.
    """

    engine: Engine
    hashers: int

    def announce(self, user_id: UUID, files: int, size: int) -> Session:
        """A new session, with its first event."""
        session_id = uuid4()
        with transaction(self.engine) as connection:
            row = submitting.create(connection, session_id, user_id, str(session_id), files, size)
            return session_of(row)

    def find(self, user_id: UUID, client_key: str) -> Session | None:
        """The user's session by the id that the client uses."""
        if "\0" in client_key:  # no text in PostgreSQL has it
            return None
        mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.client_key == client_key)
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
            return session_of(row) if row else None

    def get(self, user_id: UUID, session_id: UUID) -> Session | None:
        """The user's session by its own id."""
        mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.id == session_id)
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
            return session_of(row) if row else None

    def taken_in(self, user_id: UUID, client_key: str | None) -> dict[str, Any] | None:
        """What was chosen (`Choice.as_json`) for the files of this key; None: they were not taken in before."""
        found = self.find(user_id, client_key) if client_key else None
        if found is None or found.submitted_at is None:
            return None
        with transaction(self.engine) as connection:
            chosen = connection.execute(select(sessions.c.choice).where(sessions.c.id == found.id)).scalar_one()
            return dict(chosen)

    def last_without_designs(self, user_id: UUID, template_id: UUID, mockup_id: UUID) -> Session | None:
        """The user's newest finished session with these choices, if no design came of it, or it was cancelled."""
        mine = (
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.submitted_at.is_not(None))
            .where(*_chosen(template_id, mockup_id))
            .order_by(sessions.c.submitted_at.desc())
            .limit(1)
        )
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
        if row is None or row.state != "finished" or (row.stored and row.cancelled_at is None):
            return None
        return session_of(row)

    def recent(self, user_id: UUID, limit: int, offset: int) -> list[Session]:
        """The user's sessions, newest first."""
        mine = select(sessions).where(sessions.c.user_id == user_id).order_by(sessions.c.announced_at.desc())
        with transaction(self.engine) as connection:
            return [session_of(row) for row in connection.execute(mine.limit(limit).offset(offset))]

    def submit(
        self,
        user_id: UUID,
        client_key: str,
        choice: Choice,
        files: Sequence[Received],
        lane: str,
        lane_reason: str | None = None,
    ) -> tuple[Session, bool]:
        """Take files in, once; see `submitting.submit`."""
        with transaction(self.engine) as connection:
            return submitting.submit(connection, self.hashers, user_id, client_key, choice, files, lane, lane_reason)

    def ask_listings(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> list[UUID]:
        """Ask for listings; see `listing_requests.ask_listings`."""
        with transaction(self.engine) as connection:
            return listing_requests.ask_listings(connection, user_id, design_ids, wanted)

    def left_unlisted(
        self, user_id: UUID, asked: Sequence[UUID], uploads: Sequence[UUID], wanted: Wanted
    ) -> list[UUID]:
        """Designs to list with these uploads; see `left_unlisted.leftovers`."""
        with transaction(self.engine) as connection:
            found = left_unlisted.leftovers(connection, user_id, uploads, wanted)
        return [design for design in found if design not in asked]

    def whole_uploads(self, user_id: UUID, asked: Sequence[UUID]) -> list[UUID]:
        """The uploads that are asked for as a whole; see `left_unlisted.whole_uploads`."""
        with transaction(self.engine) as connection:
            return left_unlisted.whole_uploads(connection, user_id, asked)

    def listed(self, user_id: UUID, design_ids: Sequence[UUID], mockup_id: UUID) -> set[Asking]:
        """Which of these designs are listed with this mockup group, each with the generation of its listing."""
        mine = (listings.c.user_id == user_id, listings.c.mockup_id == mockup_id, listings.c.state == "listed")
        found = select(listings.c.item_id, listings.c.generation).where(*mine, listings.c.item_id.in_(design_ids))
        with transaction(self.engine) as connection:
            return {(row.item_id, row.generation) for row in connection.execute(found)}

    def not_asked(self, user_id: UUID, design_ids: Sequence[UUID], template: ListingTemplate) -> list[str]:
        """Why no listings can be asked for these designs; see `listing_requests.why_not`."""
        with transaction(self.engine) as connection:
            return listing_requests.why_not(connection, user_id, design_ids, template)

    def at_etsy(self, user_id: UUID, item_id: UUID) -> list[str]:
        """The design's listings there; see `listing_requests.at_etsy`."""
        with transaction(self.engine) as connection:
            return listing_requests.at_etsy(connection, user_id, item_id)

    def gone(self, user_id: UUID, listing_ids: Sequence[str]) -> None:
        """Note that these listings are not at Etsy any more; see `listing_requests.gone`."""
        with transaction(self.engine) as connection:
            listing_requests.gone(connection, user_id, listing_ids)

    def asked_before(
        self, user_id: UUID, design_ids: Sequence[UUID], template_id: UUID, mockup_id: UUID, target: str | None
    ) -> Wanted | None:
        """What these listings were asked for with; see `listing_requests.asked_before`."""
        with transaction(self.engine) as connection:
            return listing_requests.asked_before(connection, user_id, design_ids, template_id, mockup_id, target)

    def chosen_for(self, user_id: UUID, design_ids: Sequence[UUID], template_id: UUID, mockup_id: UUID) -> bool:
        """Whether these are designs of the user, and were uploaded with this choice."""
        mine = select(func.count()).select_from(items.join(sessions, sessions.c.id == items.c.session_id))
        mine = mine.where(items.c.user_id == user_id, items.c.id.in_(design_ids), *_chosen(template_id, mockup_id))
        with transaction(self.engine) as connection:
            return bool(design_ids) and connection.execute(mine).scalar_one() == len(set(design_ids))

    def outdated(self, user_id: UUID, design_ids: Sequence[UUID], wanted: Wanted) -> int:
        """How many listings have what was chosen before; see `listing_requests.outdated`."""
        with transaction(self.engine) as connection:
            return listing_requests.outdated(connection, user_id, design_ids, wanted)

    def cancel(self, user_id: UUID, session_id: UUID, item_id: UUID | None) -> Cancelled | None:
        """Cancel the user's session, or one file of it; see `cancelling.cancel`. None: it is not theirs."""
        mine = select(sessions.c.id).where(sessions.c.user_id == user_id, sessions.c.id == session_id)
        if item_id is not None:
            mine = mine.join(items).where(items.c.id == item_id)
        with transaction(self.engine) as connection:
            if connection.execute(mine).one_or_none() is None:
                return None
            return cancelling.cancel(connection, session_id, item_id, cancel_reason("you"))

    def listings_of(self, user_id: UUID, design_ids: Iterable[UUID], mockup_id: UUID) -> list[dict[str, Any]]:
        """The listings of these designs with this mockup group, with the file name each came from."""
        joined = select(
            *LISTING_COLUMNS, items.c.filename, items.c.name, items.c.index, items.c.state.label("item_state")
        )
        mine = (
            joined.join(items, items.c.id == listings.c.item_id)
            .where(listings.c.user_id == user_id, listings.c.mockup_id == mockup_id)
            .where(listings.c.item_id.in_(list(design_ids)))
            .order_by(items.c.session_id, items.c.index)
        )
        with transaction(self.engine) as connection:
            return [dict(row) for row in connection.execute(mine).mappings()]

    def outlook(self, session: Session) -> tuple[Session, Load, float]:
        """A session as it is now, the work that others have in its lane, and now, in seconds."""
        mine = select(sessions, timeline.CLOCK_S.label("clock_s")).where(sessions.c.id == session.id)
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one()
            now = session_of(row)
            goes_on = now.lane is not None and not now.finished
            return now, lane_load(connection, now.id) if goes_on else ALONE, row.clock_s

    def retry(
        self,
        session: Session,
        who: str,
        item_ids: Sequence[UUID] | None = None,
        requests: Mapping[Group, Mapping[str, Any]] = MappingProxyType({}),
    ) -> Reopened:
        """Take up again what failed; see `reopening.reopen`."""
        with transaction(self.engine) as connection:
            return reopen(connection, session.id, self.hashers, who, item_ids=item_ids, requests=requests)

    def decide(self, session: Session, wish: Wish, who: str, there: Callable[[Blob], bool]) -> Decided:
        """Keep or skip near duplicates; see `reviewing.decide`. `wish` is asked in the same transaction."""
        with transaction(self.engine) as connection:
            return reviewing.decide(connection, session.id, wish(connection), self.hashers, who, there)

    def items(self, session: Session, *, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """A session's files in upload order, each with its listings."""
        with transaction(self.engine) as connection:
            return _items_of(connection, session.id, limit, offset)

    def receipt(self, session: Session) -> tuple[Session, list[dict[str, Any]]]:
        """A session and its files as they were at one moment, so that its counts are those of its files."""
        at_one_moment = self.engine.execution_options(isolation_level="REPEATABLE READ")
        with transaction(at_one_moment) as connection:
            row = connection.execute(select(sessions).where(sessions.c.id == session.id)).one()
            return session_of(row), _items_of(connection, session.id)

    def events(self, session: Session, after: int, limit: int = 1000) -> list[Event]:
        """The timeline after a sequence number, in order."""
        later = (
            select(session_events)
            .where(session_events.c.session_id == session.id, session_events.c.seq > after)
            .order_by(session_events.c.seq)
            .limit(limit)
        )
        with transaction(self.engine) as connection:
            return [event_of(row) for row in connection.execute(later)]

    def last_event(self, session: Session) -> Event | None:
        """The newest entry of the timeline."""
        newest = (
            select(session_events)
            .where(session_events.c.session_id == session.id)
            .order_by(session_events.c.seq.desc())
            .limit(1)
        )
        with transaction(self.engine) as connection:
            row = connection.execute(newest).one_or_none()
            return event_of(row) if row else None

    def how_far(self, session_ids: Sequence[UUID]) -> dict[UUID, HowFar]:
        """How far each of these sessions is: of any account, as it tells nothing else."""
        closed = users.c.is_active.is_(False).label("closed")
        of = select(sessions.c.id, sessions.c.last_seq, sessions.c.settled_at, closed)
        of = of.join(users, users.c.id == sessions.c.user_id, isouter=True).where(sessions.c.id.in_(session_ids))
        with transaction(self.engine) as connection:
            rows = connection.execute(of).all()
        return {row.id: HowFar(row.last_seq, row.settled_at is not None, bool(row.closed)) for row in rows}


def _chosen(template_id: UUID, mockup_id: UUID) -> list[ColumnElement[bool]]:
    """The condition that a session's files were uploaded with this template and mockup group."""
    choice = sessions.c.choice
    return [choice["template_id"].astext == str(template_id), choice["mockup_id"].astext == str(mockup_id)]


def _items_of(
    connection: Connection, session_id: UUID, limit: int | None = None, offset: int = 0
) -> list[dict[str, Any]]:
    of_session = select(items).where(items.c.session_id == session_id).order_by(items.c.index)
    rows = connection.execute(of_session.limit(limit).offset(offset)).mappings().all()
    asked = select(*LISTING_COLUMNS).where(listings.c.item_id.in_([row["id"] for row in rows]))
    by_item: dict[UUID, list[dict[str, Any]]] = {}
    for listing in connection.execute(asked.order_by(listings.c.requested_at)).mappings():
        by_item.setdefault(listing["item_id"], []).append(dict(listing))
    return [row | {"listings": by_item.get(row["id"], [])} for row in beside_originals(connection, rows)]
