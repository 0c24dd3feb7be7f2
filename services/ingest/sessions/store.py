"""Sessions as the HTTP side sees them: announced, submitted once, asked for listings, read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, select, text

from services.ingest.sessions import asking, leftovers, submitting, timeline
from services.ingest.sessions.records import Choice, Event, Received, Session, event_of, session_of
from services.ingest.sessions.tables import items, listings, session_events, sessions
from shared.contracts import Background, ListingTemplate
from shared.database import transaction

# Without the request: it is kilobytes long, and rows are read at every change while somebody waits.
TOLD = tuple(column for column in listings.c if column.name != "request")


@dataclass(frozen=True)
class Sessions:
    """Every method is one transaction and checks the owner."""

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

    def last_without_designs(self, user_id: UUID, template_id: UUID, mockup_id: UUID) -> Session | None:
        """The user's newest finished session with these choices, if no design came of it."""
        mine = (
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.submitted_at.is_not(None))
            .where(sessions.c.choice["template_id"].astext == str(template_id))
            .where(sessions.c.choice["mockup_id"].astext == str(mockup_id))
            .order_by(sessions.c.submitted_at.desc())
            .limit(1)
        )
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
        return session_of(row) if row is not None and row.state == "finished" and row.stored == 0 else None

    def recent(self, user_id: UUID, limit: int, offset: int) -> list[Session]:
        """The user's sessions, newest first."""
        mine = select(sessions).where(sessions.c.user_id == user_id).order_by(sessions.c.announced_at.desc())
        with transaction(self.engine) as connection:
            return [session_of(row) for row in connection.execute(mine.limit(limit).offset(offset))]

    def submit(
        self, user_id: UUID, client_key: str | None, choice: Choice, files: Sequence[Received], lane: str
    ) -> tuple[Session, bool]:
        """Take files in, once; see `submitting.submit`."""
        with transaction(self.engine) as connection:
            key = client_key or str(uuid4())
            return submitting.submit(connection, self.hashers, user_id, key, choice, files, lane)

    def ask_listings(
        self,
        user_id: UUID,
        design_ids: Sequence[UUID],
        mockup_id: UUID,
        shop: str,
        template: ListingTemplate,
        backgrounds: tuple[Background, ...],
    ) -> list[UUID]:
        """Ask for listings; see `asking.ask_listings`."""
        with transaction(self.engine) as connection:
            return asking.ask_listings(connection, user_id, design_ids, mockup_id, shop, template, backgrounds)

    def left_unlisted(
        self, user_id: UUID, asked: Sequence[UUID], uploads: Sequence[UUID], template_id: UUID
    ) -> list[UUID]:
        """Designs to list with these uploads, or with those that `asked` is the whole of; see `leftovers`."""
        with transaction(self.engine) as connection:
            whole = leftovers.whole_uploads(connection, user_id, asked)
            found = leftovers.leftovers(connection, user_id, [*uploads, *whole], template_id)
        return [design for design in found if design not in asked]

    def not_asked(self, user_id: UUID, design_ids: Sequence[UUID], template: ListingTemplate) -> list[str]:
        """Why no listings can be asked for these designs; see `asking.why_not`."""
        with transaction(self.engine) as connection:
            return asking.why_not(connection, user_id, design_ids, template)

    def items(self, session_id: UUID, *, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """A session's files in upload order, each with its listings."""
        with transaction(self.engine) as connection:
            return _items_of(connection, session_id, limit, offset)

    def receipt(self, session: Session) -> tuple[Session, list[dict[str, Any]]]:
        """A session and its files as they were at one moment, so that its counts are those of its files."""
        at_one_moment = self.engine.execution_options(isolation_level="REPEATABLE READ")
        with transaction(at_one_moment) as connection:
            row = connection.execute(select(sessions).where(sessions.c.id == session.id)).one()
            return session_of(row), _items_of(connection, session.id)

    def listings_of(self, user_id: UUID, design_ids: Iterable[UUID], mockup_id: UUID) -> list[dict[str, Any]]:
        """The listings of these designs with this mockup group, with the file name each came from."""
        joined = select(*TOLD, items.c.filename, items.c.name, items.c.index, items.c.state.label("item_state"))
        mine = (
            joined.join(items, items.c.id == listings.c.item_id)
            .where(listings.c.user_id == user_id, listings.c.mockup_id == mockup_id)
            .where(listings.c.item_id.in_(list(design_ids)))
            .order_by(items.c.session_id, items.c.index)
        )
        with transaction(self.engine) as connection:
            return [dict(row) for row in connection.execute(mine).mappings()]

    def events(self, session_id: UUID, after: int, limit: int = 1000) -> list[Event]:
        """The timeline after a sequence number, in order."""
        later = (
            select(session_events)
            .where(session_events.c.session_id == session_id, session_events.c.seq > after)
            .order_by(session_events.c.seq)
            .limit(limit)
        )
        with transaction(self.engine) as connection:
            return [event_of(row) for row in connection.execute(later)]

    def last_event(self, session_id: UUID) -> Event | None:
        """The newest entry of the timeline."""
        newest = (
            select(session_events)
            .where(session_events.c.session_id == session_id)
            .order_by(session_events.c.seq.desc())
            .limit(1)
        )
        with transaction(self.engine) as connection:
            row = connection.execute(newest).one_or_none()
            return event_of(row) if row else None

    def last_seqs(self, session_ids: Sequence[UUID]) -> dict[UUID, int]:
        """How far each timeline is."""
        of = select(sessions.c.id, sessions.c.last_seq).where(sessions.c.id.in_(session_ids))
        with transaction(self.engine) as connection:
            return {row.id: row.last_seq for row in connection.execute(of)}

    def finish_unasked(self, grace_s: float) -> int:
        """End the sessions whose files are settled and for which nobody asked for listings within the grace."""
        due = select(sessions.c.id).where(
            sessions.c.state == "working",
            sessions.c.requested == 0,
            sessions.c.settled_at < text("now() - make_interval(secs => :grace)").bindparams(grace=grace_s),
        )
        with transaction(self.engine) as connection:
            ids = connection.execute(due.limit(100)).scalars().all()
        for session_id in ids:  # one at a time: never two sessions' locks in one transaction
            with transaction(self.engine) as connection:
                timeline.finish(connection, session_id)
        return len(ids)


def _items_of(
    connection: Connection, session_id: UUID, limit: int | None = None, offset: int = 0
) -> list[dict[str, Any]]:
    of_session = select(items).where(items.c.session_id == session_id).order_by(items.c.index)
    rows = connection.execute(of_session.limit(limit).offset(offset)).mappings().all()
    asked = select(*TOLD).where(listings.c.item_id.in_([row["id"] for row in rows]))
    by_item: dict[UUID, list[dict[str, Any]]] = {}
    for listing in connection.execute(asked.order_by(listings.c.requested_at)).mappings():
        by_item.setdefault(listing["item_id"], []).append(dict(listing))
    return [dict(row) | {"listings": by_item.get(row["id"], [])} for row in rows]
