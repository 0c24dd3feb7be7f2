"""Two windows of one account change the same mockup group at the same moment, or one does while listings ask for it."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine

from services.ingest.catalog import folders
from services.ingest.catalog.choices import mockup_group
from services.ingest.catalog.masks import Masks
from services.ingest.catalog.mockup_records import MaskChanges
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.photographs import Photographs
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.users import FolderLies, User, Users
from shared.contracts import Blob
from shared.database import transaction
from tests.integration.ingest.catalog.test_catalog_mockups import SQUARE, made_group, mask, uploaded
from tests.integration.ingest.catalog.world import Caller, World, picture
from tests.integration.ingest.test_at_the_same_moment import meanwhile
from tests.waiting import somebody_waits, until

NEW = Picture("new.png", Blob(sha256="a" * 64, size=1), "PNG", 100, 100)


@pytest.fixture
def user(engine: Engine, ana: Caller) -> User:
    with transaction(engine) as connection:
        found = Users(connection).active(ana.id)
    assert found
    return found


def test_a_photograph_that_comes_while_its_groups_watermark_is_exchanged_gets_the_new_one(
    engine: Engine, ana: Caller, user: User
) -> None:
    group_id = UUID(made_group(ana)["id"])
    uploaded(ana, str(group_id), picture())

    def add(connection: Connection) -> None:
        Mockups(connection, user, "").add_photographs(group_id, [NEW], None)

    def mark() -> None:
        with transaction(engine) as connection:
            Mockups(connection, user, "").mark(group_id, NEW)

    meanwhile(engine, add, mark)

    images = ana("GET", f"/mockups/by-id/{group_id}").json()["mockup_images"]
    assert [image["watermark_path"].rpartition("/")[2] for image in images] == ["new.png", "new.png"]


def test_two_changes_of_the_same_masks_are_both_kept(engine: Engine, ana: Caller, user: User) -> None:
    (image,) = uploaded(ana, made_group(ana)["id"], picture())
    mask_id = UUID(ana.made(f"/mockups/images/{image['id']}/mask-data", mask())["id"])
    moved = [[x + 10, y] for x, y in SQUARE]

    def move(connection: Connection) -> None:
        Masks(connection, user.id).change(mask_id, MaskChanges(masks=[moved]))

    def crop() -> None:
        with transaction(engine) as connection:
            Masks(connection, user.id).change(mask_id, MaskChanges(is_cropped=True))

    meanwhile(engine, move, crop)

    found = ana("GET", f"/mockups/mask-data/{mask_id}").json()
    assert (found["masks"], found["is_cropped"]) == ([moved], True)


def test_a_photograph_that_is_removed_while_it_is_asked_for_is_not_shown_without_its_design(
    engine: Engine, ana: Caller, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id = UUID(made_group(ana)["id"])
    images = uploaded(ana, str(group_id), picture(), picture(colour="red"))
    for image in images:
        ana.made(f"/mockups/images/{image['id']}/mask-data", mask())
    read, removed = Masks.of_images, list[Future[None]]()

    def remove() -> None:
        with transaction(engine) as connection:
            Photographs(connection, user, "").remove(UUID(images[1]["id"]))

    with ThreadPoolExecutor(1) as pool:

        def overtaken(*given: Any) -> Any:
            removed.append(pool.submit(remove))
            until(lambda: removed[0].done() or somebody_waits(engine))
            return read(*given)

        monkeypatch.setattr(Masks, "of_images", overtaken)
        with transaction(engine) as connection:
            group = mockup_group(connection, user.id, group_id)
        removed[0].result(30)

    assert [len(each.masks) for each in group.backgrounds] == [1, 1]


def test_of_two_who_register_first_at_once_one_gets_what_lies_on_the_nas(engine: Engine, world: World) -> None:
    del world  # nobody is registered in it
    with transaction(engine) as connection:
        folders.note(connection, ["NorthCups", "SouthCups"], complete=True)

    def open_north(connection: Connection) -> None:
        assert Users(connection).register("north@example.com", "", "NorthCups").shop_folder == "NorthCups"

    def open_south() -> None:
        with transaction(engine) as connection:
            Users(connection).register("south@example.com", "", "SouthCups")

    with pytest.raises(FolderLies, match="SouthCups"):
        meanwhile(engine, open_north, open_south)
