"""The progress stream as the existing client reads it: contract 1.6, and rows 2 and 3 of its section 6."""

import asyncio
import itertools
import json
import re
import threading
from concurrent.futures import Future
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, make_url, text

from services.ingest.api.streams import frames
from services.ingest.sessions.lifecycle.records import Event, Session
from services.ingest.sessions.progress.time_left import NOTHING_LEFT, TimeLeft
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.watching import Watcher
from shared.database import engine_of
from tests.integration.ingest import artworks, frontend
from tests.integration.ingest.embedded import ORIGIN, Threaded
from tests.integration.ingest.frontend import Shop, Stream
from tests.integration.ops.letterbox import Letterbox
from tests.proxy import HOST, Proxy

FRAME = {
    "step": int,
    "total_steps": int,
    "message": str,
    "progress_percent": float,
    "elapsed_time": float,
    "estimated_total_time": float,
    "remaining_time": float,
    "remaining_low": float | None,
    "remaining_high": float | None,
    "file_progress": float,
    "current_file": str | None,
    "timestamp": str,
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


def last(block: str) -> bool:
    """The client closes its stream soon after this frame."""
    return '"step": 4' in block


def watch(shop: Shop, session: str, **kwargs: Any) -> "Future[Stream]":
    return frontend.listen(shop.server, f"/designs/progress/{session}", params={"token": shop.token}, **kwargs)


def test_frames_have_the_contracts_shape_and_nothing_but_data(user: Shop) -> None:
    files = artworks.fresh(3)
    session = user.start(files)
    begun = threading.Event()
    stream = watch(user, session, begun=begun, until=last)
    assert begun.wait(10)
    ids = [found["id"] for found in user.uploaded(files, session)["designs"]]
    user.have_listed(ids)
    seen = stream.result(30)
    assert seen.status == 200
    assert seen.headers["content-type"].split(";")[0] == "text/event-stream"
    assert seen.headers["cache-control"] == "no-cache"
    assert seen.headers["x-accel-buffering"] == "no"
    assert seen.headers["access-control-allow-origin"] == ORIGIN
    assert seen.headers["access-control-allow-credentials"] == "true"
    for _, block in seen.blocks:
        assert re.fullmatch(r"data: \{[^\n]*\}|: ping", block), block  # a ping: nothing happened for some seconds
    for frame in seen.data:
        assert set(frame) == set(FRAME)
        for name, kind in FRAME.items():
            assert isinstance(frame[name], kind), (name, frame[name])
        assert frame["total_steps"] == 4
        assert 0 <= frame["file_progress"] <= 1
        assert TIMESTAMP.fullmatch(frame["timestamp"])


def test_the_last_step_comes_once_and_only_when_everything_is_published(user: Shop) -> None:
    files = artworks.fresh(6)
    session = user.start(files)
    begun = threading.Event()
    stream = watch(user, session, begun=begun, until=last)
    assert begun.wait(10)
    ids = [found["id"] for found in user.uploaded(files, session)["designs"]]
    assert user.get(session)["state"] == "working"
    answer = user.list_designs(ids)
    assert answer.json()["success"]
    shown = stream.result(30).data
    steps = [frame["step"] for frame in shown]
    percents = [frame["progress_percent"] for frame in shown]
    assert steps == sorted(steps)
    assert percents == sorted(percents)
    assert (steps.count(4), steps[-1], percents[-1]) == (1, 4, 100.0)
    assert shown[-1]["message"].startswith("Upload completed successfully")
    assert percents.index(100.0) == len(percents) - 1 > 0
    assert {frame["message"] for frame in shown} >= {"Checking for duplicates"}
    assert len(shown) > 4, "frames come while the work goes on, not together at its end"


def test_the_last_frame_is_out_before_the_last_call_answers(user: Shop) -> None:
    files = artworks.fresh(2)
    session = user.start(files)
    begun = threading.Event()
    stream = watch(user, session, begun=begun, until=last)
    assert begun.wait(10)
    ids = [found["id"] for found in user.uploaded(files, session)["designs"]]
    user.list_designs(ids)
    answered = monotonic()
    seen = stream.result(30)
    assert seen.data[-1]["step"] == 4
    assert seen.blocks[-1][0] < answered, "the client closes its stream when the last call answers"


def test_the_last_frame_is_out_before_an_upload_without_designs_answers(user: Shop) -> None:
    files = [("a.png", b"no picture"), ("b.png", b"")]
    session = user.start(files)
    begun = threading.Event()
    stream = watch(user, session, begun=begun, until=last)
    assert begun.wait(10)
    assert user.uploaded(files, session)["designs"] == []
    answered = monotonic()
    seen = stream.result(30)
    assert seen.blocks[-1][0] < answered
    assert seen.data[-1]["step"] == 4
    assert seen.data[-1]["message"].startswith("Upload failed: ")


def test_a_client_that_asks_for_no_listings_still_sees_an_end(user: Shop) -> None:
    session = user.start()
    user.uploaded(artworks.fresh(1), session)
    *_, waits, end = watch(user, session, until=last).result(30).data
    assert waits["message"] == "The design is stored; its listing is not asked for yet"
    assert (waits["step"], end["step"]) == (2, 4)


def test_who_connects_late_gets_the_latest_frame_first_and_the_end_five_seconds_after_it(user: Shop) -> None:
    session = user.start()
    user.uploaded([("a.png", b"no picture")], session)
    seen = watch(user, session).result(30)
    assert [frame["step"] for frame in seen.data] == [4]
    assert 4.5 < seen.ended - seen.blocks[0][0] < 8


def test_several_streams_of_one_session_show_the_same(user: Shop) -> None:
    files = artworks.fresh(2)
    session = user.start(files)
    begun = [threading.Event() for _ in range(5)]
    streams = [watch(user, session, begun=one, until=last) for one in begun]
    assert all(one.wait(10) for one in begun)
    ids = [found["id"] for found in user.uploaded(files, session)["designs"]]
    user.list_designs(ids)
    assert len({json.dumps(stream.result(30).data[-1]) for stream in streams}) == 1


def test_a_session_that_is_unknown_or_foreign_is_an_empty_stream(user: Shop, stranger: Shop) -> None:
    theirs = stranger.start()
    stranger.uploaded([("a.png", b"no picture")], theirs)
    own_id = stranger.get(theirs)["session_id"]
    for session in (theirs, own_id, "11111111-2222-4333-8444-555555555555", "no uuid", "%00", "x" * 5000):
        begun = monotonic()
        seen = watch(user, session).result(30)
        assert (seen.status, seen.blocks) == (200, []), session[:40]
        assert seen.headers["content-type"].split(";")[0] == "text/event-stream"
        assert seen.headers["access-control-allow-origin"] == ORIGIN
        assert seen.ended - begun < 3, "the client waits for the end to go on"


def test_silence_is_broken_by_keepalives_that_are_data(server: Threaded, user: Shop) -> None:
    """On the generator that the endpoint sends, with a shorter patience than its half minute."""
    store = server.desk.sessions
    session = store.find(UUID(user.user["id"]), user.start())
    assert session is not None

    async def first(number: int) -> list[dict[str, Any]]:
        watcher = Watcher(store)
        found: list[dict[str, Any]] = []
        async for frame in frames(store, watcher, session, keepalive_s=0.05):
            found.append(frame)
            if len(found) == number:
                watcher.stop()
        return found

    latest, *keepalives = asyncio.run(first(3))
    assert latest["step"] == 1
    for keepalive in keepalives:
        assert list(keepalive) == ["type", "timestamp"]
        assert keepalive["type"] == "keepalive"
        assert TIMESTAMP.fullmatch(keepalive["timestamp"])


def test_silence_while_the_nas_is_away_is_broken_by_words_that_say_so(server: Threaded, user: Shop) -> None:
    store = server.desk.sessions
    session = store.find(UUID(user.user["id"]), user.start())
    assert session is not None

    async def second() -> dict[str, Any]:
        watcher = Watcher(store)
        words = itertools.chain([None], itertools.repeat("the NAS is full; free some space"))
        told = frames(store, watcher, session, trouble=lambda *_: next(words), keepalive_s=0.05)
        first = await anext(told)
        assert first["message"] == "Checking for duplicates"
        again = await anext(told)
        await asyncio.to_thread(store.cancel, session.user_id, session.id, None)
        with store.engine.begin() as connection:  # it happened before that was told, and is heard of now
            earlier = "UPDATE ingest.session_events SET created_at = created_at - interval '1 minute'"
            connection.execute(text(f"{earlier} WHERE session_id = :id"), {"id": session.id})
        end = {"step": 0}
        while end["step"] != 4:
            end = {"step": 0} | await anext(told)
            assert end["timestamp"] >= again["timestamp"]
        return again

    frame = asyncio.run(second())
    assert frame["message"] == "Checking for duplicates - waiting: the NAS is full; free some space"
    assert frame["step"] == 1
    assert set(frame) == set(FRAME)


def test_an_open_stream_sees_that_an_upload_goes_on_after_its_end(engine: Engine) -> None:
    """Its words and its time left are those of the upload as it stands, not as it stood when the stream began."""
    box = Letterbox(engine)
    session = box.submitted("a.png", "b.png")
    box.project(*(box.failed(session, index) for index in range(2)))
    with engine.begin() as connection:  # and there was a pause
        connection.execute(text("UPDATE ingest.sessions SET announced_at = announced_at - interval '1 hour'"))
    ended = box.sessions.get(box.tenant, session.id)
    assert ended is not None

    def left(session: Session, _: str | None) -> TimeLeft:
        return NOTHING_LEFT if session.finished else TimeLeft(7.0, 5.0, 9.0)

    async def both() -> list[dict[str, Any]]:
        watcher = Watcher(box.sessions)
        polling = asyncio.create_task(watcher.run())
        told = frames(box.sessions, watcher, ended, left=left)
        found = [await anext(told)]
        await asyncio.to_thread(box.sessions.retry, session, "ana")
        found.append(await anext(told))
        polling.cancel()
        return found

    last, again = asyncio.run(both())
    assert (last["step"], last["remaining_time"]) == (4, 0.0)
    assert again["message"] == "Working on what was taken up again: 2 of 2 files to go"
    assert again["elapsed_time"] < 3600
    assert (again["remaining_time"], again["remaining_low"], again["remaining_high"]) == (7.0, 5.0, 9.0)


def test_a_stream_begins_when_a_database_that_was_away_is_back(server: Threaded, user: Shop) -> None:
    database = make_url(server.place.database_url)
    proxy = Proxy(target=database.port or 5432)
    behind = database.set(host=HOST, port=proxy.port, query={}).render_as_string(hide_password=False)
    session = server.desk.sessions.find(UUID(user.user["id"]), user.start())
    assert session is not None
    engine = engine_of(behind)
    store = Sessions(engine, 1)
    asked = 0

    async def first_frame() -> dict[str, Any]:
        watcher = Watcher(store)

        def latest(session: Session) -> Event | None:
            nonlocal asked
            asked += 1
            if asked == 3:
                proxy.accept()
            return store.last_event(session)

        found = await watcher.ask(latest, session)
        assert found is not None
        return await anext(frames(store, watcher, session))

    with proxy.running():
        proxy.refuse()
        assert asyncio.run(first_frame())["step"] == 1
        engine.dispose()
    assert asked >= 3
