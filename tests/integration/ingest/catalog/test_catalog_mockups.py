"""Mockup groups, photographs, watermarks and masks: contract 1.5, 1.7 and 4."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from tests.images import saved
from tests.integration.ingest.catalog.test_catalog_settings import JSON, TEMPLATE, TEMPLATES, assert_moment
from tests.integration.ingest.catalog.world import Caller, World, picture

SQUARE = [[3, 5], [12, 5], [12, 9], [3, 9]]
BASE = "/share/Graphics/NorthCups/Mockups/BaseMockups"


def made_group(caller: Caller, name: str = "Glass cup", template_name: str = "UVDTF 16oz") -> dict[str, Any]:
    """A mockup group of a new template."""
    template = caller.made(TEMPLATES, TEMPLATE | {"name": template_name})
    return caller.made("/mockups/group", {"name": name, "product_template_id": template["id"], "starting_name": 100})


def sent(
    caller: Caller, group_id: str, *photographs: bytes, watermark: bytes | None = None, name: str = "wm.png"
) -> httpx.Response:
    """An upload of photographs."""
    files = [("files", (f"photo {index}.png", data, "image/png")) for index, data in enumerate(photographs)]
    files.append(("watermark_file", (name, watermark or picture(colour="black"), "image/png")))
    return caller("POST", "/mockups/upload", data={"mockup_id": group_id}, files=files)


def uploaded(caller: Caller, group_id: str, *photographs: bytes, **kwargs: Any) -> list[dict[str, Any]]:
    """Photographs that were taken."""
    answer = sent(caller, group_id, *photographs, **kwargs)
    assert answer.status_code == 201, answer.text
    images: list[dict[str, Any]] = answer.json()["uploaded_images"]
    return images


def turned(width: int, height: int) -> bytes:
    """A photograph that lies on its side: the mockup service turns it, masks are drawn on it as it is shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(Image.new("RGB", (width, height), "white"), "JPEG", exif=exif)


def mask(**changes: Any) -> dict[str, Any]:
    """Masks as the editor sends them."""
    return {"masks": [SQUARE], "points": [SQUARE], "is_cropped": False, "alignment": "center"} | changes


def test_a_new_group_has_the_fields_and_order_that_the_frontend_reads(ana: Caller) -> None:
    group = made_group(ana)
    expected = {
        "starting_name": 100,
        "id": str(UUID(group["id"])),
        "user_id": ana.user["id"],
        "product_template_id": group["product_template_id"],
        "name": "Glass cup",
        "created_at": group["created_at"],
        "product_template_name": None,
        "updated_at": None,
        "mockup_images": [],
    }
    assert list(group.items()) == list(expected.items())
    assert_moment(group["created_at"])


def test_the_list_shows_photographs_with_their_own_masks(ana: Caller) -> None:
    group = made_group(ana)
    first, second = uploaded(ana, group["id"], picture(), picture(colour="red"))
    made = ana.made(f"/mockups/images/{second['id']}/mask-data", mask(mockup_image_id=second["id"]))
    listed = ana("GET", "/mockups/?skip=0&limit=100")
    assert listed.status_code == 200
    assert listed.json() == {
        "mockups": [group | {"mockup_images": [first, second | {"mask_data": [made]}]}],
        "total": 1,
    }
    name = f"mockup_{group['id']}_1.png"
    expected = {
        "filename": name,
        "file_path": f"{BASE}/UVDTF 16oz/{name}",
        "watermark_path": f"{BASE}/Watermarks/wm.png",
        "image_type": "UVDTF 16oz",
        "id": str(UUID(second["id"])),
        "mockups_id": group["id"],
        "created_at": second["created_at"],
        "updated_at": None,
        "mask_data": [],
    }
    assert list(second.items()) == list(expected.items())


