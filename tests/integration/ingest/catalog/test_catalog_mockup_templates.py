"""Mockup templates: sent by the API, imported by the command, never seen by the frontend."""

import dataclasses
import functools
import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select, text, update
from typer.testing import CliRunner

from services.cli import app
from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from services.ingest.catalog.choices import mockup_group, photograph
from services.ingest.sessions.tables import items, outbox
from services.mockup.backgrounds import BackgroundCache, ready_background, template_fault
from services.mockup.pictures import jpeg
from services.mockup.provenance import origin_of, written
from services.ops.mockup_print_sizes import without_product
from services.ops.place import AWAY
from services.ops.spent import FIND
from tests.images import saved
from tests.integration.ingest.catalog.test_catalog_designs import stored
from tests.integration.ingest.catalog.test_catalog_mockups import made_group, mask, sent, uploaded
from tests.integration.ingest.catalog.world import Caller, World, picture

PHOTO = picture(size=(400, 300), colour="grey")
SQUARE = [[100, 50], [300, 50], [300, 250], [100, 250]]
AREA = {"name": "front", "shape": {"kind": "rectangle", "box": [100, 80, 300, 220]}, "shading": 0.5}


def template(**changes: Any) -> dict[str, Any]:
    return {"presswork_mockup": 1, "name": "Cup", "photograph": "cup.png", "areas": [AREA]} | changes


def layer(alpha: int = 0) -> bytes:
    return saved(Image.new("RGBA", (400, 300), (0, 90, 0, alpha)))


def put(caller: Caller, image_id: str, given: Any, **pictures: bytes) -> httpx.Response:
    files = [("template", ("presswork-mockup.json", json.dumps(given).encode(), "application/json"))]
    files += [("pictures", (f"{name}.png", data, "image/png")) for name, data in pictures.items()]
    return caller("PUT", f"/api/v1/mockups/images/{image_id}/template", files=files)


@pytest.fixture
def checked(world: World) -> World:
    """The application as `presswork run ingest` composes it: with the mockup service's judgement."""
    fault = functools.partial(template_fault, blobs=world.blobs)
    known = dataclasses.replace(world.resources.neighbours, template_fault=fault)
    object.__setattr__(world.resources, "neighbours", known)
    return world


@pytest.fixture
def image(checked: World, ana: Caller) -> dict[str, Any]:
    return uploaded(ana, made_group(ana)["id"], PHOTO)[0]


def test_a_template_is_kept_shown_and_taken_away_again(ana: Caller, image: dict[str, Any]) -> None:
    where = f"/api/v1/mockups/images/{image['id']}/template"
    assert ana("GET", where).status_code == 404
    answer = put(ana, image["id"], template(foreground="hand.png"), hand=layer())
    assert answer.status_code == 200, answer.text
    shown = ana("GET", where).json()
    assert shown == answer.json()
    assert shown["template"] == template(foreground="hand.png")
    assert list(shown["pictures"]) == ["hand.png"]
    assert ana("DELETE", where).status_code == 200
    assert ana("GET", where).status_code == 404


def test_the_frontend_sees_no_difference(ana: Caller, image: dict[str, Any]) -> None:
    before = ana("GET", "/mockups/").json()
    assert put(ana, image["id"], template()).status_code == 200
    after = ana("GET", "/mockups/").json()
    moment = after["mockups"][0]["mockup_images"][0].pop("updated_at")
    assert moment is not None
    before["mockups"][0]["mockup_images"][0].pop("updated_at")
    assert after == before


