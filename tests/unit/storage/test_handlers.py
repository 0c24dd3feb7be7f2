"""Storage's wiring, and what is told of a design."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from services import storage
from services.storage.design import Cause, Design
from services.storage.service import build
from services.storage.settings import Settings
from shared.contracts import (
    Blob,
    DesignStored,
    Destination,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageRejected,
    MockupsRendered,
    PictureFound,
    PictureHashed,
    PicturesGone,
    ShopScanRequested,
    StorageFailed,
    StoreFile,
    WorkCancelled,
)

BLOB = Blob(sha256="a" * 64, size=7)
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def accepted(**destination: object) -> ImageAccepted:
    return ImageAccepted(
        tenant_id=uuid4(),
        session_id=uuid4(),
        item_id=uuid4(),
        index=4,
        generation=2,
        filename="rose.png",
        upload=BLOB,
        print_file=BLOB,
        canonical=BLOB,
        width=1,
        height=1,
        dpi=400,
        algorithm="a",
        phash="0" * 64,
        dhash="0" * 64,
        destination=Destination.model_validate({"shop": "NorthCups", "template": "UVDTF 16oz"} | destination),
    )


def test_building_the_service_touches_neither_database_nor_nas(tmp_path: Path) -> None:
    service = build(Settings(database_url=NOWHERE, nas_url=str(tmp_path / "nas"), nas_max_connections=3))
    heard = {ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, MockupsRendered, StoreFile, WorkCancelled}
    heard |= {ShopScanRequested, PictureHashed}
    told = {message for handler in service.handlers.values() for message in handler.emits}
    assert (service.name, service.prefetch) == ("storage", 3)
    assert service.handlers.keys() == heard
    assert told == {DesignStored, StorageFailed, ImageAccepted, PictureFound, PicturesGone, ShopScanRequested}
    assert list(tmp_path.iterdir()) == []


def test_the_package_says_what_it_hears_and_tells(tmp_path: Path) -> None:
    handlers = build(Settings(database_url=NOWHERE, nas_url=str(tmp_path))).handlers
    told = {message.__name__ for handler in handlers.values() for message in handler.emits}
    listed = re.match(r"Listens to (.*?)\.\s+Emits (.*?)\. Owns schema storage\.\n", storage.__doc__ or "", re.DOTALL)
    assert listed is not None
    assert set(listed[1].split(", ")) == {message.__name__ for message in handlers}
    assert set(listed[2].split(", ")) == told


@pytest.mark.parametrize(
    ("destination", "path"),
    [
        ({}, "NorthCups/UVDTF 16oz/UV 107 UVDTF_16oz_107.png"),
        ({"template": "Adult Tee"}, "NorthCups/Adult Tee/DTF 107 Adult_Tee_107.png"),
        ({"digital": True}, "NorthCups/Digital/UVDTF 16oz/Digital 107.png"),
    ],
)
def test_a_stored_design_tells_where_it_lies(destination: dict[str, object], path: str) -> None:
    event = accepted(**destination)
    told = Design(event, "stored", number=107).outcome()
    assert isinstance(told, DesignStored)
    assert (told.path, told.name, told.number) == (path, path.rsplit("/", 1)[1], 107)
    assert (told.item_id, told.generation, told.print_file) == (event.item_id, 2, BLOB)
    assert told.digital is event.destination.digital


def test_a_failed_design_tells_why_and_one_on_its_way_tells_nothing() -> None:
    event = accepted()
    told = Design(event, "failed", reason="rose.png could not be stored").outcome()
    assert isinstance(told, StorageFailed)
    assert told.reason == "rose.png could not be stored"
    assert [Design(event, state, 100).outcome() for state in ("accepted", "placed", "numbered")] == [None] * 3


def test_a_design_without_a_number_has_no_name() -> None:
    design = Design(accepted(), "placed")
    assert design.staging.startswith("NorthCups/UVDTF 16oz/.")
    with pytest.raises(ValueError, match="no number"):
        _ = design.path


def test_a_message_is_told_from_others_by_type_item_and_generation() -> None:
    event = accepted()
    facts = event.model_dump()
    failure = ImageFailed.model_validate(facts | {"failed_stage": "storage", "reason": "gave up"})
    assert Cause.of(event) == Cause.of(ImageAccepted.model_validate(facts))
    assert Cause.of(event) != Cause.of(failure)
    assert Cause.of(event) != Cause.of(event.model_copy(update={"generation": 3}))
