"""What is in the files: each ends in a state with a reason in words, and none takes the others with it."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from services.ingest.sessions.serving.outcome_text import TRIED
from tests.images import saved
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.artworks import File, artwork
from tests.integration.ingest.embedded import Threaded
from tests.integration.ingest.frontend import Shop
from tests.unit.hasher import samples

UNKNOWN = str(uuid4())
FRAMES = [artwork(50), artwork(51)]
GOOD = saved(artwork(60))

# name, content, state, words that its reason or its warnings must have
FILES = [
    ("zero.png", b"", "rejected", "the file is empty (0 bytes); export it again"),
    ("cut.png", GOOD[: len(GOOD) // 2], "rejected", "truncated after"),
    ("cut.jpg", saved(artwork(61).convert("RGB"), "JPEG")[:3000], "rejected", "truncated after"),
    ("page.png", b"<!DOCTYPE html><html><body>413</body></html>", "rejected", "a web page (HTML)"),
    ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "rejected", "an SVG drawing"),
    ("layers.psd", b"8BPS" + bytes(100), "rejected", "a Photoshop file (PSD)"),
    ("noise.png", bytes(range(256)) * 40, "rejected", "not an image"),
    ("bomb.png", samples.bomb(), "rejected", "its header claims more than 200 megapixels"),
    ("glass.png", saved(Image.new("RGBA", (200, 200))), "rejected", "transparent"),
    ("pixel.png", saved(Image.new("RGB", (1, 1), "red")), "rejected", "px"),
    ("moving.gif", saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]), "stored", "several frames"),
    ("deep.png", saved(Image.fromarray(np.asarray(artwork(52).convert("L")).astype(np.uint16) * 257), "PNG"),
     "stored", ""),
    ("inks.jpg", saved(artwork(53).convert("RGB").convert("CMYK"), "JPEG"), "stored", ""),
    ("really a jpeg.png", saved(artwork(54).convert("RGB"), "JPEG"), "stored", "it is a JPEG picture"),
    ("opaque.png", saved(artwork(55).convert("RGB")), "stored", ""),
    ("grey.png", saved(artwork(56).convert("L")), "stored", ""),
    ("palette.png", saved(artwork(57).quantize(64)), "stored", ""),
    ("good.png", GOOD, "stored", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def limited(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Threaded]:
    """A server that takes little."""
    small = {"MAX_FILES_PER_UPLOAD": "5", "MAX_UPLOAD_BYTES": "200000"}
    with (
        embedded.place(tmp_path_factory.mktemp("limited"), postgres_url, _template, **small) as here,
        embedded.serving(here) as running,
    ):
        yield running


def test_every_kind_of_file_has_its_own_end(shop: Shop) -> None:
    session = shop.start()
    body = shop.uploaded([(name, content) for name, content, _, _ in FILES], session)
    found = shop.items(session)
    assert [(item["filename"], item["state"]) for item in found] == [(name, state) for name, _, state, _ in FILES]
    for item, (name, _, state, words) in zip(found, FILES, strict=True):
        said = " ".join([item["reason"] or "", *item["warnings"]])
        assert words in said, f"{name}: {said!r}"
        if state == "rejected":
            assert item["reason"].startswith(f"{name}: ")
            assert item["code"]
            assert any(todo in item["reason"] for todo in ("export", "upload")), "it says what to do"
        assert (item["name"] is not None) == (state == "stored")
    names = [design["filename"] for design in body["designs"]]
    assert names == artworks.print_names(*range(100, 100 + len(names)))
    assert [skipped["filename"] for skipped in body["skipped"]] == [
        name for name, _, state, _ in FILES if state != "stored"
    ]


def test_one_corrupt_file_of_many_fails_alone(shop: Shop) -> None:
    session = shop.start()
    body = shop.uploaded([*artworks.designs(2), ("bad.png", GOOD[:500]), *artworks.designs(2, first=3)], session)
    assert body["total"] == 4
    assert [(skipped["filename"], skipped["state"]) for skipped in body["skipped"]] == [("bad.png", "rejected")]
    message = shop.list_designs([design["id"] for design in body["designs"]]).json()["result"]["message"]
    assert message.startswith("4 listings created, 1 file could not be used.\nbad.png: not an image (truncated")


def test_only_corrupt_files_are_an_answer_and_no_error(shop: Shop) -> None:
    body = shop.uploaded([("a.png", b"a"), ("b.png", GOOD[:99])], shop.start())
    assert (body["designs"], body["total"]) == ([], 0)
    answer = shop.list_designs([])
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    message = answer.json()["result"]["message"]
    assert message.startswith("No new designs, so no listings were created: 2 files could not be used.")
    assert "a.png: " in message
    assert "b.png: " in message


def test_only_duplicates_are_an_answer_that_names_them(shop: Shop) -> None:
    first = shop.uploaded(artworks.designs(2), shop.start())
    shop.list_designs([design["id"] for design in first["designs"]])
    renamed = [("copy one.png", artworks.design(1)[1]), ("copy two.png", artworks.design(2)[1])]
    body = shop.uploaded(renamed, shop.start())
    assert (body["designs"], body["total"]) == ([], 0)
    for skipped, design in zip(body["skipped"], first["designs"], strict=True):
        assert (skipped["state"], skipped["kind"]) == ("duplicate", "identical")
        assert skipped["match"]["item_id"] == design["id"]
    answer = shop.list_designs([])
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    summary, *lines = answer.json()["result"]["message"].split("\n")
    assert summary == "No new designs, so no listings were created: 2 duplicates skipped."
    assert [line.split(":")[0] for line in lines] == ["copy one.png", "copy two.png"]


def test_no_design_ids_without_any_upload_are_an_answer_too(shop: Shop) -> None:
    answer = shop.list_designs([])
    assert answer.status_code == 201
    assert answer.json()["result"]["message"]


def test_designs_that_are_unknown_foreign_or_deleted_are_not_listed(shop: Shop, stranger: Shop) -> None:
    kept, deleted = (design["id"] for design in shop.uploaded(artworks.designs(2), shop.start())["designs"])
    theirs = stranger.uploaded(artworks.designs(1, first=3), stranger.start())["designs"][0]["id"]
    assert shop.client.delete(f"/designs/delete/{deleted}").status_code == 200
    for useless in ([UNKNOWN], [theirs], [deleted], [UNKNOWN, theirs, deleted]):
        answer = shop.list_designs(useless)
        assert answer.status_code == 201
        assert answer.json() == {
            "success": False,
            "success_code": 400,
            "message": "No designs available for processing. No Etsy listings created.",
            "result": {
                "message": "No designs available for processing. No Etsy listings created.\n" + gone(len(useless)),
                "digital_message": None,
            },
            "listings": {"listed": 0, "failed": 0, "cancelled": 0, "in_progress": 0, "already_listed": 0},
        }
    assert shop.server.place.listed(shop.folder) == []
    answer = shop.list_designs([UNKNOWN, theirs, kept, deleted]).json()
    assert answer["success"] is True
    assert answer["result"]["message"] == f"1 listing created.\n{gone(3)}\n{TRIED}"
    assert len(shop.server.place.listed(shop.folder)) == 1
    assert shop.server.place.listed(stranger.folder) == []
    again = shop.uploaded(artworks.designs(1, first=2), shop.start())["designs"]
    assert [design["filename"] for design in again] == artworks.print_names(102), "it is what deleting it tells"


def gone(count: int) -> str:
    return f"{count} design{'s' if count > 1 else ''} not listed: deleted, or unknown here"


def test_designs_and_mockups_of_another_product_are_not_listed_as_this_one(shop: Shop) -> None:
    shirt = {"name": "DTF Shirt", "title": "| Shirt", "description": "Soft", "price": 9.0, "quantity": 5}
    product = shop.client.post("/settings/product-template", json=shirt).json()["id"]
    files = artworks.designs(1)
    mug = shop.uploaded(files, shop.start())["designs"][0]
    answer = shop.list_designs([mug["id"]], product_template_id=product)
    assert (answer.status_code, answer.json()["success"]) == (201, False)
    told = "Nothing was listed: The mockup 'Cup' shows another product; choose one of 'DTF Shirt'. Then ask again."
    assert answer.json()["result"]["message"] == told
    group = shop.client.post("/mockups/group", json={"name": "Shirt", "product_template_id": product}).json()["id"]
    pictures = [("files", ("a.png", GOOD)), ("watermark_file", ("b.png", GOOD))]
    assert shop.client.post("/mockups/upload", data={"mockup_id": group}, files=pictures).status_code == 201
    answer = shop.list_designs([mug["id"]], product_template_id=product, mockup_id=group)
    assert (answer.status_code, answer.json()["success"]) == (201, False)
    told = f"{files[0][0]} ({mug['filename']}): not listed: it belongs to another product than 'DTF Shirt'"
    assert answer.json()["result"]["message"].split("\n")[1:] == [told]
    assert shop.server.place.listed(shop.folder) == []


def test_an_upload_that_was_never_listed_is_listed_when_it_is_sent_again(shop: Shop) -> None:
    kept, deleted, *_ = shop.uploaded(artworks.designs(3), shop.start())["designs"]
    assert shop.client.delete(f"/designs/delete/{deleted['id']}").status_code == 200
    shop.list_designs([kept["id"]])
    body = shop.uploaded([artworks.designs(1)[0], artworks.designs(1, first=3)[0]], shop.start())
    assert body["designs"] == []
    first, again = (shop.list_designs([]).json() for _ in range(2))
    assert again["listings"] == {**first["listings"], "already_listed": 1}, "the call is repeated"
    assert again["result"]["message"].startswith("1 listed already, 2 duplicates skipped.")
    summary, note, *lines, last = first["result"]["message"].split("\n")
    assert last == TRIED
    assert summary == "1 listing created, 2 duplicates skipped."
    assert note.endswith(" was listed too: this upload brought its file again, and it had not been listed yet.")
    assert len(lines) == 2
    assert len(shop.server.place.listed(shop.folder)) == 2


def test_new_designs_take_those_along_that_an_earlier_upload_left_unlisted(shop: Shop) -> None:
    shop.uploaded(artworks.designs(2), shop.start())
    body = shop.uploaded(artworks.designs(4), shop.start())
    new = [design["id"] for design in body["designs"]]
    assert len(new) == 2
    assert shop.list_designs(new[:1]).json()["result"]["message"] == f"1 listing created.\n{TRIED}"
    assert len(shop.server.place.listed(shop.folder)) == 1, "who asks for a part of an upload wants just that"
    body = shop.list_designs(new).json()
    summary, note, *_ = body["result"]["message"].split("\n")
    assert body["message"] == summary == "4 listed, 1 of them already, 2 duplicates skipped."
    assert "100.png) and design 2.png (UV 101 " in note
    assert body["listings"]["already_listed"] == 1
    assert len(shop.server.place.listed(shop.folder)) == 4


def test_a_thousand_tiny_files_are_a_thousand_items(shop: Shop) -> None:
    files: list[File] = [(f"{number}.png", b"tiny %d" % number) for number in range(990)] + artworks.designs(10)
    session = shop.start(files)
    body = shop.uploaded(files, session)
    assert (body["total"], len(body["skipped"])) == (10, 990)
    assert [item["filename"] for item in shop.items(session)] == [name for name, _ in files]
    totals = shop.get(session)["totals"]
    assert (totals["received"], totals["rejected"], totals["stored"]) == (1000, 990, 10)


def test_a_file_over_the_limit_is_refused_in_words_and_the_others_go_on(limited: Threaded) -> None:
    large, name = bytes(200_001), "far too large.png"
    with frontend.shop(limited) as shop:
        announced = shop.client.post("/designs/start-upload", files=frontend.parts([(name, large)])).json()
        assert (announced["file_count"], announced["total_size_mb"]) == (1, 0.19)
        session = announced["session_id"]
        body = shop.uploaded([artworks.design(1), (name, large), artworks.design(2)], session)
        assert [design["filename"] for design in body["designs"]] == artworks.print_names(100, 101)
        item = shop.items(session)[1]
        assert (item["state"], item["code"], item["size"]) == ("rejected", "too_large", 200_001)
        assert item["reason"] == (f"{name}: 0.3 MB is more than the 0.2 MB that one file may have; export it smaller")
        assert not (limited.place.data / "blobs" / item["sha256"][:2] / item["sha256"]).exists()
        assert list((limited.place.data / "blobs" / "incoming").iterdir()) == []
        again = shop.uploaded([artworks.design(1), (name, large), artworks.design(2)], session)
        assert again == body


def test_a_file_of_exactly_the_limit_is_taken(limited: Threaded) -> None:
    with frontend.shop(limited) as shop:
        session = shop.start()
        shop.uploaded([("full.bin", bytes(200_000))], session)
        assert shop.items(session)[0]["code"] == "not_an_image"


def test_too_many_files_are_refused_before_anything_begins(limited: Threaded) -> None:
    with frontend.shop(limited) as shop:
        session = shop.start()
        answer = shop.upload(artworks.designs(6), session)
        assert answer.status_code == 413
        assert answer.json()["detail"] == "More than 5 files in one upload; send them in several uploads."
        assert shop.get(session)["totals"]["received"] == 0
        assert shop.uploaded(artworks.designs(5), session)["total"] == 5
        assert shop.client.post("/designs/start-upload", files=frontend.parts(artworks.designs(6))).status_code == 413


def test_a_refusal_reaches_a_client_that_is_still_sending(limited: Threaded) -> None:
    """A browser that can't read the answer takes it for a network failure and sends all of it again."""
    with frontend.shop(limited) as shop:
        files: list[File] = [(f"{number}.png", bytes(1 << 20)) for number in range(40)]
        answer = shop.upload(files)
        assert answer.status_code == 413
        assert answer.headers["access-control-allow-origin"] == embedded.ORIGIN
