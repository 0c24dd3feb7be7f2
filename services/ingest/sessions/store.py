"""Sessions as the HTTP side sees them: announced, submitted once, asked for listings, read."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection, Engine, Row, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.ingest.sessions import timeline
from services.ingest.sessions.batching import batches
from services.ingest.sessions.outbox import owe
from services.ingest.sessions.progress import Totals
from services.ingest.sessions.projection import mockups_requested, request_id
from services.ingest.sessions.resume import refusal
from services.ingest.sessions.tables import NOW, items, listings, session_events, sessions
from shared.contracts import (
    Background,
    BatchSubmitted,
    Blob,
    Destination,
    ListingTemplate,
    PrintSpec,
    UploadedFile,
)
from shared.database import transaction


class SessionTaken(Exception):  # noqa: N818
    """The session id was used before, for other files or other choices."""


@dataclass(frozen=True)
class Choice:
    """What the user chose for an upload."""

    template_id: UUID
    mockup_id: UUID | None
    canvas_config_id: UUID | None
    size_config_id: UUID | None
    print_spec: PrintSpec
    destination: Destination
    description: str | None = None


@dataclass(frozen=True)
class Received:
    """One file as it was received. `refused` says why it is not worth looking into (too large, say)."""

    filename: str
    upload: Blob
    refused: str | None = None


@dataclass(frozen=True)
class Session:
    """A session's row, for reading."""

    id: UUID
    user_id: UUID
    client_key: str
    state: str
    lane: str | None
    totals: Totals
    last_seq: int
    percent: float
    announced_at: datetime
    submitted_at: datetime | None
    settled_at: datetime | None
    finished_at: datetime | None

    @property
    def files_settled(self) -> bool:
        """Every file that was sent has its end state."""
        return self.submitted_at is not None and self.totals.in_progress == 0

    @property
    def finished(self) -> bool:
        return self.state == "finished"


