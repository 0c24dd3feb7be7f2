"""A broker that lost everything in the middle of a session: `presswork resume` owes again what is unfinished."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, func, select, update

from services.ingest import broker_watch
from services.ingest.sessions.error_words import PART_GOES_ON
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.outgoing.fairness import Windows
from services.ingest.sessions.outgoing.outbox import Owed, Relay, owe, owe_redelivery
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.tables import items, outbox, session_events, sessions
from services.local.broker import Broker
from services.ops.resume import resume, resume_others
from shared.bus.envelope import Envelope
from shared.bus.topology import inbox
from shared.contracts import BatchSubmitted, Blob, DesignActivityChanged, DuplicateFound, Match, Message, StoreFile
from shared.database import transaction
from tests.integration.flow.pipeline import GENEROUS, Pipeline, prepared, until
from tests.integration.ops.letterbox import Letterbox

FAIR = Windows(batches=8, listings=8, files=1000)
FILES = 100


def test_work_that_the_broker_lost_is_sent_again_and_ends_once(rabbit: Broker, amqp_url: str, engine: Engine) -> None:
    pipeline = Pipeline(amqp_url, engine, FAIR)

    async def scenario() -> None:
        await prepared(amqp_url, engine)
        async with pipeline.running():
            session = await asyncio.to_thread(pipeline.submit, uuid4(), FILES)
            await until(lambda: len(pipeline.hashed) > FILES / 4)
            await asyncio.to_thread(delete_all_queues, rabbit, amqp_url)
        assert not pipeline.now(session).files_settled
        await prepared(amqp_url, engine)
        (would,) = await asyncio.to_thread(resume, engine, 4, dry_run=True)
        assert would.files == FILES
        async with pipeline.running():
            for _ in range(2):  # the second time while the work is in flight
                await asyncio.to_thread(resume, engine, 4)
            await pipeline.settled(session)
        await asyncio.to_thread(everything_ended_once, engine)
        assert await asyncio.to_thread(resume, engine, 4) == []

    asyncio.run(scenario())


def test_a_session_whose_queue_was_purged_is_sent_again_by_ingest_itself(
    rabbit: Broker, amqp_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_watch, "LOOK_EVERY_S", 0.2)
    pipeline = Pipeline(amqp_url, engine, GENEROUS, patience_s=1.0)

    async def scenario() -> None:
        await prepared(amqp_url, engine)
        async with pipeline.ingest():
            session = await asyncio.to_thread(pipeline.submit, uuid4(), FILES)
            await until(lambda: all_sent(engine))
            await asyncio.to_thread(purge, rabbit, amqp_url, inbox("hasher"))
            async with pipeline.workers():
                await pipeline.settled(session)
        await asyncio.to_thread(everything_ended_once, engine)

    asyncio.run(scenario())
    assert len(set(pipeline.hashed)) == FILES


def test_an_upload_says_that_a_service_is_gone_and_goes_on_when_it_is_there(
    amqp_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_watch, "LOOK_EVERY_S", 0.2)
    pipeline = Pipeline(amqp_url, engine, GENEROUS)
    delays = Delays(engine)

    async def scenario() -> None:
        await prepared(amqp_url, engine)
        async with pipeline.ingest():
            session = await asyncio.to_thread(pipeline.submit, uuid4(), 4)

            def waits_for() -> str | None:
                return delays.of(session.id, pipeline.now(session).totals)

            await until(lambda: waits_for() == PART_GOES_ON)
            async with pipeline.workers():
                await until(lambda: waits_for() is None)
                await pipeline.settled(session)

    asyncio.run(scenario())


def test_the_last_word_of_what_no_session_waits_for_is_sent_again(engine: Engine) -> None:
    tenant, one, other = uuid4(), uuid4(), uuid4()
    said: list[Message] = [activity(tenant, one, 1), activity(tenant, one, 2), activity(tenant, other, 1)]
    said += [photograph(tenant, "a.png", "1"), photograph(tenant, "a.png", "2"), photograph(tenant, "b.png", "1")]
    said += [photograph(uuid4(), "a.png", "1")]
    for message in said:
        with transaction(engine) as connection:
            owe(connection, "comprehensive", message)
    with transaction(engine) as connection:
        owe(connection, "original", activity(tenant, uuid4(), 1))  # of this process, which the broker's death spared
        owe_redelivery(connection, "comprehensive", "storage", b"lost", {}, uuid4())  # its letter is over
    assert len(sent(engine)) == len(said) + 1
    sent(engine, "original")
    last = [said[1], said[2], said[4], said[5], said[6]]
    assert resume_others(engine, dry_run=True).total() == len(last)
    assert sent(engine) == []
    for _ in range(2):
        assert resume_others(engine).total() == len(last)
        assert sorted(map(repr, sent(engine))) == sorted(map(repr, last))
    assert sent(engine, "original") == []


def test_that_a_file_has_failed_is_told_again_though_its_session_has_ended(engine: Engine) -> None:
    """Until dedup hears so, every upload of the same picture is a duplicate of that file, which nobody stores."""
    box = Letterbox(engine)
    session = box.submitted("a.png", "b.png")
    failures = [box.failed(session, index) for index in range(2)]
    box.project(*failures)
    sent(engine)
    assert resume(engine, 4) == []
    assert resume_others(engine, dry_run=True).total() == 2
    for _ in range(2):
        assert resume_others(engine).total() == 2
        assert sorted(map(repr, sent(engine))) == sorted(map(repr, failures))


def test_two_that_are_each_others_duplicate_are_decided_once_more(engine: Engine) -> None:
    """That `b` is the original now was lost with the broker, and `a` was tried again before anybody resumed."""
    box = Letterbox(engine)
    session = box.submitted("a.png", "b.png")
    box.project(box.accepted(session, 0), duplicate(box, session, 1, of=0), box.failed(session, 0))
    box.sessions.retry(session, "anna@example.com")
    box.project(duplicate(box, session, 0, of=1, generation=1))
    with transaction(engine) as connection:  # as its seller listed nothing of it
        connection.execute(update(sessions).values(state="finished"))
    sent(engine)
    (resumed,) = resume(engine, 4)
    assert resumed.files == 2
    batches = [message for message in sent(engine) if isinstance(message, BatchSubmitted)]
    generations = {file.filename: file.generation for batch in batches for file in batch.files}
    assert generations == {"a.png": 1, "b.png": 0}  # which dedup answers with its newest verdict
    box.project(box.accepted(session, 1, 1).model_copy(update={"anew": True}))
    assert resume(engine, 4, dry_run=True)
    with transaction(engine) as connection:
        connection.execute(update(items).where(items.c.index == 1).values(state="stored"))
        connection.execute(update(sessions).values(state="finished"))
    assert resume(engine, 4) == []


def duplicate(box: Letterbox, session: Session, index: int, of: int, generation: int = 0) -> DuplicateFound:
    match = Match(source="session", item_id=box.about(session, of)["item_id"])
    about = box.about(session, index, generation)
    return DuplicateFound(**about, kind="near", distance=0, match=match, reason="the same picture")


def sent(engine: Engine, lane: str = "comprehensive") -> list[object]:
    """What a relay has to send, and sends."""
    found: list[Owed] = []
    Relay(engine, lane).send(found.append)
    return [owed.message if isinstance(owed, Envelope) else owed.sealed.body for owed in found]


def all_sent(engine: Engine) -> bool:
    with engine.connect() as connection:
        return not connection.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()


def activity(tenant: UUID, item: UUID, revision: int) -> Message:
    return DesignActivityChanged(tenant_id=tenant, item_id=item, is_active=False, revision=revision)


def photograph(tenant: UUID, path: str, digit: str) -> Message:
    return StoreFile(tenant_id=tenant, shop="s", path=path, content=Blob(sha256=digit * 64, size=1))


def everything_ended_once(engine: Engine) -> None:
    with engine.connect() as connection:
        assert Counter(connection.execute(select(items.c.state)).scalars()) == {"duplicate": FILES}
        seqs = list(connection.execute(select(session_events.c.seq).order_by(session_events.c.seq)).scalars())
        told = connection.execute(select(session_events.c.item_id).where(session_events.c.type == "duplicate"))
        assert Counter(told.scalars()).most_common(1)[0][1] == 1
    assert seqs == list(range(1, len(seqs) + 1))


def purge(rabbit: Broker, amqp_url: str, queue: str) -> None:
    vhost = amqp_url.rpartition("/")[2]
    with httpx.Client(base_url=f"{rabbit.management_url}/api", trust_env=False, timeout=10) as client:
        client.delete(f"/queues/{vhost}/{queue}/contents").raise_for_status()


def delete_all_queues(rabbit: Broker, amqp_url: str) -> None:
    """What a broker is like whose disk was lost."""
    vhost = amqp_url.rpartition("/")[2]
    with httpx.Client(base_url=f"{rabbit.management_url}/api", trust_env=False, timeout=10) as client:
        found = client.get(f"/queues/{vhost}").raise_for_status().json()
        assert found
        for queue in found:
            client.delete(f"/queues/{vhost}/{queue['name']}").raise_for_status()
