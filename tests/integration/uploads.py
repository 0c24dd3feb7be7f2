"""Uploads as rows of ingest, and what later stages tell of their files."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select

from services.ingest.service import build
from services.ingest.sessions.lifecycle.records import Choice, Received, Session, Wanted
from services.ingest.sessions.lifecycle.session_transitions import COUNTS
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Owed, Relay
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.tables import items, listings, outbox, session_events
from shared.contracts import (
    Blob,
    DesignStored,
    Destination,
    DuplicateFound,
    ImageAccepted,
    ImageHashed,
    ImageRejected,
    ItemEvent,
    ListingPublished,
    ListingTemplate,
    Match,
    Message,
    MockupsRendered,
    MockupsRequested,
    PrintSpec,
    StorageFailed,
    UploadedFile,
)

USER, TEMPLATE, MOCKUP = uuid4(), uuid4(), uuid4()
SHA = "ab" * 32
BLOB = Blob(sha256=SHA, size=10)
LISTING = ListingTemplate(
    template_id=TEMPLATE,
    name="UVDTF 16oz",
    title="| Wrap",
    description="d",
    price=4,
    quantity=1,
    who_made="i_did",
    when_made="made_to_order",
)
PREPARED = {
    "upload": BLOB,
    "print_file": BLOB,
    "canonical": BLOB,
    "width": 1,
    "height": 1,
    "dpi": 400,
    "algorithm": "a",
    "phash": SHA,
    "dhash": SHA,
    "destination": Destination(shop="s", template="t"),
}


def choice() -> Choice:
    """What a seller chooses for an upload."""
    return Choice(
        template_id=TEMPLATE,
        mockup_id=MOCKUP,
        canvas_config_id=None,
        size_config_id=None,
        print_spec=PrintSpec(width_inches=1, height_inches=1, canvas_width_inches=1, canvas_height_inches=1),
        destination=Destination(shop="NorthCups", template="UVDTF 16oz"),
    )


def received(*names: str) -> list[Received]:
    """Files that came, of a thousand bytes each."""
    return [Received(name, Blob(sha256=f"{n:064x}", size=1000)) for n, name in enumerate(names)]


def submitted(sessions: Sessions, *names: str, lane: str = "comprehensive") -> tuple[Session, list[UploadedFile]]:
    """An upload of files of these names."""
    session, _ = sessions.submit(USER, str(uuid4()), choice(), received(*names), lane)
    found = sessions.items(session)
    return session, [
        UploadedFile(item_id=row["id"], index=row["index"], filename=row["filename"], upload=BLOB) for row in found
    ]


def about(session: Session, file: UploadedFile, generation: int = 0) -> dict[str, object]:
    """What every event about a file says."""
    return {
        "tenant_id": USER,
        "session_id": session.id,
        "item_id": file.item_id,
        "index": file.index,
        "generation": generation,
        "filename": file.filename,
    }


def stored(session: Session, file: UploadedFile, generation: int = 0) -> list[ItemEvent]:
    base = about(session, file, generation)
    return [
        ImageHashed(**base, **PREPARED),
        ImageAccepted(**base, **PREPARED),
        DesignStored(**base, number=100 + file.index, name=f"UV {file.index}", path=f"s/{file.index}", print_file=BLOB),
    ]


def duplicate(session: Session, file: UploadedFile) -> list[ItemEvent]:
    base = about(session, file)
    match = Match(source="session", filename="a.png")
    found = DuplicateFound(**base, kind="near", distance=2, match=match, reason="the same picture as a.png")
    return [ImageHashed(**base, **PREPARED), found]


def copy_of(
    original: UploadedFile, session: Session, file: UploadedFile, *, generation: int = 0, review: bool = False
) -> ItemEvent:
    """The verdict that this file is a near duplicate of the original, which nobody has stored yet."""
    match = Match(source="session", item_id=original.item_id, filename=original.filename)
    words = f"the same picture as {original.filename} in this upload"
    near = {"kind": "near", "distance": 2, "match": match, "reason": words, "review": review}
    return DuplicateFound(**about(session, file, generation), **near)


def rejected(session: Session, file: UploadedFile) -> list[ItemEvent]:
    return [ImageRejected(**about(session, file), code="empty", reason=f"{file.filename}: empty")]


def failed(session: Session, file: UploadedFile) -> list[ItemEvent]:
    base = about(session, file)
    return [ImageHashed(**base, **PREPARED), ImageAccepted(**base, **PREPARED), StorageFailed(**base, reason="no")]


def listed(session: Session, file: UploadedFile) -> list[Message]:
    base = about(session, file)
    rendered = MockupsRendered(
        **base, mockup_id=MOCKUP, design=BLOB, design_name="n", number=1, shop="s", template=LISTING, mockups=()
    )
    return [rendered, ListingPublished(**base, mockup_id=MOCKUP, target="dry-run", listing_id="1")]


def project(engine: Engine, *events: Message) -> list[Message]:
    """What ingest answers when it hears these."""
    service = build(engine)
    return [answer for event in events for answer in service.handlers[type(event)].call(event) or ()]


def ask(sessions: Sessions, *designs: UUID) -> list[UUID]:
    return sessions.ask_listings(USER, designs, Wanted("NorthCups", LISTING, MOCKUP, ()))


def requests(engine: Engine) -> list[MockupsRequested]:
    with engine.connect() as connection:
        rows = connection.execute(select(outbox.c.data).where(outbox.c.type == "MockupsRequested")).scalars()
        return [MockupsRequested.model_validate(row) for row in rows]


def account(engine: Engine, sessions: Sessions, session_id: UUID) -> Session:
    """Check every invariant of a session: gap-free events, counters equal to recomputed rows, monotone percent."""
    session = sessions.get(USER, session_id)
    assert session is not None
    with engine.connect() as connection:
        seqs = connection.execute(
            select(session_events.c.seq).where(session_events.c.session_id == session_id).order_by(session_events.c.seq)
        ).scalars()
        assert list(seqs) == list(range(1, session.last_seq + 1))
        by_state = Counter(
            connection.execute(select(items.c.state).where(items.c.session_id == session_id)).scalars().all()
        )
        weights = connection.execute(select(items.c.state, items.c.size).where(items.c.session_id == session_id)).all()
        asked = Counter(
            connection.execute(select(listings.c.state).where(listings.c.session_id == session_id)).scalars().all()
        )
        facts = connection.execute(select(items.c.facts).where(items.c.session_id == session_id)).scalars()
        cancelled = sum(each.get("code") == "cancelled" for each in facts)
        waiting = (items.c.session_id == session_id, items.c.review == "waiting")
        to_review = connection.execute(select(func.count()).select_from(items).where(*waiting)).scalar_one()
        gone = (listings.c.session_id == session_id, listings.c.cancelled)
        unlisted = connection.execute(select(listings.c.state).where(*gone)).scalars().all()
        assert set(unlisted) <= {"failed"}
    recomputed = dict(by_state) | {"rendered": asked["rendered"], "listed": asked["listed"]}
    recomputed |= {"received": by_state.total(), "requested": asked.total(), "listing_failed": asked["failed"]}
    recomputed |= {"cancelled": cancelled, "to_review": to_review, "listing_cancelled": len(unlisted)}
    assert session.totals.as_dict() == {name: recomputed.get(name, 0) for name in COUNTS}
    assert session.workload.work == sum(weight(row.size) for row in weights)
    done = sum(weight(row.size) * session.workload.costs.share(row.state) for row in weights)
    assert session.workload.done == pytest.approx(done)
    percents = [event.payload["percent"] for event in sessions.events(session, 0)]
    assert percents == sorted(percents)
    return session


def relayed(engine: Engine, lane: str = "comprehensive", windows: Windows | None = None) -> list[Owed]:
    """All that is owed now, as it goes out."""
    sent: list[Owed] = []
    relay = Relay(engine, lane, windows)
    while relay.send(sent.append):
        pass
    return sent
