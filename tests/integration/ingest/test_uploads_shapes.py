"""The three upload calls as the existing client makes and reads them: contract 1.2, 1.4 and 1.6, field by field."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.ingest.sessions.serving.outcome_text import TRIED
from tests.integration.ingest import artworks, frontend
from tests.integration.ingest.embedded import ORIGIN, Threaded
from tests.integration.ingest.frontend import Shop
from tests.seller import PASSWORD

MIB = 1024 * 1024
DESIGN = {
    "filename": str,
    "file_path": str,
    "description": str | None,
    "canvas_config_id": str,
    "size_config_id": None,
    "is_active": bool,
    "is_digital": bool,
    "id": str,
    "user_id": str,
    "created_at": str,
    "updated_at": str | None,
    "platform": str,
    "tags": list,
    "tags_metadata": None,
}


def readable(answer: httpx.Response) -> bool:
    """A browser lets the frontend read this answer."""
    names = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers")
    return [answer.headers.get(name) for name in names] == [ORIGIN, "true", "*"]


def announced(shop: Shop, **kwargs: Any) -> dict[str, Any]:
    answer = shop.client.post("/designs/start-upload", **kwargs)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert readable(answer)
    found: dict[str, Any] = answer.json()
    assert list(found) == ["session_id", "estimated_time", "total_size_mb", "file_count"]
    UUID(found["session_id"])
    return found


def test_start_upload_estimates_from_sizes_that_it_counts(user: Shop) -> None:
    found = announced(user, files=frontend.parts([("a.png", b"x" * MIB), ("b.png", b"y" * (MIB + MIB // 4))]))
    assert (found["estimated_time"], found["total_size_mb"], found["file_count"]) == (14.5, 2.25, 2)
    one = announced(user, files=frontend.parts([("a.png", b"x")]))
    assert (one["estimated_time"], one["total_size_mb"], one["file_count"]) == (10.0, 0.0, 1)
    assert one["session_id"] != found["session_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"content": b"--frontier--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=frontier"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=frontier"}},
        {"content": b""},
        {"files": {"note": (None, "no file at all")}},
    ],
    ids=["empty form", "no body", "no body and no type", "only a field"],
)
def test_start_upload_takes_no_files_at_all(user: Shop, body: dict[str, Any]) -> None:
    found = announced(user, **body)
    assert (found["estimated_time"], found["total_size_mb"], found["file_count"]) == (10.0, 0.0, 0)


def test_an_upload_answers_with_designs_in_the_shape_of_the_contract(shop: Shop) -> None:
    session = shop.start(artworks.designs(2))
    answer = shop.upload(artworks.designs(2), session, description="two", unknown_key=1)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert readable(answer)
    body = answer.json()
    assert (body["total"], body["session_id"], body["skipped"]) == (2, session, [])
    for name, found in zip(artworks.print_names(100, 101), body["designs"], strict=True):
        assert set(found) == set(DESIGN)
        assert all(isinstance(found[key], kind) if kind else found[key] is None for key, kind in DESIGN.items())
        assert (found["filename"], found["description"]) == (name, "two")
        assert found["file_path"] == f"/share/Graphics/{shop.folder}/UVDTF 16oz/{name}"
        assert (found["canvas_config_id"], found["user_id"]) == (shop.canvas, shop.user["id"])
        assert found["is_active"] is True
        assert found["is_digital"] is False
        UUID(found["id"])
        assert datetime.fromisoformat(found["created_at"]).tzinfo is not None
    assert shop.server.place.designs(shop.folder) == artworks.print_names(100, 101)


def test_listing_designs_tells_the_user_what_became_of_each_file(shop: Shop) -> None:
    good, bad = artworks.designs(2), [("c.png", b"no picture")]
    session = shop.start()
    ids = [found["id"] for found in shop.uploaded([*good, ("copy.png", good[0][1]), *bad], session)["designs"]]
    answer = shop.list_designs(ids)
    assert answer.status_code == 201
    assert readable(answer)
    body = answer.json()
    assert list(body) == ["success", "success_code", "message", "result", "listings"]
    assert body["listings"] == {"listed": 2, "failed": 0, "cancelled": 0, "in_progress": 0, "already_listed": 0}
    assert (body["success"], body["success_code"]) == (True, 200)
    assert body["message"] == "Successfully processed mockup files and created listings in a dry run."
    assert body["result"]["digital_message"] is None
    summary, *lines, last = body["result"]["message"].split("\n")
    assert last == TRIED
    assert summary == "2 listings created, 1 duplicate skipped, 1 file could not be used."
    assert len(lines) == 2
    (name,) = artworks.print_names(100)
    assert lines[0] == f"copy.png: the same file as {good[0][0]} ({name}) in this upload, byte for byte"
    assert lines[1] == "c.png: not an image; export it as PNG or JPEG"


def wrong_calls(server: Threaded, shop: Shop) -> Iterator[tuple[int, httpx.Response]]:
    """One call of the upload screen for each kind of refusal."""
    files = artworks.designs(1)
    session = shop.start()
    yield 401, shop.client.post("/designs/", headers={"Authorization": "Bearer nonsense"}, files=frontend.parts(files))
    yield 401, shop.client.get(f"/designs/progress/{session}", params={"token": "nonsense"})
    yield 404, shop.upload(files, session, product_template_id=str(uuid4()))
    yield 405, shop.client.get("/designs/")
    assert shop.upload(files, session).status_code == 201
    yield 409, shop.upload(artworks.designs(1, first=2), session)
    field = {"files": ("a.png", b"x"), "design_data": (None, b"{" + b" " * 2 * MIB)}
    yield 413, shop.client.post("/designs/", files=field)
    yield 422, shop.client.post("/designs/", files=frontend.parts(files))
    with server.desk.sessions.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ingest.items RENAME TO moved_away"))
    try:
        yield 500, shop.upload(artworks.designs(1, first=3))
    finally:
        with server.desk.sessions.engine.begin() as connection:
            connection.execute(text("ALTER TABLE ingest.moved_away RENAME TO items"))


def test_the_mockup_shows_the_next_number_once_an_upload_is_listed(shop: Shop) -> None:
    ids = [design["id"] for design in shop.uploaded(artworks.designs(3), shop.start())["designs"]]
    assert starting_number(shop) == 100
    shop.list_designs(ids[1:])
    assert starting_number(shop) == 103
    shop.list_designs(ids)
    assert starting_number(shop) == 103


def starting_number(shop: Shop) -> int:
    found: int = shop.client.get("/mockups/").json()["mockups"][0]["starting_name"]
    return found


def test_every_refusal_is_json_that_the_frontend_may_read(server: Threaded, shop: Shop) -> None:
    for status, answer in wrong_calls(server, shop):
        assert answer.status_code == status, answer.text
        assert readable(answer), f"without CORS headers a {status} looks like a network failure and is sent again"
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["detail"]


def test_a_server_error_does_not_end_the_work_of_others(server: Threaded, shop: Shop) -> None:
    statuses = [answer.status_code for _, answer in wrong_calls(server, shop)]
    assert statuses[-1] == 500
    session = shop.start()
    ids = [found["id"] for found in shop.uploaded(artworks.designs(2, first=4), session)["designs"]]
    assert shop.list_designs(ids).json()["result"]["message"] == f"2 listings created.\n{TRIED}"


def test_tokens_that_are_missing_or_bad_get_the_words_of_the_old_system(user: Shop) -> None:
    session = user.start()
    for token in ("", "nonsense", user.token + "x"):
        answer = user.client.get(f"/designs/progress/{session}", params={"token": token})
        assert (answer.status_code, answer.json()) == (
            401,
            {"detail": "User ID cameback none. Invalid user token."},
        )
    for path in ("/designs/start-upload", "/designs/", "/mockups/upload-mockup"):
        nobody = user.client.post(path, headers={"Authorization": ""}, files=frontend.parts(artworks.designs(1)))
        assert (nobody.status_code, nobody.json()) == (401, {"detail": "Not authenticated"})
        bad = user.client.post(path, headers={"Authorization": "Bearer x.y.z"}, files={"files": ("a.png", b"a")})
        assert bad.status_code == 401
        assert "x.y.z" not in bad.text
        assert "etsy" not in bad.text.lower()
    assert PASSWORD not in user.client.get("/users/me").text


def test_paths_are_served_literally_and_never_through_a_redirect(user: Shop) -> None:
    files = frontend.parts(artworks.designs(1))
    assert user.client.post("/designs", files=files).status_code in (404, 405)
    assert user.client.post("/designs/start-upload/", files=files).status_code in (404, 405)
    assert user.client.post("/mockups/upload-mockup/", files=files).status_code in (404, 405)