def test_masks_have_the_fields_and_order_that_the_frontend_reads(ana: Caller) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    made = ana.made(f"/mockups/images/{image['id']}/mask-data", mask(mockup_image_id=image["id"]))
    floats = [[3.0, 5.0], [12.0, 5.0], [12.0, 9.0], [3.0, 9.0]]
    expected = {
        "masks": [floats],
        "points": [floats],
        "is_cropped": False,
        "alignment": "center",
        "id": str(UUID(made["id"])),
        "mockup_image_id": image["id"],
        "created_at": made["created_at"],
        "updated_at": None,
        "is_cropped_list": None,
        "alignment_list": None,
        "perspective": False,
    }
    assert list(made.items()) == list(expected.items())
    assert all(isinstance(number, float) for point in made["masks"][0] for number in point)
    listed = ana("GET", f"/mockups/images/{image['id']}/mask-data")
    assert listed.json() == {"mask_data": [made], "total": 1}


@pytest.mark.parametrize(
    ("query", "status"), [("limit=0", 422), ("limit=1001", 422), ("skip=-1", 422), ("limit=1", 200)]
)
def test_pages_of_groups_are_bounded(ana: Caller, query: str, status: int) -> None:
    made_group(ana)
    made_group(ana)
    answer = ana("GET", f"/mockups/?{query}")
    assert answer.status_code == status
    if status == 200:
        assert (len(answer.json()["mockups"]), answer.json()["total"]) == (1, 2)


def test_uploaded_images_come_back_in_the_order_sent_and_later_ones_get_later_names(ana: Caller) -> None:
    group = made_group(ana)
    answer = sent(ana, group["id"], picture("PNG"), picture("JPEG"), picture("WEBP"))
    assert answer.status_code == 201
    assert list(answer.json()) == ["uploaded_images", "total"]
    assert answer.json()["total"] == 3
    names = [image["filename"].removeprefix(f"mockup_{group['id']}") for image in answer.json()["uploaded_images"]]
    assert names == ["_0.png", "_1.jpg", "_2.webp"]
    assert ana("DELETE", f"/mockups/images/{answer.json()['uploaded_images'][2]['id']}").status_code == 200
    (later,) = uploaded(ana, group["id"], picture())
    assert later["filename"].endswith("_3.png")


def test_storage_is_asked_to_copy_each_file_to_the_nas(world: World, ana: Caller) -> None:
    group = made_group(ana, template_name="Kid's Cup: 12/16oz")
    photographs = picture(), picture(colour="red")
    images = uploaded(ana, group["id"], *photographs)
    watermark, *copies = sorted(world.owed(), key=lambda file: "mockup_" in file.path)
    assert watermark.path == "Mockups/BaseMockups/Watermarks/wm.png"
    folder = "Mockups/BaseMockups/Kid's Cup- 12-16oz"
    assert {copy.path for copy in copies} == {f"{folder}/mockup_{group['id']}_{number}.png" for number in (0, 1)}
    for copy in copies:
        assert (copy.tenant_id, copy.shop) == (ana.id, "NorthCups")
        number = int(copy.path.removesuffix(".png").rpartition("_")[2])
        assert world.blobs.get(copy.content) == photographs[number]
        assert images[number]["file_path"] == f"/share/Graphics/NorthCups/{copy.path}"


def test_one_damaged_file_refuses_the_upload_before_anything_is_kept(world: World, ana: Caller) -> None:
    group = made_group(ana)
    answer = sent(ana, group["id"], picture(), picture("JPEG", (400, 300))[:-400])
    assert answer.status_code == 422
    assert "photo 1.png: the picture is damaged" in answer.json()["detail"]
    assert ana("GET", f"/mockups/by-id/{group['id']}").json()["mockup_images"] == []
    assert world.owed() == []
    assert not world.blobs.root.exists()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: b"", "it is empty"),
        (lambda: b"<svg onload='alert(1)'/>", "not a PNG, JPEG or WebP picture"),
        (lambda: picture("GIF"), "not a PNG, JPEG or WebP picture"),
        (lambda: picture("PNG", (9000, 9000)), "9000 x 9000 px is too large (at most 60 megapixels)"),
    ],
    ids=["empty", "svg", "gif", "huge"],
)
def test_what_is_no_usable_picture_is_refused_in_words(ana: Caller, made: Callable[[], bytes], words: str) -> None:
    group, data = made_group(ana), made()
    assert words in sent(ana, group["id"], data).json()["detail"]
    bad_watermark = sent(ana, group["id"], picture(), watermark=data or b"no")
    assert bad_watermark.status_code == 422