def test_mockups_are_made_with_template_and_masks(checked: World, ana: Caller, image: dict[str, Any]) -> None:
    assert put(ana, image["id"], template()).status_code == 200
    square = [[10, 10], [50, 10], [50, 50], [10, 50]]
    ana.made(f"/mockups/images/{image['id']}/mask-data", mask(masks=[square], points=[square]))
    with checked.engine.connect() as connection:
        (background,) = mockup_group(connection, ana.id, UUID(image["mockups_id"])).backgrounds
    ready = ready_background(background, checked.blobs, BackgroundCache(0))
    assert [area.box.size for area in ready.prepared.areas] == [(1000, 700), (200, 200)]
    assert ready.prepared.areas[0].glow is not None
    assert ready.prepared.areas[1].glow is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"areas": []}, "areas: it has too few entries"),
        ({"colour": "red"}, "the template: 'colour' is no setting of a template"),
        ({"foreground": "hand.png"}, "names hand.png, which was not sent with it"),
        ({"areas": [{"shape": {"kind": "rectangle", "box": [900, 900, 950, 950]}}]}, "lies outside the photograph"),
        ({"presswork_mockup": 2}, "presswork_mockup: it is 2; give 1"),
        ({"name": "half a \x00 name"}, "NUL"),
        ({"name": "\ud800"}, "half a character"),
    ],
    ids=["empty", "misspelt", "lacking", "outside", "version", "nul", "surrogate"],
)
def test_a_template_that_makes_no_mockup_is_refused_in_words_and_the_old_one_stays(
    ana: Caller, image: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    assert put(ana, image["id"], template()).status_code == 200
    answer = put(ana, image["id"], template(**changes))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert ana("GET", f"/api/v1/mockups/images/{image['id']}/template").json()["template"] == template()


def test_another_shop_neither_sees_nor_changes_it(ana: Caller, ben: Caller, image: dict[str, Any]) -> None:
    assert put(ana, image["id"], template()).status_code == 200
    where = f"/api/v1/mockups/images/{image['id']}/template"
    assert [ben("GET", where).status_code, put(ben, image["id"], template()).status_code] == [404, 404]
    assert ben("DELETE", where).status_code == 404
    assert ana("GET", where).status_code == 200


def test_its_blobs_are_needed_for_as_long_as_it_is_there(checked: World, ana: Caller, image: dict[str, Any]) -> None:
    shown = put(ana, image["id"], template(foreground="hand.png"), hand=layer()).json()
    names = {shown["blob"]["sha256"], shown["pictures"]["hand.png"]["sha256"]}
    every_blob_in_need = text(str(FIND).rpartition("SELECT sha256 FROM spent")[0] + "TABLE needed")  # noqa: S608 - no text of others
    with checked.engine.connect() as connection:
        assert names <= set(connection.execute(every_blob_in_need, {"before": datetime.now(UTC)}).scalars())
        ana("DELETE", f"/api/v1/mockups/images/{image['id']}/template")
        assert not names & set(connection.execute(every_blob_in_need, {"before": datetime.now(UTC)}).scalars())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cup"
    place.mkdir()
    (place / "cup.png").write_bytes(PHOTO)
    (place / "mask.png").write_bytes(picture(size=(400, 300), colour="white"))
    garment = {"mask": "mask.png", "colours": {"Black": "#202020", "Red": "#b01020"}}
    (place / "presswork-mockup.json").write_text(json.dumps(template(garment=garment)))
    return place


@pytest.fixture
def command(checked: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", checked.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("BLOB_DIR", str(checked.blobs.root))
    return lambda *words: CliRunner().invoke(app, ["mockup", *(str(word) for word in words)])


def test_a_folder_becomes_a_photograph_of_a_group_for_each_colour(
    command: Any, checked: World, ana: Caller, folder: Path, tmp_path: Path
) -> None:
    group = made_group(ana)
    (first,) = uploaded(ana, group["id"], PHOTO)
    told = len(checked.owed())
    said = command("import", folder, "--group", group["id"], "--colour", "Black", "--colour", "Red")
    assert said.exit_code == 0, said.output
    images = ana("GET", f"/mockups/by-id/{group['id']}").json()["mockup_images"]
    assert [image["id"] in said.output for image in images] == [False, True, True]
    assert {image["watermark_path"] for image in images} == {first["watermark_path"]}
    assert {file.path.rpartition("_")[2] for file in checked.owed()[told:]} == {"1.png", "2.png"}
    with checked.engine.connect() as connection:
        assert set(connection.execute(select(outbox.c.lane)).scalars()) == {"comprehensive"}
    chosen = [ana("GET", f"/api/v1/mockups/images/{image['id']}/template").json() for image in images[1:]]
    assert [entry["template"]["garment"]["colour"] for entry in chosen] == ["Black", "Red"]
    (tmp_path / "design.png").write_bytes(layer(255))
    out = tmp_path / "out.jpg"
    looked = command("preview", "--image", images[2]["id"], tmp_path / "design.png", "-o", out, "--outlines")
    assert looked.exit_code == 0, looked.output
    with Image.open(out) as made:
        red, green, _ = made.convert("RGB").getpixel((100, 100))  # type: ignore[misc]
    assert red > 3 * green


def test_a_folder_becomes_the_template_of_a_photograph_that_is_there(
    command: Any, ana: Caller, image: dict[str, Any], folder: Path
) -> None:
    said = command("import", folder, "--image", image["id"])
    assert said.exit_code == 0, said.output
    assert ana("GET", f"/api/v1/mockups/images/{image['id']}/template").json()["template"]["name"] == "Cup"
    (folder / "cup.png").write_bytes(picture(size=(800, 600)))
    refused = command("import", folder, "--image", image["id"])
    assert refused.exit_code == 1
    assert "400 x 300 pixels and the template's 800 x 600" in refused.output


def test_nothing_is_imported_from_a_faulty_folder_or_for_an_unknown_group(
    command: Any, ana: Caller, folder: Path
) -> None:
    group = made_group(ana)
    assert "There is no mockup" in command("import", folder, "--group", uuid4()).output
    (folder / "mask.png").unlink()
    said = command("import", folder, "--group", group["id"], "--colour", "Red")
    assert said.exit_code == 1
    assert "mask.png can't be read" in said.output
    assert ana("GET", f"/mockups/by-id/{group['id']}").json()["mockup_images"] == []


def test_the_command_says_what_it_can_not_show(command: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "design.png").write_bytes(layer(255))
    lost = command("preview", "--image", uuid4(), tmp_path / "design.png")
    assert lost.exit_code == 3
    assert "There is no mockup photograph" in lost.output
    assert command("preview", tmp_path / "design.png").exit_code == 2
    assert command("import", folder).exit_code == 2
    assert "can't be read" in command("preview", tmp_path, tmp_path / "design.png").output


def test_a_preview_beside_a_blob_store_that_is_away_ends_in_words(
    command: Any, checked: World, image: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "design.png").write_bytes(layer(255))
    shutil.rmtree(checked.blobs.root)
    said = command("preview", "--image", image["id"], tmp_path / "design.png", "--size", "digital")
    assert said.exit_code == AWAY, said.output
    assert "is not there (not mounted?). Nothing more was done" in said.output


def test_groups_and_photographs_are_named_as_people_call_them(
    command: Any, ana: Caller, ben: Caller, folder: Path, tmp_path: Path
) -> None:
    glass, mug = made_group(ana, "Glass cup"), made_group(ana, "Mug", "Mug 11oz")
    said = command("import", folder, "--group", "glass CUP", "--colour", "Black")
    assert said.exit_code == 0, said.output
    (image,) = ana("GET", f"/mockups/by-id/{glass['id']}").json()["mockup_images"]
    assert image["id"] in said.output
    for name in ("Glass cup", image["filename"], image["id"][:8], image["id"].upper()):
        said = command("import", folder, "--image", name, "--colour", "Red")
        assert (said.exit_code, image["id"] in said.output) == (0, True), said.output
    lost = command("import", folder, "--group", "Poster")
    assert lost.exit_code == 3
    assert lost.output.splitlines() == [
        "There is no mockup group 'Poster'; there are:",
        f"{glass['id']}  Glass cup (NorthCups, ana@example.com)",
        f"{mug['id']}  Mug (NorthCups, ana@example.com)",
    ]


def test_what_several_are_meant_by_is_listed_and_nothing_is_kept(
    command: Any, checked: World, ana: Caller, ben: Caller, folder: Path
) -> None:
    groups = [made_group(caller, "Cup") for caller in (ana, ben)]
    said = command("import", folder, "--group", "Cup")
    assert said.exit_code == 3
    assert "Several are meant by 'Cup'; say the id of one" in said.output
    assert {f"{group['id']}  Cup" in said.output for group in groups} == {True}
    assert "SouthCups, ben@example.com" in said.output
    assert not checked.blobs.root.exists()
    one, two = uploaded(ben, groups[1]["id"], PHOTO, PHOTO)
    said = command("import", folder, "--image", "cup")
    assert said.exit_code == 3
    assert [line.partition(" (")[0] for line in said.output.splitlines()[1:]] == [
        f"{image['id']}  {image['filename']} of Cup" for image in (one, two)
    ]
    assert ben("GET", f"/api/v1/mockups/images/{one['id']}/template").status_code == 404


def test_a_preview_of_a_photograph_prints_the_design_as_its_product_does(
    command: Any, ana: Caller, image: dict[str, Any], tmp_path: Path
) -> None:
    """A disc with margins: trimmed, then stretched to the cup's 9.5 x 4.33 inches, or as its canvas says."""
    design, out = tmp_path / "design.png", tmp_path / "out.jpg"
    disc = Image.new("RGBA", (400, 300))
    ImageDraw.Draw(disc).ellipse((150, 50, 349, 249), fill=(0, 90, 0, 255), outline=(200, 0, 0, 255), width=20)
    disc.save(design)
    ana.made(f"/mockups/images/{image['id']}/mask-data", mask(masks=[SQUARE], points=[SQUARE]))
    product = ana("GET", f"/mockups/by-id/{image['mockups_id']}").json()["product_template_id"]

    def seen(*words: str) -> float:
        """How many times as wide as high the disc is in the picture."""
        said = command("preview", "--image", "Glass cup", design, "-o", out, *words)
        assert said.exit_code == 0, said.output
        inked = np.argwhere(np.ptp(np.asarray(Image.open(out)).astype(int), axis=2) > 30)  # all else is grey
        high, wide = np.ptp(inked, axis=0) + 1
        return float(wide / high)

    assert seen() == pytest.approx(9.5 / 4.33, rel=0.03)
    assert seen("--size", "digital") == pytest.approx(1, rel=0.03)
    assert seen("--size", "4x2") == pytest.approx(2, rel=0.03)
    for name, wide, stretch in (("Sheet", 6, True), ("Sticker", 5, False)):
        canvas = {"name": name, "width_inches": wide, "height_inches": 2, "is_stretch": stretch}
        ana.made(f"/settings/{product}/canvas-config", canvas)
    assert seen("--size", "sheet") == pytest.approx(3, rel=0.03)
    assert seen("--size", "Sticker") == pytest.approx(1, rel=0.03)
    said = command("preview", "--image", "Glass cup", design, "-o", out)
    assert said.exit_code == 1
    assert "has several of kind canvas ('Sheet', 'Sticker'): choose one. Name one with --size" in said.output
    said = command("preview", "--image", "Glass cup", design, "-o", out, "--size", "Poster")
    assert "no canvas or size of this product is called 'Poster'" in said.output


def test_a_print_file_that_the_system_made_is_shown_as_it_is(
    command: Any, checked: World, ana: Caller, image: dict[str, Any], tmp_path: Path
) -> None:
    """Trimmed again it would lose its margin: the specks that held it were too faint to outlast its shrinking."""
    pixels = np.zeros((1600, 4000, 4), np.uint8)
    pixels[400:1200, 1000:3000] = (200, 0, 0, 255)
    pixels[600:800, 1400:1600] = (0, 0, 90, 255)
    pixels[[5, 1595], [5, 3990], 3] = 1
    Image.fromarray(pixels).save(tmp_path / "upload.png")
    printed = prepare((tmp_path / "upload.png").read_bytes(), without_product("4x2"), Limits()).print_file
    (tmp_path / "print.png").write_bytes(printed)
    ana.made(f"/mockups/images/{image['id']}/mask-data", mask(masks=[SQUARE], points=[SQUARE]))

    def seen(name: str) -> bytes:
        said = command("preview", "--image", image["id"], tmp_path / name, "-o", tmp_path / "o.jpg", "--size", "4x2")
        assert said.exit_code == 0, said.output
        return (tmp_path / "o.jpg").read_bytes()

    listed = seen("upload.png")
    assert seen("print.png") != listed
    design = stored(checked.engine, ana)
    made = update(items).where(items.c.id == design).values(print_sha256=hashlib.sha256(printed).hexdigest())
    with checked.engine.begin() as connection:
        connection.execute(made)
    assert seen("print.png") == listed


def test_a_finished_picture_leads_back_to_its_parts_and_tells_what_has_changed(
    command: Any, checked: World, ana: Caller, image: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    command("import", folder, "--image", image["id"])
    with checked.engine.connect() as connection:
        background = photograph(connection, UUID(image["id"]))
    design = checked.blobs.put(layer(255))
    made = tmp_path / "renamed.jpg"
    made.write_bytes(jpeg(np.zeros((9, 9, 3), np.uint8), written(origin_of(design, background))))
    said = command("origin", made)
    assert said.exit_code == 0, said.output
    assert f"design: none that is known here (SHA-256 {design.sha256})" in said.output
    assert image["id"] in said.output
    assert "a picture made today has the same parts" in said.output
    command("import", folder, "--image", image["id"], "--colour", "Red")
    assert "another template today" in command("origin", made).output
    made.write_bytes(jpeg(np.zeros((9, 9, 3), np.uint8)))
    assert "take the copy in the shop's folder on the NAS" in command("origin", made).output


def test_photographs_without_a_template_are_sent_as_before(checked: World, ana: Caller) -> None:
    group = made_group(ana)
    assert sent(ana, group["id"], PHOTO).status_code == 201
    with checked.engine.connect() as connection:
        (background,) = mockup_group(connection, ana.id, UUID(group["id"])).backgrounds
    assert background.template is None
