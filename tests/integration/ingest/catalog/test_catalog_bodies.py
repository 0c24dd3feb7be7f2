"""How much is read of a body: as much as its route may get, whatever the body calls itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.ingest.sessions.intake.admission import Door, Room
from tests.integration.ingest.catalog.world import Caller, World, picture, registered

MB = 1 << 20
CAP_MB = 3
ORIGIN = "https://app.example.com"
FORM = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
WITH_FILES = (
    ("POST", "/mockups/upload"),
    ("PUT", f"/mockups/{uuid4()}/update-watermark"),
    ("PUT", f"/mockups/images/{uuid4()}/watermark-upload"),
    ("PUT", f"/api/v1/mockups/images/{uuid4()}/template"),
)


@dataclass
class Endless:
    """A body that goes on for as long as somebody reads it, and how much of it was."""

    start: bytes = b""
    read: int = field(default=0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.start
        for _ in range(100):
            self.read += MB
            yield b" " * MB


@pytest.fixture
def small(world: World) -> World:
    """Where all photographs of one request may have 3 MB, and each of them 1 MB."""
    few = {"mockup_upload_max_megabytes": CAP_MB, "mockup_max_megabytes": 1}
    return replace(world, resources=replace(world.resources, settings=world.resources.settings.model_copy(update=few)))


def caller(world: World, room: Room | None = None) -> Caller:
    """A shop; with room, of a server whose blob folder has no more."""
    door = room and Door(world.engine, world.nas_root.parent, room, lambda: 0)
    return registered(replace(world, resources=replace(world.resources, door=door)).client(), "ana@x.example", "Cups")


def refused(answer: httpx.Response, status: int) -> str:
    """The words of a refusal that a browser may read."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    return str(answer.json()["detail"])


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/x", FORM, None])
@pytest.mark.parametrize("path", ["/auth/register", "/auth/token", "/auth/refresh-token"])
def test_nobody_gets_more_read_without_a_login_than_a_plain_body(world: World, path: str, kind: str | None) -> None:
    body = Endless(FILE if kind == FORM else b"")
    headers = {"Origin": ORIGIN} | ({"Content-Type": kind} if kind else {})
    answer = world.client().post(path, content=body, headers=headers)
    if path == "/auth/token" and kind != FORM:  # no form at all: nothing of it is read
        assert (answer.status_code, body.read) == (422, 0)
        return
    assert refused(answer, 413) == "The body is larger than 8 MB."
    assert body.read < 12 * MB


def test_a_body_that_says_it_is_too_large_is_not_read(world: World) -> None:
    body = Endless()
    headers = {"Origin": ORIGIN, "Content-Length": str(100 * MB)}
    assert refused(world.client().post("/auth/register", content=body, headers=headers), 413)
    assert body.read == 0


def test_a_route_without_files_reads_no_more_of_a_form_than_of_another_body(world: World) -> None:
    body = Endless(FILE)
    ana = caller(world)
    answer = ana("PUT", f"/mockups/update/{uuid4()}", content=body, headers={"Content-Type": FORM, "Origin": ORIGIN})
    assert refused(answer, 413) == "The body is larger than 8 MB."
    assert body.read < 12 * MB


def test_files_of_a_stranger_are_not_read(world: World) -> None:
    async def files() -> AsyncIterator[bytes]:
        pytest.fail("the form was read before the caller was known")
        yield b""

    headers = {"Content-Type": FORM, "Authorization": "Bearer garbage"}
    for method, path in WITH_FILES:
        answer = world.client().request(method, path, content=files(), headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Could not properly decode token."})


def test_photographs_are_read_up_to_a_limit_of_their_own(small: World) -> None:
    ana = caller(small)
    for method, path in WITH_FILES:
        body = Endless(FILE)
        answer = ana(method, path, content=body, headers={"Content-Type": FORM, "Origin": ORIGIN})
        words = refused(answer, 413)
        assert words.startswith("These files have more than ")
        assert words.endswith(" MB together; send fewer of them at a time, or smaller ones.")
        assert body.read < 8 * MB


def test_one_watermark_may_have_less_than_all_photographs_together(small: World) -> None:
    ana = caller(small)
    headers = {"Content-Type": FORM, "Origin": ORIGIN, "Content-Length": str(5 * MB // 2)}
    answer = ana("PUT", f"/mockups/{uuid4()}/update-watermark", content=Endless(FILE), headers=headers)
    assert "more than 1 MB together" in refused(answer, 413)


def test_many_small_files_are_refused_before_they_fill_the_memory(world: World) -> None:
    one = FILE + b"x\r\n"
    answer = caller(world)("POST", "/mockups/upload", content=one * 60 + b"--b--", headers={"Content-Type": FORM})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Too many files. Maximum number of files is 51."})


@pytest.mark.parametrize("room", [{"free_bytes": 10**18}, {"spool_bytes": 1}], ids=["disk", "spool"])
def test_where_there_is_no_room_photographs_are_not_read(world: World, room: dict[str, int]) -> None:
    ana = caller(world, Room(**{"free_bytes": 0, "spool_bytes": 0, "outbox_age_s": 900, "files_of_user": 10} | room))
    for method, path in WITH_FILES:
        body = Endless(FILE)
        headers = {"Content-Type": FORM, "Origin": ORIGIN, "Content-Length": str(MB)}
        answer = ana(method, path, content=body, headers=headers)
        assert "no room" in refused(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert body.read == 0


def test_photographs_of_unknown_length_need_room_for_as_much_as_they_may_have(small: World) -> None:
    ana = caller(small, Room(free_bytes=0, spool_bytes=2 * MB, outbox_age_s=900, files_of_user=10))
    assert "no room" in refused(sent(ana, chunked=True), 503)
    assert sent(ana, chunked=False).status_code == 404, "of a known one: there is no such group"


def sent(caller: Caller, *, chunked: bool) -> httpx.Response:
    """A photograph for a group that is not there."""
    files: Any = {"files": ("photo.png", picture(), "image/png")}
    request = httpx.Request("POST", "http://x", data={"mockup_id": str(uuid4())}, files=files)
    body = request.read()

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    headers = {"Content-Type": request.headers["Content-Type"], "Origin": ORIGIN}
    return caller("POST", "/mockups/upload", content=pieces() if chunked else body, headers=headers)