def test_photographs_without_a_watermark_get_that_of_the_group(world: World, ana: Caller) -> None:
    group = made_group(ana)
    (bare,) = uploaded_bare(ana, group["id"])
    assert bare["watermark_path"] is None
    assert [file.path.rpartition("/")[2] for file in world.owed()] == [bare["filename"]]
    new = {"watermark": ("wm.png", picture(colour="black"), "image/png")}
    assert ana("PUT", f"/mockups/{group['id']}/update-watermark", files=new).status_code == 200
    (later,) = uploaded_bare(ana, group["id"])
    assert later["watermark_path"] == f"{BASE}/Watermarks/wm.png"


def uploaded_bare(caller: Caller, group_id: str) -> list[dict[str, Any]]:
    files = {"files": ("photo.png", picture(), "image/png")}
    answer = caller("POST", "/mockups/upload", data={"mockup_id": group_id}, files=files)
    assert answer.status_code == 201, answer.text
    images: list[dict[str, Any]] = answer.json()["uploaded_images"]
    return images


def test_photographs_are_required(ana: Caller) -> None:
    group = made_group(ana)
    files = {"watermark_file": ("wm.png", picture(), "image/png")}
    answer = ana("POST", "/mockups/upload", data={"mockup_id": group["id"]}, files=files)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "files"]
    assert answer.json()["body_info"] == "received: a form with the fields: mockup_id, watermark_file"


def test_watermarks_of_one_name_do_not_overwrite_each_other(world: World, ana: Caller) -> None:
    first, second, third = (made_group(ana)["id"] for _ in range(3))
    (one,) = uploaded(ana, first, picture(), watermark=picture(colour="black"), name="../Shop Logo.PNG")
    (two,) = uploaded(ana, second, picture(), watermark=picture(colour="blue"), name="shop logo.png")
    (three,) = uploaded(ana, third, picture(), watermark=picture(colour="black"), name="Shop Logo.png")
    assert one["watermark_path"] == f"{BASE}/Watermarks/Shop Logo.png"
    assert two["watermark_path"].startswith(f"{BASE}/Watermarks/shop logo-")
    assert three["watermark_path"] == one["watermark_path"]
    paths = {file.path: file.content for file in world.owed()}
    assert len({content.sha256 for path, content in paths.items() if "Watermarks" in path}) == 2


def test_a_watermark_is_exchanged_for_the_whole_group(world: World, ana: Caller) -> None:
    group = made_group(ana)
    uploaded(ana, group["id"], picture(), picture(colour="red"))
    new = {"watermark": ("new.png", picture(colour="green"), "image/png")}
    answer = ana("PUT", f"/mockups/{group['id']}/update-watermark", files=new)
    assert answer.status_code == 200
    assert answer.json() == ana("GET", f"/mockups/by-id/{group['id']}").json()
    paths = {image["watermark_path"] for image in answer.json()["mockup_images"]}
    assert paths == {f"{BASE}/Watermarks/new.png"}
    assert "Mockups/BaseMockups/Watermarks/new.png" in {file.path for file in world.owed()}


def test_a_watermark_is_exchanged_or_taken_away_for_one_photograph(ana: Caller) -> None:
    one, two = uploaded(ana, made_group(ana)["id"], picture(), picture(colour="red"))
    new = {"watermark": ("new.png", picture(colour="green"), "image/png")}
    answer = ana("PUT", f"/mockups/images/{one['id']}/watermark-upload", files=new)
    assert answer.json()["watermark_path"] == f"{BASE}/Watermarks/new.png"
    bare = ana("PUT", f"/mockups/images/{one['id']}", json={"watermark_path": None, "image_type": "Mug"})
    assert (bare.json()["watermark_path"], bare.json()["image_type"]) == (None, "Mug")
    assert ana("GET", f"/mockups/images/{two['id']}").json() == two


