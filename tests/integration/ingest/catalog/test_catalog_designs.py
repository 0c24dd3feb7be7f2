"""Stored designs, the gallery and its links: contract 1.6, 1.7."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert

from services.ingest.catalog.links import FileLinks
from services.ingest.sessions.tables import items, sessions
from tests.integration.ingest.catalog.test_catalog_settings import CANVAS, TEMPLATE, TEMPLATES, assert_moment
from tests.integration.ingest.catalog.world import SECRET, Caller, World, picture, registered

NAME = "UV 100 UVDTF_16oz_100.png"
PATH = f"UVDTF 16oz/{NAME}"


def stored(engine: Engine, owner: Caller, *, state: str = "stored", number: int = 100, shop: str = "NorthCups") -> UUID:
    """A design as an upload leaves it."""
    return design_of(engine, owner.id, state=state, number=number, shop=shop)


def design_of(
    engine: Engine, user_id: UUID, *, state: str = "stored", number: int = 100, shop: str = "NorthCups"
) -> UUID:
    """The same, of an account that nobody is logged in to."""
    session_id, item_id = uuid4(), uuid4()
    name = NAME.replace("100", str(number))
    common = {"user_id": user_id, "state": state}
    with engine.begin() as connection:
        connection.execute(insert(sessions).values(id=session_id, client_key=str(session_id), **common))
        connection.execute(
            insert(items).values(
                id=item_id,
                session_id=session_id,
                index=0,
                filename="rose.png",
                sha256="0" * 64,
                size=1,
                number=number,
                name=name,
                path=f"{shop}/UVDTF 16oz/{name}",
                print_size=123456,
                **common,
            )
        )
    return item_id


@pytest.fixture
def file(world: World) -> Path:
    """A design's file on the NAS."""
    path = world.nas_root / "NorthCups" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(picture())
    return path


def test_designs_have_the_fields_and_order_that_the_frontend_reads(world: World, ana: Caller) -> None:
    design_id = stored(world.engine, ana)
    answer = ana("GET", f"/designs/by-id/{design_id}")
    assert answer.status_code == 200
    expected = {
        "filename": NAME,
        "file_path": f"/share/Graphics/NorthCups/{PATH}",
        "description": None,
        "canvas_config_id": None,
        "size_config_id": None,
        "is_active": True,
        "is_digital": False,
        "id": str(design_id),
        "user_id": ana.user["id"],
        "created_at": answer.json()["created_at"],
        "updated_at": None,
        "platform": "etsy",
        "tags": [],
        "tags_metadata": None,
    }
    assert list(answer.json().items()) == list(expected.items())
    assert_moment(answer.json()["created_at"])
    assert ana("GET", "/designs/list").json() == {"designs": [expected], "total": 1}


def test_only_stored_designs_are_listed_newest_first(world: World, ana: Caller) -> None:
    ids = [str(stored(world.engine, ana, number=number)) for number in (100, 101, 102)]
    for state in ("received", "duplicate", "failed"):
        hidden = stored(world.engine, ana, state=state)
        assert ana("GET", f"/designs/by-id/{hidden}").status_code == 404
    page = ana("GET", "/designs/list?skip=1&limit=1").json()
    assert ([design["id"] for design in page["designs"]], page["total"]) == ([ids[1]], 3)


def test_a_design_is_changed_deleted_and_brought_back(world: World, ana: Caller) -> None:
    design_id = stored(world.engine, ana)
    template = ana.made(TEMPLATES, TEMPLATE)
    canvas = ana.made(f"/settings/{template['id']}/canvas-config", CANVAS)
    changes = {"description": "a rose", "canvas_config_id": canvas["id"], "file_path": "/etc/passwd"}
    changed = ana("PUT", f"/designs/update/{design_id}", json=changes)
    assert changed.status_code == 200
    assert changed.json()["description"] == "a rose"
    assert changed.json()["canvas_config_id"] == canvas["id"]
    assert changed.json()["file_path"] == f"/share/Graphics/NorthCups/{PATH}"
    deleted = ana("DELETE", f"/designs/delete/{design_id}").json()
    assert deleted["success"] is True
    assert deleted["message"] == "Design deleted. Its file stays on the NAS. Sent again, it gets another number."
    assert ana("GET", "/designs/list").json() == {"designs": [], "total": 0}
    assert ana("GET", "/designs/gallery").json()["files"] == []
    assert ana("DELETE", f"/designs/delete/{design_id}").status_code == 404
    back = ana("PUT", f"/designs/update/{design_id}", json={"is_active": True})
    assert back.json() == changed.json() | {"updated_at": back.json()["updated_at"]}


def test_another_shops_designs_do_not_exist(world: World, ana: Caller, ben: Caller) -> None:
    design_id = stored(world.engine, ana)
    own = stored(world.engine, ben, shop="SouthCups")
    template = ana.made(TEMPLATES, TEMPLATE)
    canvas = ana.made(f"/settings/{template['id']}/canvas-config", CANVAS)
    assert ben("GET", f"/designs/by-id/{design_id}").status_code == 404
    assert ben("PUT", f"/designs/update/{design_id}", json={"description": "mine"}).status_code == 404
    assert ben("DELETE", f"/designs/delete/{design_id}").status_code == 404
    assert ben("PUT", f"/designs/update/{own}", json={"canvas_config_id": canvas["id"]}).status_code == 404
    assert [design["id"] for design in ben("GET", "/designs/list").json()["designs"]] == [str(own)]
    assert ben("GET", "/designs/gallery").json()["total_files"] == 1
    assert ana("GET", f"/designs/by-id/{design_id}").json()["description"] is None


