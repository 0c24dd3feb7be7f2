"""A batch in, one answer per file out; a repeat gives the first answers again."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from services.decoding.answers import ChildFailed
from services.hasher.handlers import on_batch_submitted
from services.hasher.limits import Limits
from services.hasher.made import Result
from services.hasher.making import Maker
from services.hasher.results import Results
from services.hasher.service import build
from services.hasher.settings import Settings
from shared.blobs import Blobs
from shared.contracts import (
    BatchSubmitted,
    Blob,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    PrintSpec,
)
from shared.errors import Unavailable
from tests.images import saved
from tests.unit.hasher.samples import DESTINATION, FIT, SESSION, TENANT, artwork, batch_of, photo

ROSE = saved(artwork(), "PNG")
TULIP = saved(photo(), "JPEG")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def answers(batch: BatchSubmitted, blobs: Blobs, limits: Limits | None = None) -> list[ImageHashed | ImageRejected]:
    limits = limits or Limits()
    return list(on_batch_submitted(batch, Maker(blobs, limits), limits, Results(blobs)))


def hashed(batch: BatchSubmitted, blobs: Blobs) -> ImageHashed:
    (answer,) = answers(batch, blobs)
    assert isinstance(answer, ImageHashed)
    return answer


def test_a_hashed_image_carries_everything_the_next_services_need(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    answer = hashed(batch, blobs)
    file = batch.files[0]
    assert (answer.tenant_id, answer.session_id, answer.destination) == (TENANT, SESSION, DESTINATION)
    assert (answer.item_id, answer.index, answer.generation) == (file.item_id, 0, 2)
    assert (answer.filename, answer.upload) == ("rose.png", file.upload)
    assert (answer.width, answer.height, answer.dpi) == (600, 200, 400)
    assert [warning.partition(" for ")[0] for warning in answer.warnings] == ["only 194 x 152 px of artwork"]
    assert answer.artwork == (194, 152)
    assert blobs.get(answer.print_file)[:4] == blobs.get(answer.canonical)[:4] == b"\x89PNG"


def test_a_bad_file_only_rejects_itself(blobs: Blobs) -> None:
    files = {"a.png": ROSE, "b.png": ROSE[:90], "c.png": b"<html>", "d.png": b"", "e.jpg": TULIP}
    found = answers(batch_of(blobs, files), blobs)
    assert [type(answer).__name__ for answer in found] == ["ImageHashed", *["ImageRejected"] * 3, "ImageHashed"]
    assert [answer.filename for answer in found] == list(files)
    assert [answer.index for answer in found] == [0, 1, 2, 3, 4]
    rejected = [answer for answer in found if isinstance(answer, ImageRejected)]
    assert [answer.code for answer in rejected] == ["truncated", "unsupported", "empty"]
    assert rejected[0].reason == (
        "b.png: not an image (truncated after 90 bytes); it was cut off or damaged on its way: send it again, or "
        "export it anew"
    )


def test_each_answer_comes_before_the_next_file_is_touched(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE, "tulip.jpg": TULIP})
    stream = on_batch_submitted(batch, Maker(blobs, Limits()), Limits(), Results(blobs))
    assert isinstance(next(stream), ImageHashed)
    blobs.path(batch.files[1].upload).unlink()
    lost = next(stream)
    assert isinstance(lost, ImageFailed), "it is not the file's fault: it may be tried again"
    assert "upload it again, or try it again once your operator has restored them" in lost.reason


def test_redelivery_gives_the_same_answers_without_decoding_again(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE, "bad.png": b"bad", "tulip.jpg": TULIP})
    first = answers(batch, blobs)
    for file in (batch.files[0], batch.files[2]):
        blobs.path(file.upload).unlink()  # there is nothing left to decode
    assert answers(batch, blobs) == first


def test_the_same_bytes_under_another_name_cost_no_second_decode(blobs: Blobs) -> None:
    first = hashed(batch_of(blobs, {"rose.png": ROSE}), blobs)
    again = batch_of(blobs, {"copy of rose.jpg": ROSE})
    blobs.path(again.files[0].upload).unlink()
    second = hashed(again, blobs)
    assert (second.print_file, second.phash) == (first.print_file, first.phash)
    assert second.item_id != first.item_id
    assert "ends in .jpg, but it is a PNG" in second.warnings[0]


@pytest.mark.parametrize("change", [{"print_spec": FIT}, {"tenant_id": uuid4()}], ids=["print spec", "tenant"])
def test_a_result_is_only_for_its_tenant_and_its_print_size(blobs: Blobs, change: dict[str, object]) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    hashed(batch, blobs)
    blobs.path(batch.files[0].upload).unlink()
    (answer,) = answers(batch.model_copy(update=change), blobs)
    assert isinstance(answer, ImageFailed), "it had to be decoded anew"


@pytest.mark.parametrize("part", ["print_file", "canonical"])
def test_a_result_whose_blob_is_gone_is_made_again(blobs: Blobs, part: str) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    first = hashed(batch, blobs)
    lost: Blob = getattr(first, part)
    blobs.path(lost).unlink()
    assert hashed(batch, blobs) == first
    assert blobs.get(lost)


@pytest.mark.parametrize("part", ["print_file", "canonical"])
def test_a_result_whose_blob_is_damaged_is_made_again(blobs: Blobs, part: str) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    first = hashed(batch, blobs)
    damaged: Blob = getattr(first, part)
    blobs.path(damaged).write_bytes(b"!" * damaged.size)
    assert hashed(batch, blobs) == first
    assert blobs.get(damaged)


def test_a_torn_result_is_made_again(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    first = hashed(batch, blobs)
    (record,) = (blobs.root / "derived").rglob("*.json")
    record.write_text(record.read_text()[:100])
    assert hashed(batch, blobs) == first
    assert record.stat().st_size > 100


def test_a_raised_limit_counts_at_once(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    (refused,) = answers(batch, blobs, Limits(max_bytes=100))
    assert isinstance(refused, ImageRejected)
    assert hashed(batch, blobs).phash


def test_a_lost_upload_fails_alone_and_says_what_to_do(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE, "tulip.jpg": TULIP})
    blobs.path(batch.files[0].upload).unlink()
    lost, fine = answers(batch, blobs)
    assert isinstance(lost, ImageFailed)
    assert (lost.item_id, lost.failed_stage) == (batch.files[0].item_id, "hasher")
    assert "upload it again" in lost.reason
    assert isinstance(fine, ImageHashed)


def test_an_error_that_nobody_foresaw_fails_its_file_alone(blobs: Blobs) -> None:
    batch, maker = batch_of(blobs, {"a.png": ROSE, "b.png": ROSE + b"b", "c.jpg": TULIP}), Maker(blobs, Limits())

    def make(upload: Blob, spec: PrintSpec) -> Result:
        if upload == batch.files[1].upload:
            raise ChildFailed("KeyError: 'IHDR'", "")
        made = maker(upload, spec)
        assert isinstance(made, Result)
        return made

    first, failed, last = on_batch_submitted(batch, make, Limits(), Results(blobs))
    assert (type(first), type(last)) == (ImageHashed, ImageHashed)
    assert isinstance(failed, ImageFailed), "it may be tried again"
    assert failed.reason == "b.png: it could not be made a print (KeyError: 'IHDR'); tell your operator"


def test_a_blob_store_that_is_away_is_no_verdict_about_the_file(blobs: Blobs) -> None:
    batch = batch_of(blobs, {"rose.png": ROSE})
    shutil.rmtree(blobs.root)
    with pytest.raises(Unavailable):
        answers(batch, blobs)
    blobs.root.write_text("a file where the mount should be")
    with pytest.raises(Unavailable):
        answers(batch, blobs)


def test_the_service_handles_a_batch_as_it_is_built(tmp_path: Path) -> None:
    settings = Settings(blob_dir=tmp_path / "blobs")
    service = build(settings)
    handler = service.handlers[BatchSubmitted]
    assert (service.name, set(handler.emits)) == ("hasher", {ImageHashed, ImageRejected, ImageFailed})
    (answer,) = handler.call(batch_of(Blobs(settings.blob_dir), {"rose.png": ROSE})) or ()
    assert isinstance(answer, ImageHashed)


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_IMAGE_MEGAPIXELS", "7")
    monkeypatch.setenv("MAX_UPLOAD_BYTES", "1234")
    monkeypatch.setenv("MAX_IMAGE_SIDE", "99")
    monkeypatch.setenv("DECODE_LIMIT_SECONDS", "1.5")
    assert Settings().limits == Limits(max_bytes=1234, max_pixels=7_000_000, max_side=99, max_seconds=1.5)