def test_a_photographs_paths_are_the_servers(ana: Caller) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    path = f"/mockups/images/{image['id']}"
    same = ana("PUT", path, json={"file_path": image["file_path"], "filename": image["filename"]})
    assert (same.status_code, same.json()) == (200, image)
    for name in ("file_path", "filename", "watermark_path"):
        assert ana("PUT", path, json={name: "/etc/passwd"}).status_code == 422


def test_a_group_is_changed_and_deleted_with_its_photographs(ana: Caller) -> None:
    group = made_group(ana)
    (image,) = uploaded(ana, group["id"], picture())
    changed = ana("PUT", f"/mockups/update/{group['id']}", json={"starting_name": 200})
    assert (changed.status_code, changed.json()["starting_name"], changed.json()["name"]) == (200, 200, "Glass cup")
    assert changed.json()["mockup_images"] == [image]
    listed = ana("GET", f"/mockups/images/{group['id']}/list")
    assert listed.json() == {"mockup_images": [image], "total": 1}
    assert ana("DELETE", f"/mockups/delete/{group['id']}").json()["success"] is True
    assert ana("GET", f"/mockups/by-id/{group['id']}").status_code == 404
    assert ana("GET", f"/mockups/images/{image['id']}").status_code == 404
    assert ana("GET", "/mockups/").json() == {"mockups": [], "total": 0}


def test_masks_are_changed_and_deleted(ana: Caller) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    made = ana.made(f"/mockups/images/{image['id']}/mask-data", mask())
    path = f"/mockups/mask-data/{made['id']}"
    changed = ana("PUT", path, json={"is_cropped": True, "alignment": "left"})
    expected = made | {"is_cropped": True, "alignment": "left", "updated_at": changed.json()["updated_at"]}
    assert changed.json() == expected
    triangle = [[0, 0], [10, 0], [0, 10]]
    moved = ana("PUT", path, json={"masks": [triangle]}).json()
    assert moved["masks"] == moved["points"] == [triangle]
    assert ana("GET", path).json() == moved
    assert ana("DELETE", path).json()["success"] is True
    assert ana("GET", path).status_code == 404
    assert ana("GET", f"/mockups/images/{image['id']}").json()["mask_data"] == []


def test_each_mask_can_have_settings_of_its_own(ana: Caller) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    own = mask(masks=[SQUARE, SQUARE], is_cropped_list=[True, False], alignment_list=["left", "right"])
    made = ana.made(f"/mockups/images/{image['id']}/mask-data", own)
    assert (made["is_cropped_list"], made["alignment_list"]) == ([True, False], ["left", "right"])
    fewer = ana("PUT", f"/mockups/mask-data/{made['id']}", json={"masks": [SQUARE]})
    assert fewer.status_code == 422
    assert fewer.json()["detail"].startswith("is_cropped_list has 2 entries for 1 masks")


@pytest.mark.parametrize(
    "change",
    [
        {"masks": []},
        {"masks": [[[0, 0], [10, 0]]]},
        {"masks": [[[0, 0], [10, 0], [5]]]},
        {"masks": "square"},
        {"alignment": "diagonal"},
        {"is_cropped_list": [True, False]},
        {"perspective": True, "masks": [[[0, 0], [10, 0], [0, 10]]]},
        {"mockup_image_id": str(uuid4())},
    ],
)
def test_unsound_masks_are_refused(ana: Caller, change: dict[str, Any]) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    answer = ana("POST", f"/mockups/images/{image['id']}/mask-data", json=mask(**change))
    assert answer.status_code == 422
    assert ana("GET", f"/mockups/images/{image['id']}").json()["mask_data"] == []