def test_the_gallery_links_to_files_that_need_no_header(world: World, ana: Caller, file: Path) -> None:
    stored(world.engine, ana)
    answer = ana("GET", "/designs/gallery")
    assert answer.status_code == 200
    (shown,) = answer.json()["files"]
    url = urlsplit(shown["url"])
    assert (url.scheme, url.netloc) == ("http", "testserver")
    assert url.path == "/designs/nas-file/NorthCups/UVDTF%2016oz/UV%20100%20UVDTF_16oz_100.png"
    assert shown["path"] == shown["url"]
    assert shown | {"path": "", "url": "", "last_modified": ""} == {
        "filename": NAME,
        "path": "",
        "url": "",
        "template_name": "UVDTF 16oz",
        "nas_path": PATH,
        "file_size": 123456,
        "last_modified": "",
    }
    assert len(shown["last_modified"]) == len("2025-09-24T12:00:05")
    image = ana.client.get(shown["url"])
    assert (image.status_code, image.content) == (200, file.read_bytes())


def test_the_public_address_comes_before_the_requests(world: World, ana: Caller) -> None:
    stored(world.engine, ana)
    public = world.resources.settings.model_copy(update={"public_url": "https://api.example.com/"})
    client = replace(world, resources=replace(world.resources, settings=public)).client()
    (shown,) = Caller(client, ana.user, ana.token)("GET", "/designs/gallery").json()["files"]
    assert shown["url"].startswith("https://api.example.com/designs/nas-file/NorthCups/")


def test_the_owner_gets_a_file_with_headers_that_make_it_harmless(ana: Caller, file: Path) -> None:
    answer = ana("GET", f"/designs/nas-file/NorthCups/{PATH}")
    assert (answer.status_code, answer.content) == (200, file.read_bytes())
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == f"inline; filename*=UTF-8''{NAME.replace(' ', '%20')}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Length"] == str(file.stat().st_size)


def test_a_file_larger_than_one_piece_arrives_whole(ana: Caller, file: Path) -> None:
    content = bytes(range(256)) * 20_000
    file.write_bytes(content)
    assert ana("GET", f"/designs/nas-file/NorthCups/{PATH}").content == content


def test_another_shop_or_nobody_gets_no_file(ana: Caller, ben: Caller, file: Path) -> None:
    path = f"/designs/nas-file/NorthCups/{PATH}"
    assert file.exists()
    assert ben("GET", path).status_code == 401
    assert ana.client.get(path).json() == {"detail": "Not authenticated"}
    for answer in (ben("GET", path), ben("GET", path.replace("NorthCups", "Nobody"))):
        assert "etsy" not in answer.text.lower()


def test_a_link_is_good_for_one_file_of_one_shop_for_a_while(world: World, ana: Caller, file: Path) -> None:
    stored(world.engine, ana)
    (shown,) = ana("GET", "/designs/gallery").json()["files"]
    url = urlsplit(shown["url"])
    query = dict(parse_qsl(url.query))
    file.with_name("other.png").write_bytes(b"other")
    later = {"expires": str(int(query["expires"]) + 1), "signature": query["signature"]}
    ended = FileLinks(SECRET.encode(), -1).url("", "NorthCups", PATH, datetime.now(UTC))
    assert ana.client.get(url.path, params=query).status_code == 200
    assert ana.client.get(url.path, params=later).status_code == 401
    assert ana.client.get(url.path.replace(NAME.replace(" ", "%20"), "other.png"), params=query).status_code == 401
    assert ana.client.get(url.path.replace("NorthCups", "SouthCups"), params=query).status_code == 401
    assert ana.client.get(ended).status_code == 401
    assert ana.client.get(url.path, params=query | {"signature": "\xe9"}).status_code == 401
    assert ana.client.get("/users/me", headers={"Authorization": f"Bearer {query['signature']}"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "missing.png",
        "UVDTF 16oz",
        "",
        "..%2F..%2Fetc%2Fpasswd",
        "%2E%2E/SouthCups/secret.png",
        "UVDTF 16oz/..%2F..%2FSouthCups%2Fsecret.png",
        "..%5CSouthCups%5Csecret.png",
        "%2Fetc%2Fpasswd",
        ".hidden.png",
        "a%00b.png",
        "x" * 5000,
    ],
)
def test_what_is_no_file_of_the_shop_is_not_found(world: World, ana: Caller, file: Path, path: str) -> None:
    other = world.nas_root / "SouthCups"
    other.mkdir()
    (other / "secret.png").write_bytes(b"secret")
    (file.parent.parent / ".hidden.png").write_bytes(b"hidden")
    answer = ana("GET", f"/designs/nas-file/NorthCups/{path}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_a_shop_is_also_known_by_its_name_when_its_folder_differs(world: World, ana: Caller, file: Path) -> None:
    twin = registered(world.client(), "twin@example.com", "NorthCups")
    own = world.nas_root / "NorthCups 2" / PATH
    own.parent.mkdir(parents=True)
    own.write_bytes(b"the twin's")
    assert twin("GET", f"/designs/nas-file/NorthCups/{PATH}").content == b"the twin's"
    assert twin("GET", f"/designs/nas-file/NorthCups 2/{PATH}").content == b"the twin's"
    assert ana("GET", f"/designs/nas-file/NorthCups/{PATH}").content == file.read_bytes()
    assert ana("GET", f"/designs/nas-file/NorthCups 2/{PATH}").status_code == 401
