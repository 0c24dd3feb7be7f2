"""Calls that hold a thread for long: however many of them one account sends, the other accounts are answered."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.dedup.preview import Preview
from services.ingest.api import identity, nas_reading, reviewing
from services.ingest.catalog.pictures import Pictures
from shared.database import engine_of
from shared.nas import Stat
from tests.integration.ingest.embedded import PRODUCT, Threaded
from tests.integration.ingest.frontend import Shop
from tests.integration.ingest.test_review import asked_about
from tests.seller import artwork
from tests.waiting import eventually

MANY = 45
"""More than the threads that calls have: anyio gives them 40."""

Call = Callable[[Shop], int]


def photographs(shop: Shop) -> int:
    files = [("files", ("cup.png", artwork(1), "image/png"))]
    return shop.client.post("/mockups/upload", data={"mockup_id": shop.mockup}, files=files).status_code


def another_distance(shop: Shop) -> int:
    return shop.client.get("/api/v1/settings/duplicates/preview", params={"distance": 3}).status_code


class Gate:
    """What comes to it waits there until it is opened."""

    def __init__(self) -> None:
        self.came = 0
        self._known, self._open = threading.Lock(), threading.Event()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*args: Any) -> Any:
            with self._known:
                self.came += 1
            assert self._open.wait(60)
            return function(*args)

        return slow

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many calls have come with each token."""
    known, came, user_of = threading.Lock(), Counter[str](), identity.user_of

    def counted(using: Any, given: str) -> Any:
        with known:
            came[given] += 1
        return user_of(using, given)

    monkeypatch.setattr(identity, "user_of", counted)
    return came


@pytest.mark.parametrize(("call", "status"), [(photographs, 201), (another_distance, 200)])
def test_one_accounts_slow_calls_leave_threads_for_everybody_else(
    shop: Shop,
    stranger: Shop,
    callers: Counter[str],
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    status: int,
) -> None:
    monkeypatch.setattr(Pictures, "_looked", gate.before(Pictures._looked))
    monkeypatch.setattr(Preview, "__call__", gate.before(Preview.__call__))
    with ThreadPoolExecutor(MANY) as pool:
        try:
            answers = [pool.submit(call, shop) for _ in range(MANY)]
            eventually(lambda: callers[shop.token] >= MANY, within_s=20)
            assert [stranger.client.get("/users/me", timeout=20).status_code for _ in range(20)] == [200] * 20
        finally:
            gate.open()
        assert {answer.result() for answer in answers} == {status}


def test_one_accounts_calls_that_wait_for_each_other_leave_connections_to_the_database_for_everybody_else(
    server: Threaded, shop: Shop, stranger: Shop, callers: Counter[str]
) -> None:
    """Whoever cancels locks the upload's files, and whoever cancels next waits for that with a connection in hand."""
    session = shop.uploaded([("rose.png", artwork(2))])["session_id"]

    def cancel() -> int:
        return shop.client.post(f"/api/v1/sessions/{session}/cancel").status_code

    engine = engine_of(server.place.database_url)
    with ThreadPoolExecutor(MANY) as pool:
        with engine.begin() as connection:
            of_session = "SELECT items.id FROM ingest.items JOIN ingest.sessions ON sessions.id = session_id"
            connection.execute(text(f"{of_session} WHERE client_key = :key FOR UPDATE OF items"), {"key": session})
            callers.clear()
            answers = [pool.submit(cancel) for _ in range(MANY)]
            eventually(lambda: callers[shop.token] >= MANY, within_s=20)
            assert [stranger.client.get("/users/me", timeout=10).status_code for _ in range(20)] == [200] * 20
        assert {answer.result() for answer in answers} == {200}
    engine.dispose()