@dataclass(frozen=True)
class Event:
    """One entry of a session's timeline."""

    seq: int
    type: str
    item_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class Sessions:
    """Every method is one transaction and checks the owner."""

    engine: Engine
    hashers: int

    def announce(self, user_id: UUID, files: int, size: int) -> Session:
        """A new session, with its first event."""
        session_id = uuid4()
        with transaction(self.engine) as connection:
            row = _create(connection, session_id, user_id, str(session_id), files, size)
            return _session(row)

    def find(self, user_id: UUID, client_key: str) -> Session | None:
        """The user's session by the id that the client uses."""
        if "\0" in client_key:  # no text in PostgreSQL has it
            return None
        mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.client_key == client_key)
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
            return _session(row) if row else None

    def get(self, user_id: UUID, session_id: UUID) -> Session | None:
        """The user's session by its own id."""
        mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.id == session_id)
        with transaction(self.engine) as connection:
            row = connection.execute(mine).one_or_none()
            return _session(row) if row else None

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
        return _session(row) if row is not None and row.state == "finished" and row.stored == 0 else None

    def recent(self, user_id: UUID, limit: int, offset: int) -> list[Session]:
        """The user's sessions, newest first."""
        mine = select(sessions).where(sessions.c.user_id == user_id).order_by(sessions.c.announced_at.desc())
        with transaction(self.engine) as connection:
            return [_session(row) for row in connection.execute(mine.limit(limit).offset(offset))]

    def submit(
        self, user_id: UUID, client_key: str | None, choice: Choice, files: Sequence[Received], lane: str
    ) -> tuple[Session, bool]:
        """Take the files in, once. True: this call did; False: an equal call had done so before.

        Rows and the messages that start the work are one commit, so a file is either ours or the client's to send
        again.

        Raises:
            SessionTaken: the id was used for something else.
        """
        key = client_key or str(uuid4())
        digest = _manifest(choice, files)
        with transaction(self.engine) as connection:
            row = _lock_or_create(connection, user_id, key, files)
            if row.submitted_at is not None:
                if row.manifest != digest:
                    raise SessionTaken(key)
                return _session(row), False
            connection.execute(
                update(sessions)
                .where(sessions.c.id == row.id)
                .values(lane=lane, manifest=digest, choice=_as_json(choice), submitted_at=NOW)
            )
            received = [_received(row.id, index, file) for index, file in enumerate(files)]
            for item, file in zip(received, files, strict=True):
                connection.execute(insert(items).values(**_item(row, item, choice, file)))
            timeline.append(connection, row.id, "submitted", {"received": len(files)}, facts={"lane": lane})
            self._owe_work(connection, row.id, user_id, lane, choice, list(zip(received, files, strict=True)))
            row = connection.execute(select(sessions).where(sessions.c.id == row.id)).one()
            return _session(row), True

    def _owe_work(
        self,
        connection: Connection,
        session_id: UUID,
        user_id: UUID,
        lane: str,
        choice: Choice,
        received: list[tuple[UploadedFile, Received]],
    ) -> None:
        refused = select(items).where(items.c.session_id == session_id, items.c.facts.has_key("refused"))
        for row in connection.execute(refused):
            owe(connection, lane, refusal(row))
        good = [item for item, file in received if not file.refused]
        for number, batch in enumerate(batches(good, self.hashers)):
            owe(connection, lane, _batch(session_id, user_id, choice, number, batch))

    def ask_listings(
        self,
        user_id: UUID,
        design_ids: Sequence[UUID],
        mockup_id: UUID,
        shop: str,
        template: ListingTemplate,
        backgrounds: tuple[Background, ...],
    ) -> list[UUID]:
        """Ask for listings of the user's designs, each once per mockup group; return the designs that are theirs.

        A design that failed to be listed before is tried anew; one that is not stored yet is listed when it is.
        """
        request = {
            "shop": shop,
            "template": template.model_dump(mode="json"),
            "backgrounds": [background.model_dump(mode="json") for background in backgrounds],
        }
        mine = (
            select(items)
            .where(items.c.id.in_(design_ids), items.c.user_id == user_id, items.c.is_active)
            .where(items.c.state.in_(("received", "hashed", "accepted", "stored")))
            .order_by(items.c.session_id, items.c.index)
            .with_for_update()
        )
        with transaction(self.engine) as connection:
            found = connection.execute(mine).all()
            for item in found:
                self._ask_listing(connection, item, mockup_id, template.template_id, request)
            return [item.id for item in found]

    def _ask_listing(
        self, connection: Connection, item: Row[Any], mockup_id: UUID, template_id: UUID, request: dict[str, Any]
    ) -> None:
        this = (listings.c.item_id == item.id) & (listings.c.mockup_id == mockup_id)
        values = {"session_id": item.session_id, "user_id": item.user_id, "template_id": template_id}
        new = upsert(listings).values(
            item_id=item.id, mockup_id=mockup_id, state="requested", request=request, **values
        )
        changes = {"requested": 1}
        if not connection.execute(new.on_conflict_do_nothing().returning(listings.c.item_id)).one_or_none():
            again = update(listings).where(this, listings.c.state == "failed")
            anew = {"state": "requested", "stage_rank": 0, "generation": listings.c.generation + 1}
            if not connection.execute(again.values(**anew, request=request, reason=None)).rowcount:
                return  # asked for before, and under way or done
            changes = {"listing_failed": -1}
        told = {"index": item.index, "filename": item.filename, "listing_state": "requested"}
        timeline.append(connection, item.session_id, "listing_requested", changes, item_id=item.id, facts=told)
        if item.state == "stored":
            listing = connection.execute(select(listings).where(this)).one()
            lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == item.session_id)).scalar_one()
            owe(connection, lane, mockups_requested(item, listing), message_id=request_id(listing))

    def items(self, session_id: UUID, *, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """A session's files in upload order, each with its listings."""
        of_session = select(items).where(items.c.session_id == session_id).order_by(items.c.index)
        with transaction(self.engine) as connection:
            rows = connection.execute(of_session.limit(limit).offset(offset)).mappings().all()
            asked = connection.execute(
                select(listings)
                .where(listings.c.item_id.in_([row["id"] for row in rows]))
                .order_by(listings.c.requested_at)
            ).mappings()
            by_item: dict[UUID, list[dict[str, Any]]] = {}
            for listing in asked:
                by_item.setdefault(listing["item_id"], []).append(dict(listing))
            return [dict(row) | {"listings": by_item.get(row["id"], [])} for row in rows]

    def listings_of(self, user_id: UUID, design_ids: Iterable[UUID], mockup_id: UUID) -> list[dict[str, Any]]:
        """The listings of these designs with this mockup group, with the file name each came from."""
        told = [column for column in listings.c if column.name != "request"]  # kilobytes each, and asked for often
        joined = select(*told, items.c.filename, items.c.name, items.c.index, items.c.state.label("item_state"))
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
            return [_event(row) for row in connection.execute(later)]

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
            return _event(row) if row else None

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


def _create(connection: Connection, session_id: UUID, user_id: UUID, key: str, files: int, size: int) -> Row[Any]:
    new = upsert(sessions).values(
        id=session_id, user_id=user_id, client_key=key, state="announced", announced_files=files, announced_bytes=size
    )
    made = connection.execute(new.on_conflict_do_nothing().returning(sessions.c.id)).one_or_none()
    if made:
        timeline.append(connection, session_id, "announced", {}, facts={"files": files, "bytes": size})
    mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.client_key == key)
    return connection.execute(mine.with_for_update()).one()


