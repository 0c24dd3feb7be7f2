"""Requests that no frontend sends: each is answered with a status and words that fit it, and never with a 500."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.ingest.api import bodies
from services.ingest.api.upload_forms import MAX_DESIGNS
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.embedded import Threaded
from tests.integration.ingest.frontend import Shop

UNKNOWN = str(uuid4())
MIB = 1024 * 1024
FORM = "multipart/form-data; boundary=frontier"
PART = b'--frontier\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nabc'


@pytest.fixture(scope="module")
def shop(user: Shop) -> Shop:
    """One user for all: hardly a call of these changes anything."""
    return user


@pytest.fixture(scope="module")
def stranger(server: Threaded) -> Iterator[Shop]:
    with frontend.shop(server) as found:
        yield found


def words(answer: httpx.Response) -> str:
    """What it says is wrong; places in front."""
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        return detail
    assert all({"type", "loc", "msg", "input"} == set(problem) for problem in detail)
    assert answer.json()["body_info"].startswith("received: ")
    if detail[0]["type"] != "missing":
        assert answer.json()["body_info"].startswith("received: a form with the fields: ")
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in detail)


def post(shop: Shop, content: bytes, kind: str | None = FORM, path: str = "/designs/") -> httpx.Response:
    return shop.client.post(path, content=content, headers={"Content-Type": kind} if kind else {})


@pytest.fixture
def nothing_begun(shop: Shop) -> Iterator[None]:
    """What is refused leaves no session behind."""

    def begun() -> list[str]:  # by id only: those of tests before this one may still come to their end
        return [session["session_id"] for session in shop.client.get("/api/v1/sessions").json()["sessions"]]

    before = begun()
    yield
    assert begun() == before


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "null",
        "[]",
        "[" * 100_000,
        '{"a":' * 50_000,
        "1" * 10_000,
        "\x00",
        '"\\ud800"',
        '{"product_template_id": NaN}',
    ],
    ids=lambda text: repr(text[:12]),
)
@pytest.mark.parametrize("path", ["/designs/", "/mockups/upload-mockup"])
def test_text_that_is_no_json_object_is_refused(shop: Shop, path: str, text: str) -> None:
    name = "design_data" if path == "/designs/" else "product_data"
    form = {"files": ("a.png", b"a"), name: (None, text.encode())}
    answer = shop.client.post(path, files=form)
    assert answer.status_code == 422, answer.text
    assert words(answer).startswith(f"body.{name}")


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_template_id", "no uuid"),
        ("product_template_id", 7),
        ("product_template_id", None),
        ("mockup_id", ""),
        ("mockup_id", {"a": 1}),
        ("starting_name", "one hundred"),
        ("starting_name", -1),
        ("starting_name", 1.5),
        ("starting_name", 10**30),
        ("starting_name", None),
        ("canvas_config_id", "no uuid"),
        ("size_config_id", []),
        ("is_digital", "perhaps"),
        ("description", 5),
        ("description", "a\x00b"),
        ("description", "\ud800"),
        ("description", "x" * 10_001),
        ("tags", "a,b"),
    ],
)
def test_design_data_of_a_wrong_type_is_refused(shop: Shop, name: str, value: Any) -> None:
    answer = shop.upload(artworks.designs(1), **{name: value})
    assert answer.status_code == 422, answer.text
    assert words(answer).startswith(f"body.design_data.{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_template_id", "no uuid"),
        ("mockup_id", 1),
        ("design_ids", None),
        ("design_ids", "no list"),
        ("design_ids", ["no uuid"]),
        ("design_ids", [None]),
        ("design_ids", [UNKNOWN] * 100_001),
    ],
)
def test_product_data_of_a_wrong_type_is_refused(shop: Shop, name: str, value: Any) -> None:
    answer = shop.list_designs([], **{name: value})
    assert answer.status_code in (413, 422), answer.text
    if answer.status_code == 422:
        assert words(answer).startswith(f"body.product_data.{name}")


@pytest.mark.parametrize("name", ["product_template_id", "mockup_id"])
def test_what_is_required_must_be_there(shop: Shop, name: str) -> None:
    data = {key: value for key, value in shop.design_data().items() if key != name}
    form = [*frontend.parts([("a.png", b"a")]), ("design_data", (None, json.dumps(data).encode(), "text/plain"))]
    answer = shop.client.post("/designs/", files=form)
    assert (answer.status_code, words(answer)) == (422, f"body.design_data.{name}: Field required")


def test_missing_parts_are_named_as_fastapi_names_them(shop: Shop) -> None:
    file, data = ("files", ("a.png", b"a")), ("design_data", (None, json.dumps(shop.design_data())))
    missing = {"type": "missing", "msg": "Field required", "input": None}
    for part, name in ((data, "files"), (file, "design_data")):
        answer = shop.client.post("/designs/", files=[part])
        assert answer.status_code == 422
        assert answer.json()["detail"] == [{**missing, "loc": ["body", name]}]
    answer = shop.client.post("/mockups/upload-mockup", files=[file])
    assert answer.json()["detail"] == [{**missing, "loc": ["body", "product_data"]}]


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize("name", ["product_template_id", "mockup_id", "canvas_config_id", "size_config_id"])
def test_what_is_unknown_or_anothers_is_refused_alike(shop: Shop, stranger: Shop, name: str) -> None:
    theirs = stranger.design_data()[name]
    for value in (UNKNOWN, theirs):
        answer = shop.upload(artworks.designs(1), **{name: value})
        assert answer.status_code in (404, 422)
        assert "There is no" in words(answer) or "no " in words(answer)
        assert stranger.folder not in words(answer)


@pytest.mark.parametrize("name", ["product_template_id", "mockup_id"])
def test_listings_of_what_is_unknown_or_anothers_are_refused_alike(shop: Shop, stranger: Shop, name: str) -> None:
    before = shop.server.place.listed(shop.folder)
    (made,) = shop.uploaded(artworks.fresh(1), shop.start())["designs"]
    for value in (UNKNOWN, stranger.design_data()[name]):
        assert shop.list_designs([made["id"]], **{name: value}).status_code in (404, 422)
    assert shop.server.place.listed(shop.folder) == before


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"a": 1}', "application/json"),
        (b"design_data=1", "application/x-www-form-urlencoded"),
        (b"abc", None),
        (b"abc", "text/plain"),
        (b"", FORM),
        (b"", None),
    ],
)
def test_a_body_that_is_no_form_is_refused(shop: Shop, content: bytes, kind: str | None) -> None:
    for path, name in (("/designs/", "files"), ("/mockups/upload-mockup", "product_data")):
        answer = post(shop, content, kind, path)
        assert (answer.status_code, words(answer)) == (422, f"body.{name}: Field required")


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PART, FORM),
        (PART + b"\r\n", FORM),
        (PART + b"\r\n--frontier", FORM),
        (PART + b"\r\n--frontier-", FORM),
        (PART[:-10], FORM),
        (PART[:30], FORM),
        (b"nothing of a form", FORM),
        (b"--another\r\n\r\n--another--", FORM),
        (PART + b"\r\n--frontier--", "multipart/form-data"),
        (PART + b"\r\n--frontier--", "multipart/form-data; boundary="),
        (PART + b"\r\n--frontier--", "multipart/form-data; boundary=" + "x" * 1000),
        (b"--frontier\r\nno colon here\r\n\r\nabc\r\n--frontier--", FORM),
        (b"--frontier\r\n" + b"a: b\r\n" * 100 + b"\r\nabc\r\n--frontier--", FORM),
        (b"--frontier\r\nContent-Disposition: " + b"x" * 3 * MIB, FORM),
    ],
    ids=lambda value: repr(value[-16:]) if isinstance(value, bytes) else None,
)
def test_a_damaged_form_is_refused_in_words(shop: Shop, content: bytes, kind: str) -> None:
    for path in ("/designs/start-upload", "/designs/", "/mockups/upload-mockup"):
        answer = post(shop, content, kind, path)
        assert answer.status_code == 400, answer.text
        assert words(answer).startswith("The upload is damaged (")
        assert words(answer).endswith("); send it again.")


def test_a_form_is_read_however_a_client_writes_it(shop: Shop) -> None:
    data = json.dumps(shop.design_data()).encode()
    ((name, png),) = artworks.fresh(1)
    body = (
        b"\r\n--frontier\r\ncontent-disposition: form-data; name=design_data; filename=blob\r\n\r\n%b\r\n"
        b'--frontier\r\nContent-Type: image/png\r\nContent-Disposition: form-data; filename="%b"; name="files"\r\n'
        b"Content-Length: 1\r\n\r\n%b\r\n--frontier--\r\nand an epilogue" % (data, name.encode(), png)
    )
    answer = post(shop, body, 'Multipart/Form-Data; charset=utf-8; Boundary="frontier"')
    assert answer.status_code == 201, answer.text
    assert answer.json()["total"] == 1


def test_as_many_designs_as_a_call_takes_fit_into_its_field(shop: Shop) -> None:
    ids = [str(uuid4()) for _ in range(MAX_DESIGNS)]
    assert shop.list_designs(ids).json()["message"] == "No designs available for processing. No Etsy listings created."
    refused = shop.list_designs([*ids, str(uuid4())])
    assert refused.status_code == 422
    assert "at most 20000 items" in refused.text


def test_a_field_may_hold_a_mebibyte_and_no_more(shop: Shop) -> None:
    for length, status in ((MIB, 422), (2 * MIB, 413)):
        form = [("files", ("a.png", b"a")), ("design_data", (None, b"{" + b" " * (length - 1)))]
        answer = shop.client.post("/designs/", files=form)
        assert answer.status_code == status
    assert "design_data" in words(answer)
    many = {f"field {number}": (None, "x") for number in range(1000)}
    assert shop.client.post("/designs/", files=many).status_code == 413


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize("session", ["x\x00y", "x" * 201])
def test_a_session_id_that_no_database_takes_is_refused(shop: Shop, session: str) -> None:
    answer = shop.upload(artworks.designs(1), session)
    assert (answer.status_code, words(answer).split(":")[0]) == (422, "body.session_id")


def test_a_session_id_may_be_any_text(shop: Shop) -> None:
    for number, session in enumerate(("../../etc/passwd", "'; DROP TABLE items; --", "\U0001f375 tea", "x" * 200)):
        assert shop.upload([("a.png", b"no picture %d" % number)], session).json()["session_id"] == session


def test_a_refused_upload_can_be_corrected_under_the_same_session(shop: Shop) -> None:
    session, files = shop.start(), artworks.fresh(1)
    assert shop.upload(files, session, starting_name=-1).status_code == 422
    assert shop.upload(files, session, product_template_id=UNKNOWN).status_code == 404
    assert shop.uploaded(files, session)["total"] == 1


@pytest.mark.usefixtures("nothing_begun")
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/designs/", FORM), ("/mockups/upload", FORM), ("/settings/product-template", "application/json")],
)
def test_a_body_that_stops_in_the_middle_is_answered_and_its_line_closed(
    server: Threaded, shop: Shop, path: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SILENCE_S", 0.3)
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {shop.token}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: 1000\r\n\r\n"
    with embedded.connected(server) as connection:
        connection.sendall(head.encode() + PART)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Nothing more of the request came for" in answer
