"""What an upload takes from the catalog, read back from what the settings pages wrote."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select

from services.ingest.catalog.choices import listing_template, mockup_group, print_choice
from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.users import Users
from services.ingest.tables import mockup_images
from shared.contracts import Blob, ListingTemplate, Mask, PrintSpec
from tests.integration.ingest.catalog.test_catalog_mockups import SQUARE, made_group, mask, uploaded
from tests.integration.ingest.catalog.test_catalog_settings import CANVAS, SIZE, TEMPLATE, TEMPLATES, made_set
from tests.integration.ingest.catalog.world import Caller, World, picture


def group_of(engine: Engine, caller: Caller, group_id: str) -> Any:
    with engine.connect() as connection:
        return mockup_group(connection, caller.id, UUID(group_id))


def spec_of(engine: Engine, caller: Caller, template_id: str, *ids: str | None) -> PrintSpec:
    canvas, size = (UUID(text) if text else None for text in (*ids, None, None)[:2])
    with engine.connect() as connection:
        return print_choice(connection, caller.id, UUID(template_id), canvas, size, digital=False)


def test_each_photograph_keeps_its_own_masks_and_watermark(world: World, ana: Caller) -> None:
    group = made_group(ana)
    first, second = uploaded(ana, group["id"], picture(), picture(colour="red"))
    own = mask(masks=[SQUARE, SQUARE], is_cropped_list=[True, False], alignment_list=["left", "right"])
    ana.made(f"/mockups/images/{second['id']}/mask-data", own)
    ana.made(f"/mockups/images/{second['id']}/mask-data", mask(is_cropped=True, perspective=True))
    ana("PUT", f"/mockups/images/{first['id']}", json={"watermark_path": None})
    found = group_of(world.engine, ana, group["id"])
    assert (found.name, str(found.product_template_id)) == ("Glass cup", group["product_template_id"])
    plain, masked = found.backgrounds
    assert (plain.masks, plain.watermark) == ((), None)
    assert world.blobs.get(plain.image) == picture()
    assert world.blobs.get(masked.image) == picture(colour="red")
    assert world.blobs.get(masked.watermark) == picture(colour="black")
    polygon = tuple((float(x), float(y)) for x, y in SQUARE)
    assert masked.masks == (
        Mask(polygon=polygon, is_cropped=True, alignment="left"),
        Mask(polygon=polygon, is_cropped=False, alignment="right"),
        Mask(polygon=polygon, is_cropped=True, perspective=True),
    )


def test_a_group_without_photographs_can_not_be_rendered(world: World, ana: Caller) -> None:
    with pytest.raises(Unusable, match="'Glass cup' has no photographs"):
        group_of(world.engine, ana, made_group(ana)["id"])


def test_another_shops_choices_do_not_exist(world: World, ana: Caller, ben: Caller) -> None:
    group = made_group(ana)
    uploaded(ana, group["id"], picture())
    template, canvas, size = made_set(ana)
    own, own_canvas, _ = made_set(ben)
    with pytest.raises(Missing):
        group_of(world.engine, ben, group["id"])
    for ids in ((template["id"],), (own["id"], canvas["id"]), (own["id"], own_canvas["id"], size["id"])):
        with pytest.raises(Missing):
            spec_of(world.engine, ben, *ids)
    with world.engine.connect() as connection, pytest.raises(Missing):
        listing_template(connection, ben.id, UUID(template["id"]))


def test_listings_say_what_the_template_says(world: World, ana: Caller) -> None:
    made = ana.made(TEMPLATES, TEMPLATE | {"production_partner_ids": "12,13", "tags": "cup, cup ,wrap"})
    with world.engine.connect() as connection:
        found = listing_template(connection, ana.id, UUID(made["id"]))
    same = {name: value for name, value in TEMPLATE.items() if name not in ("tags", "materials")}
    expected = same | {
        "template_id": made["id"],
        "tags": ("cup", "wrap"),
        "materials": ("UV DTF",),
        "production_partner_ids": (12, 13),
    }
    assert found == ListingTemplate.model_validate(expected)


def test_a_bare_template_gets_the_old_systems_defaults(world: World, ana: Caller) -> None:
    made = ana.made(TEMPLATES, {"name": "Cup", "price": 4, "quantity": 1})
    with world.engine.connect() as connection:
        found = listing_template(connection, ana.id, UUID(made["id"]))
    assert (found.who_made, found.when_made, found.type) == ("i_did", "made_to_order", "physical")
    assert (found.title, found.description, found.tags, found.is_taxable) == ("", "", (), True)


@pytest.mark.parametrize("lacking", ["price", "quantity"])
def test_a_template_that_no_listing_can_be_made_of_says_what_it_lacks(world: World, ana: Caller, lacking: str) -> None:
    made = ana.made(TEMPLATES, TEMPLATE | {lacking: None})
    with world.engine.connect() as connection, pytest.raises(Unusable, match=f"'UVDTF 16oz' has no {lacking}"):
        listing_template(connection, ana.id, UUID(made["id"]))


def test_the_chosen_canvas_and_size_make_the_print(world: World, ana: Caller) -> None:
    template, canvas, _ = made_set(ana)
    wide = ana.made(f"/settings/{template['id']}/canvas-config", CANVAS | {"name": "Wide", "is_stretch": False})
    small = ana.made(f"/settings/{template['id']}/{wide['id']}/size-config", SIZE | {"width_inches": 5})
    assert spec_of(world.engine, ana, template["id"]).width_inches == 9.5
    spec = spec_of(world.engine, ana, template["id"], wide["id"], small["id"])
    assert (spec.width_inches, spec.canvas_width_inches, spec.stretch, spec.dpi) == (5, 9.5, False, 400)
    with pytest.raises(Unusable, match="belongs to another canvas"):
        spec_of(world.engine, ana, template["id"], canvas["id"], small["id"])
    ana("DELETE", f"/settings/{template['id']}/{wide['id']}/size-config/{small['id']}")
    with pytest.raises(Unusable, match="not in use any more"):
        spec_of(world.engine, ana, template["id"], wide["id"], small["id"])
    with pytest.raises(Missing):
        spec_of(world.engine, ana, template["id"], str(uuid4()))


def test_simultaneous_uploads_to_a_group_get_different_files(world: World, ana: Caller) -> None:
    group_id = UUID(made_group(ana)["id"])
    photograph = Picture("photo.png", Blob(sha256="a" * 64, size=1), "PNG", 1, 1)

    def add(number: int) -> None:
        mark = Picture("wm.png", Blob(sha256=f"{number:012x}" + "0" * 52, size=1), "PNG", 1, 1)
        with world.engine.begin() as connection:
            user = Users(connection).active(ana.id)
            assert user
            Mockups(connection, user, "/nas").add_photographs(group_id, [photograph, photograph], mark)

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(add, range(10)))
    with world.engine.connect() as connection:
        distinct = func.count(mockup_images.c.path.distinct()), func.count(mockup_images.c.watermark_path.distinct())
        assert connection.execute(select(func.count(), *distinct)).one() == (20, 20, 10)


def test_simultaneous_registrations_get_different_folders(world: World) -> None:
    def register(number: int) -> str:
        with world.engine.begin() as connection:
            return Users(connection).register(f"user{number}@example.com", "hash", "NorthCups").shop_folder

    with ThreadPoolExecutor(5) as threads:
        folders = list(threads.map(register, range(10)))
    assert sorted(folders) == sorted(["NorthCups", *(f"NorthCups {number}" for number in range(2, 11))])
