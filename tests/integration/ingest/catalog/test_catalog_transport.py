"""CORS, error shapes, literal paths and health: contract 0, 1.1 and 1.2."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import cast
from uuid import uuid4

import pytest
from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from services.ingest.api.identity import BAD_STREAM_TOKEN
from services.ingest.api.resources import build
from services.ingest.sessions.intake.admission import Door
from shared.database import engine_of
from shared.errors import Unavailable
from tests.integration.ingest.catalog.world import QUICK, Browser, Caller, World

ALLOWED = ("http://localhost:3000", "http://127.0.0.1:3000", "https://app.example.com")
OPEN = {"/auth/token", "/auth/register", "/health", "/ping", "/ready", "/metrics"}
STREAM = "/designs/progress/"
"""Browsers' event streams have their token in the address; who has none is told so in the old system's words."""


def odd_routes() -> APIRouter:
    """Calls that go wrong."""
    router = APIRouter()

    @router.get("/boom")
    def boom() -> None:
        raise RuntimeError("the password is hunter2")

    @router.get("/away")
    def away() -> None:
        raise Unavailable("postgres at 10.0.0.5 does not answer")

    @router.get("/too-large")
    def too_large() -> None:
        raise HTTPException(413, "too large")

    @router.get("/frames")
    def frames() -> StreamingResponse:
        def pieces() -> Iterator[bytes]:
            yield b"data: {}\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return router


@pytest.fixture
def browser(world: World) -> Browser:
    return world.client(routers=(odd_routes(),))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/frames", 200),
        ("GET", "/users/me", 401),
        ("GET", "/no-such-path", 404),
        ("DELETE", "/health", 405),
        ("GET", "/too-large", 413),
        ("POST", "/auth/register", 422),
        ("GET", "/boom", 500),
        ("GET", "/away", 503),
    ],
)
def test_every_answer_can_be_read_by_an_allowed_origin(browser: Browser, method: str, path: str, status: int) -> None:
    for origin in ALLOWED:
        answer = browser.request(method, path, headers={"Origin": origin})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Access-Control-Expose-Headers"] == "*"
    foreign = browser.request(method, path, headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_a_person_who_opens_the_servers_address_gets_its_documentation(browser: Browser) -> None:
    answer = browser.request("GET", "/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/docs")


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_documentation_is_shown_without_internet(browser: Browser, page: str) -> None:
    answer = browser.request("GET", page)
    assert answer.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/"), f"{page} loads {address} from elsewhere"
        assert browser.request("GET", address).status_code == 200


def preflight(browser: Browser, origin: str, method: str = "POST") -> tuple[int, dict[str, str]]:
    """What a browser asks before it sends an upload."""
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,x-odd"}
    answer = browser.request("OPTIONS", "/designs/", headers={"Origin": origin} | asked)
    return answer.status_code, dict(answer.headers)


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_preflight_from_an_allowed_origin_allows_everything_the_client_sends(browser: Browser, origin: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        status, headers = preflight(browser, origin, method)
        assert status == 200
        assert headers["access-control-allow-origin"] == origin
        assert headers["access-control-allow-credentials"] == "true"
        assert set(headers["access-control-allow-headers"].split(",")) >= {"authorization", "x-odd"}
        allowed = set(headers["access-control-allow-methods"].split(", "))
        assert allowed == {"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"}
        assert headers["access-control-max-age"] == "600"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3001", "https://app.example.com.evil.example"]
)
def test_a_preflight_from_elsewhere_is_refused(browser: Browser, origin: str) -> None:
    status, headers = preflight(browser, origin)
    assert status == 400
    assert headers.get("access-control-allow-origin") != origin


def test_an_unforeseen_error_tells_no_more_than_the_number_under_which_it_was_logged(
    world: World, browser: Browser
) -> None:
    answer = browser.get("/boom")
    assert answer.status_code == 500
    found = re.fullmatch(r"Server error ([0-9a-f]{12}): please report this number\.", answer.json()["detail"])
    assert found
    (entry,) = (entry for entry in world.logs if entry["log_level"] == "error")
    assert (entry["error_id"], entry["path"], entry["exc_info"]) == (found[1], "/boom", True)


def test_an_outage_behind_is_a_503_without_addresses(browser: Browser) -> None:
    answer = browser.get("/away")
    assert (answer.status_code, list(answer.json())) == (503, ["detail"])
    assert "10.0.0.5" not in answer.text
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    "body", ["", "{", '{"name": ', "[]", "null", '"text"', "7", '{"name": 1}', '{"name": NaN}', '{"name": "\\ud800"}']
)
def test_malformed_json_is_a_422_in_the_known_shape(ana: Caller, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ana("POST", "/settings/product-template", content=body, headers=headers)
    assert answer.status_code == 422
    assert set(answer.json()) == {"detail", "body_info"}
    assert isinstance(answer.json()["body_info"], str)
    assert {frozenset(problem) for problem in answer.json()["detail"]} == {frozenset({"type", "loc", "msg", "input"})}


def test_a_body_in_no_encoding_is_refused(ana: Caller) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ana("POST", "/settings/product-template", content=b"\xff", headers=headers)
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_deeply_nested_json_is_refused(ana: Caller) -> None:
    headers = {"Content-Type": "application/json"}
    for body in ("[" * 100_000, '{"name": ' + "[" * 500 + "]" * 500 + "}"):
        answer = ana("POST", "/settings/product-template", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert "detail" in answer.json()


@pytest.mark.parametrize("path", ["/mockups", "/orders", "/settings/product-template/", "/users/me/", "/designs/list/"])
def test_slashes_are_literal_and_never_redirected(ana: Caller, path: str) -> None:
    assert ana("GET", path).status_code == 404


def test_ids_that_are_none_are_refused(ana: Caller) -> None:
    for path in ("/settings/product-template/7", "/mockups/by-id/x", "/designs/by-id/null"):
        answer = ana("GET", path)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][0] == "path"


def test_no_call_but_the_open_ones_works_without_a_token(world: World) -> None:
    client = world.client()
    calls = [
        (method.upper(), re.sub(r"\{[^}]+\}", str(uuid4()), path))
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
        if path not in OPEN
    ]
    assert len(calls) > 50
    assert any(path.startswith(STREAM) for _, path in calls)
    for method, path in calls:
        answer = client.request(method, path)
        assert (method, path, answer.status_code) == (method, path, 401)
        assert answer.json() == {"detail": BAD_STREAM_TOKEN if path.startswith(STREAM) else "Not authenticated"}


def test_health_and_ping_answer(world: World) -> None:
    for path in ("/health", "/ping"):
        answer = world.client().get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] in ("healthy", "ok")


READY = {"status": "ready", "database": "ok", "broker": "ok", "waits_for": []}


def test_ready_reports_database_broker_and_what_services_wait_for(world: World) -> None:
    answer = world.client().get("/ready")
    assert (answer.status_code, answer.json()) == (200, READY)


class Shut:
    """A door whose database is away."""

    def check(self, size: int) -> None:
        raise Unavailable(f"the database can't be used: no route to 10.0.0.7 ({size})")


def test_ready_names_no_host_when_uploads_are_refused(world: World) -> None:
    shut = replace(world.resources, door=cast("Door", Shut()))
    told = replace(world, resources=shut).client().get("/ready").json()
    assert told == READY | {"uploads": "refused: a part of this server can't be reached right now"}


def test_without_a_database_the_process_lives_but_is_not_ready(world: World, ana: Caller) -> None:
    gone = engine_of("postgresql+psycopg://nobody@127.0.0.1:1/none")
    old = world.resources
    resources = build(old.settings, gone, world.blobs, old.emit, old.neighbours, passwords=QUICK)
    client = replace(world, resources=resources).client()
    assert client.get("/health").status_code == 200
    ready = client.get("/ready")
    assert (ready.status_code, ready.json()["database"]) == (503, "away")
    answer = client.get("/users/me", headers={"Authorization": f"Bearer {ana.token}", "Origin": ALLOWED[0]})
    assert answer.status_code == 503
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED[0]
    gone.dispose()
