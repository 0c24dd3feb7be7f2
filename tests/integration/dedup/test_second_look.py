"""Verdicts by pixels: on a real database and blob store."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import Engine

from services.dedup.handlers import on_image_hashed, on_picture_hashed
from services.dedup.records.old_designs import OldDesign, upsert_old_designs
from services.dedup.store import HashIndex
from services.hasher.preparing import canonical_file
from shared.blobs import Blobs
from shared.contracts import Blob, DuplicateFound, ImageAccepted, ImageHashed, PictureHashed
from shared.database import transaction
from tests.accuracy.designs import inverted
from tests.integration.dedup.fates import handled
from tests.unit.dedup import art
from tests.unit.dedup.pictures import hashed

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


@pytest.fixture
def seeing(engine: Engine, blobs: Blobs) -> HashIndex:
    return HashIndex(engine, max_distance=5, blobs=blobs)


def sent(image: Image.Image, tenant: UUID, blobs: Blobs, filename: str = "rose.png") -> ImageHashed:
    found = art.hashed(image)
    event = hashed(tenant=tenant, phash=found.phash, dhash=found.dhash, algorithm=found.algorithm, filename=filename)
    return event.model_copy(update={"canonical": blobs.put(canonical_file(found))})


def verdict(event: ImageHashed, index: HashIndex) -> ImageAccepted | DuplicateFound:
    return handled(on_image_hashed(event, index))[0]


def test_a_crop_that_the_hashes_miss_is_a_near_copy(seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    first = sent(art.design(), tenant, blobs)
    verdict(first, seeing)
    answer = verdict(sent(art.cropped(art.design(), 0.02), tenant, blobs), seeing)
    assert isinstance(answer, DuplicateFound)
    assert answer.distance > 5
    assert (answer.kind, answer.match.verdict, answer.match.item_id) == ("near", "near_copy", first.item_id)
    assert answer.reason.startswith("the same picture, slightly changed")


def test_another_year_is_accepted_and_told_with_what_it_resembles(seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    first = sent(art.design("CLASS OF 2024"), tenant, blobs, "2024.png")
    verdict(first, seeing)
    event = sent(art.design("CLASS OF 2025"), tenant, blobs)
    answer = verdict(event, seeing)
    assert isinstance(answer, ImageAccepted)
    assert answer.resembles is not None
    assert (answer.resembles.verdict, answer.resembles.item_id) == ("text_variant", first.item_id)
    assert answer.resembles.reason is not None
    assert "2024.png" in answer.resembles.reason
    assert verdict(event, seeing) == answer  # told again alike
    again = verdict(sent(art.design("CLASS OF 2025"), tenant, blobs), seeing)
    assert isinstance(again, DuplicateFound)
    assert (again.match.verdict, again.match.item_id) == ("re_encode", event.item_id)


def test_another_process_decides_by_the_same_pixels(engine: Engine, seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    for words in ("Emma", "Noah"):
        assert isinstance(verdict(sent(art.design(words), tenant, blobs), seeing), ImageAccepted)
    other = HashIndex(engine, max_distance=5, blobs=blobs)
    for words in ("Emma", "Noah"):
        answer = verdict(sent(art.cropped(art.design(words), 0.02), tenant, blobs), other)
        assert isinstance(answer, DuplicateFound)


def test_inverted_and_mirrored_art_is_accepted_as_what_it_is(seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    verdict(sent(art.design(), tenant, blobs), seeing)
    for image, way in (
        (inverted(art.design()), "inverted"),
        (art.design().transpose(Image.Transpose.FLIP_LEFT_RIGHT), "mirrored"),
    ):
        answer = verdict(sent(image, tenant, blobs), seeing)
        assert isinstance(answer, ImageAccepted)
        assert answer.resembles is not None
        assert answer.resembles.verdict == way


def learn(image: Image.Image, tenant: UUID, blobs: Blobs, index: HashIndex, path: str = "NorthCups/9.png") -> None:
    """As a scan of the NAS brings it."""
    found = art.hashed(image)
    on_picture_hashed(
        PictureHashed(
            tenant_id=tenant,
            ticket=uuid4(),
            path=path,
            content=Blob(sha256=uuid4().hex * 2, size=1),
            algorithm=found.algorithm,
            phash=found.phash,
            dhash=found.dhash,
            canonical=blobs.put(canonical_file(found)),
        ),
        index,
    )


def test_another_year_than_a_scanned_files_is_accepted(seeing: HashIndex, blobs: Blobs) -> None:
    """The hashes of both are the same, within the distance."""
    tenant = uuid4()
    learn(art.design("CLASS OF 2024"), tenant, blobs, seeing)
    answer = verdict(sent(art.design("CLASS OF 2025"), tenant, blobs), seeing)
    assert isinstance(answer, ImageAccepted)
    assert answer.resembles is not None
    assert (answer.resembles.verdict, answer.resembles.path) == ("text_variant", "NorthCups/9.png")


def test_a_crop_of_a_scanned_file_is_found_until_another_lies_there(seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    for words in ("Emma", "Noah"):
        learn(art.design(words), tenant, blobs, seeing)
        answer = verdict(sent(art.cropped(art.design(words), 0.02), tenant, blobs), seeing)
        assert isinstance(answer, DuplicateFound)
        assert (answer.match.verdict, answer.match.source) == ("near_copy", "nas")
        assert answer.match.canonical is not None
        assert answer.distance > 5
    assert isinstance(verdict(sent(art.cropped(art.design("Emma"), 0.02), tenant, blobs), seeing), ImageAccepted)


def test_an_old_systems_design_is_found_by_the_pixels_of_its_file(
    engine: Engine, seeing: HashIndex, blobs: Blobs
) -> None:
    """Whether its rows were imported after the scan or before it."""
    for scanned_first in (True, False):
        tenant, design = uuid4(), uuid4()
        old = OldDesign(design, uuid4(), "UV 9", "NorthCups/9.png", None, is_active=True, revision=0, created_at=NOW)
        verdict(sent(art.design("Ava"), tenant, blobs), seeing)  # so that all keys until now are in memory
        if scanned_first:
            learn(art.design("Emma"), tenant, blobs, seeing)
            verdict(sent(art.design("Liam"), tenant, blobs), seeing)
        with transaction(engine) as connection:
            upsert_old_designs(connection, tenant, [old])
        if not scanned_first:
            learn(art.design("Emma"), tenant, blobs, seeing)
        answer = verdict(sent(art.cropped(art.design("Emma"), 0.02), tenant, blobs), seeing)
        assert isinstance(answer, DuplicateFound)
        assert (answer.match.verdict, answer.match.item_id) == ("near_copy", design)


def test_where_pixels_are_gone_the_hashes_decide_and_the_verdict_says_so(seeing: HashIndex, blobs: Blobs) -> None:
    tenant = uuid4()
    first = sent(art.design(), tenant, blobs)
    verdict(first, seeing)
    seeing.judge.gallery.kept.clear()  # type: ignore[union-attr]
    blobs.path(first.canonical).unlink()
    answer = verdict(sent(art.brighter(art.design(), 1.01), tenant, blobs), seeing)
    assert isinstance(answer, DuplicateFound)
    assert answer.match.verdict == "same_hash"
    assert "judged by their hashes alone" in answer.reason