def test_what_an_account_looks_at_does_not_wait_for_its_slow_calls(
    shop: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = asked_about(shop, "darker.png")
    monkeypatch.setattr(Preview, "__call__", gate.before(Preview.__call__))
    with ThreadPoolExecutor(MANY) as pool:
        try:
            answers = [pool.submit(another_distance, shop) for _ in range(8)]
            eventually(lambda: gate.came >= 4, within_s=20)
            (pair,) = shop.client.get(f"/api/v1/sessions/{session}/review", timeout=20).json()["pairs"]
            links = [pair["thumbnail_url"], pair["match_thumbnail_url"]] * 20
            assert {shop.client.get(link, timeout=20).status_code for link in links} == {200}
            assert shop.client.get("/api/v1/settings/duplicates", timeout=20).status_code == 200
            assert gate.came == 4, "and slow calls are as many as they may be"
        finally:
            gate.open()
        assert {answer.result() for answer in answers} == {200}


def test_one_accounts_thumbnails_leave_threads_for_everybody_else(
    shop: Shop, stranger: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = asked_about(shop, "darker.png")
    (pair,) = shop.get(session, "/review")["pairs"]
    monkeypatch.setattr(reviewing, "in_proportion", gate.before(reviewing.in_proportion))
    with ThreadPoolExecutor(MANY) as pool:
        try:
            answers = [pool.submit(shop.client.get, pair["thumbnail_url"]) for _ in range(MANY)]
            eventually(lambda: gate.came >= 4, within_s=20)
            assert [stranger.client.get("/users/me", timeout=20).status_code for _ in range(20)] == [200] * 20
            assert gate.came == 4
        finally:
            gate.open()
        assert {answer.result().status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    "path", ["/api/v1/settings/duplicates", "/api/v1/settings/duplicates/preview?distance=3", "/mockups/"]
)
def test_who_calls_is_looked_up_once(shop: Shop, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    looked_up, user_of = list[str](), identity.user_of

    def noted(using: Any, given: str) -> Any:
        looked_up.append(given)
        return user_of(using, given)

    monkeypatch.setattr(identity, "user_of", noted)
    assert shop.client.get(path).status_code == 200
    assert looked_up.count(shop.token) == 1


@pytest.mark.parametrize("slow", ["stat", "a piece"])
def test_a_slow_nas_leaves_threads_for_everybody_else_and_for_other_shops_files(
    server: Threaded, shop: Shop, stranger: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    for each in (shop, stranger):
        each.uploaded([("rose.png", artwork(3))])
    nas = server.desk.prints.nas
    stat, read = nas.stat, nas.read
    slow_stat, slow_pieces = gate.before(stat), gate.before(list)

    def slowly_found(path: str) -> Stat | None:
        found: Stat | None = (slow_stat if path.startswith(f"{shop.folder}/") else stat)(path)
        return found

    def slowly_read(path: str) -> Iterator[bytes]:
        pieces = read(path)
        yield next(pieces)
        yield from (slow_pieces if path.startswith(f"{shop.folder}/") else list)(pieces)

    monkeypatch.setattr(nas, "stat", slowly_found if slow == "stat" else stat)
    monkeypatch.setattr(nas, "read", slowly_read if slow == "a piece" else read)
    with ThreadPoolExecutor(MANY) as pool:
        try:
            answers = [pool.submit(design, shop) for _ in range(MANY)]
            eventually(lambda: gate.came >= 4, within_s=20)
            assert [stranger.client.get("/users/me", timeout=20).status_code for _ in range(20)] == [200] * 20
            assert design(stranger).status_code == 200
            assert gate.came == 4
        finally:
            gate.open()
        assert {answer.result().status_code for answer in answers} == {200}
        assert {answer.result().content for answer in answers} == {design(shop).content}


def test_who_waited_too_long_for_a_slow_nas_is_told_so(
    server: Threaded, shop: Shop, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.uploaded([("rose.png", artwork(4))])
    monkeypatch.setattr(nas_reading, "WAIT_S", 0.2)
    nas = server.desk.prints.nas
    monkeypatch.setattr(nas, "stat", gate.before(nas.stat))
    with ThreadPoolExecutor(4) as pool:
        try:
            answers = [pool.submit(design, shop) for _ in range(4)]
            eventually(lambda: gate.came >= 4, within_s=20)
            late = design(shop)
        finally:
            gate.open()
        assert (late.status_code, late.headers["Retry-After"]) == (503, "5")
        assert late.json()["detail"].startswith("The NAS answers slowly")
        assert late.headers["Access-Control-Allow-Origin"]
        assert {answer.result().status_code for answer in answers} == {200}
    assert design(shop).status_code == 200


def design(shop: Shop) -> httpx.Response:
    (name,) = shop.server.place.designs(shop.folder)
    return shop.client.get(f"/designs/nas-file/{shop.folder}/{PRODUCT}/{name}", timeout=60)