@pytest.mark.parametrize(("left", "top"), [(5000, 5000), (0, 600), (600, 0), (-9, 0), (0, -9)])
def test_a_print_area_outside_of_its_photograph_is_refused_when_it_is_drawn(ana: Caller, left: int, top: int) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture(size=(600, 400)))
    outside = [[left + x, top + y] for x, y in ((0, 0), (9, 0), (9, 9), (0, 9))]
    path = f"/mockups/images/{image['id']}/mask-data"
    refused = ana("POST", path, json=mask(masks=[SQUARE, outside]))
    assert refused.status_code == 422
    assert refused.json()["detail"] == (
        "Print area 2 lies outside of the photograph (600 x 400 px); draw it in the photograph's own pixels."
    )
    made = ana.made(path, mask(masks=[[[-50, -50], [50, -50], [50, 50], [-50, 50]]]))
    assert ana("PUT", f"/mockups/mask-data/{made['id']}", json={"masks": [outside]}).status_code == 422
    assert ana("GET", path).json()["mask_data"] == [made], "what reaches beyond it is cut off there"


def test_a_photographs_masks_are_as_it_is_shown(ana: Caller) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], turned(600, 400))
    in_its_foot = [[100, 450], [300, 450], [300, 550], [100, 550]]
    ana.made(f"/mockups/images/{image['id']}/mask-data", mask(masks=[in_its_foot]))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e300"])
def test_masks_are_made_of_finite_numbers(ana: Caller, number: str) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    body = f'{{"masks": [[[0, 0], [10, 0], [{number}, 10]]], "points": [], "alignment": "center"}}'
    answer = ana("POST", f"/mockups/images/{image['id']}/mask-data", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "masks", 0, 2, 0]


def test_another_shops_mockups_do_not_exist(world: World, ana: Caller, ben: Caller) -> None:
    group = made_group(ana)
    (image,) = uploaded(ana, group["id"], picture())
    made = ana.made(f"/mockups/images/{image['id']}/mask-data", mask())
    before = ana("GET", "/mockups/").json()
    owed = len(world.owed())
    new = {"watermark": ("new.png", picture(), "image/png")}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"/mockups/by-id/{group['id']}", {}),
        ("PUT", f"/mockups/update/{group['id']}", {"json": {"name": "mine now"}}),
        ("DELETE", f"/mockups/delete/{group['id']}", {}),
        ("PUT", f"/mockups/{group['id']}/update-watermark", {"files": new}),
        ("GET", f"/mockups/images/{group['id']}/list", {}),
        ("GET", f"/mockups/images/{image['id']}", {}),
        ("PUT", f"/mockups/images/{image['id']}", {"json": {"image_type": "Mug"}}),
        ("PUT", f"/mockups/images/{image['id']}/watermark-upload", {"files": new}),
        ("DELETE", f"/mockups/images/{image['id']}", {}),
        ("POST", f"/mockups/images/{image['id']}/mask-data", {"json": mask()}),
        ("GET", f"/mockups/images/{image['id']}/mask-data", {}),
        ("GET", f"/mockups/mask-data/{made['id']}", {}),
        ("PUT", f"/mockups/mask-data/{made['id']}", {"json": {"is_cropped": True}}),
        ("DELETE", f"/mockups/mask-data/{made['id']}", {}),
    ]
    for method, path, body in calls:
        assert (method, path, ben(method, path, **body).status_code) == (method, path, 404)
    assert sent(ben, group["id"], picture()).status_code == 404
    foreign = {"name": "Glass cup", "product_template_id": group["product_template_id"]}
    assert ben("POST", "/mockups/group", json=foreign).status_code == 404
    assert ben("GET", "/mockups/").json() == {"mockups": [], "total": 0}
    assert ana("GET", "/mockups/").json() == before
    assert len(world.owed()) == owed


def test_a_photograph_is_kept_byte_for_byte(world: World, ana: Caller) -> None:
    data = turned(40, 30)
    uploaded(ana, made_group(ana)["id"], data)
    copy = next(file.content for file in world.owed() if "mockup_" in file.path)
    assert world.blobs.get(copy) == data