def _lock_or_create(connection: Connection, user_id: UUID, key: str, files: Sequence[Received]) -> Row[Any]:
    mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.client_key == key)
    row = connection.execute(mine.with_for_update()).one_or_none()
    if row is not None:
        return row
    return _create(connection, uuid4(), user_id, key, len(files), sum(file.upload.size for file in files))


def _received(session_id: UUID, index: int, file: Received) -> UploadedFile:
    # The id follows from the place in the session: the same upload sent again means the same designs.
    item_id = uuid5(session_id, f"item:{index}")
    return UploadedFile(item_id=item_id, index=index, filename=file.filename, upload=file.upload)


def _item(session: Row[Any], item: UploadedFile, choice: Choice, file: Received) -> dict[str, Any]:
    return {
        "id": item.item_id,
        "session_id": session.id,
        "user_id": session.user_id,
        "index": item.index,
        "filename": item.filename,
        "sha256": file.upload.sha256,
        "size": file.upload.size,
        "state": "received",
        "template_id": choice.template_id,
        "canvas_config_id": choice.canvas_config_id,
        "description": choice.description,
        "is_digital": choice.destination.digital,
        "facts": {"refused": file.refused} if file.refused else {},
    }


def _batch(
    session_id: UUID, user_id: UUID, choice: Choice, number: int, batch: tuple[UploadedFile, ...]
) -> BatchSubmitted:
    return BatchSubmitted(
        tenant_id=user_id,
        session_id=session_id,
        batch=number,
        files=batch,
        print_spec=choice.print_spec,
        destination=choice.destination,
    )


def _manifest(choice: Choice, files: Sequence[Received]) -> str:
    """A digest of what was chosen and sent, in order."""
    content = [_as_json(choice), [[file.filename, file.upload.sha256] for file in files]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _as_json(choice: Choice) -> dict[str, Any]:
    return {
        "template_id": str(choice.template_id),
        "mockup_id": str(choice.mockup_id) if choice.mockup_id else None,
        "canvas_config_id": str(choice.canvas_config_id) if choice.canvas_config_id else None,
        "size_config_id": str(choice.size_config_id) if choice.size_config_id else None,
        "print_spec": choice.print_spec.model_dump(mode="json"),
        "destination": choice.destination.model_dump(mode="json"),
        "description": choice.description,
    }


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        client_key=row.client_key,
        state=row.state,
        lane=row.lane,
        totals=timeline.totals_of(row),
        last_seq=row.last_seq,
        percent=row.percent,
        announced_at=row.announced_at,
        submitted_at=row.submitted_at,
        settled_at=row.settled_at,
        finished_at=row.finished_at,
    )


def _event(row: Row[Any]) -> Event:
    return Event(row.seq, row.type, row.item_id, row.payload, row.created_at)
