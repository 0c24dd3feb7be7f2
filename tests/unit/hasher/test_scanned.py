"""A finished file in, its hashes out: alike to those of the upload that it was made from."""

from pathlib import Path
from uuid import uuid4

import pytest

from services.decoding.answers import ChildFailed
from services.decoding.isolation import Died
from services.hasher.handlers import on_picture_found
from services.hasher.hashing import fingerprint
from services.hasher.limits import Limits
from services.hasher.made import Looks
from services.hasher.making import Maker
from services.hasher.preparing import prepare, recognise
from shared.blobs import Blobs
from shared.contracts import SCANNED, Blob, PictureFound, PictureHashed, PrintSpec
from tests.images import saved
from tests.unit.hasher.samples import DIGITAL, FIT, STRETCH, artwork, as_pillow_reads, photo

LIMITS = Limits()
ROSE = saved(artwork(), "PNG")


def answer(tmp_path: Path, data: bytes, *, lost: bool = False) -> PictureHashed:
    blobs = Blobs(tmp_path / "blobs")
    copies = Blobs(blobs.root / SCANNED)
    content = copies.put(data)
    if lost:
        copies.path(content).unlink()
    maker = Maker(blobs, LIMITS)

    def look(scanned: Blob) -> Looks:
        found = maker(scanned, None)
        assert isinstance(found, Looks)
        return found

    event = PictureFound(tenant_id=uuid4(), ticket=uuid4(), path="NorthCups/rose.png", content=content)
    (found,) = on_picture_found(event, look, LIMITS)
    assert (found.tenant_id, found.ticket, found.path) == (event.tenant_id, event.ticket, event.path)
    assert found.content == content
    return found


def test_a_file_that_lies_there_gets_the_hashes_of_its_picture(tmp_path: Path) -> None:
    found, expected = answer(tmp_path, ROSE), fingerprint(as_pillow_reads(ROSE))
    assert (found.algorithm, found.phash, found.dhash) == (expected.algorithm, expected.phash, expected.dhash)
    assert found.problem == ""
    assert found.canonical
    assert Blobs(tmp_path / "blobs").get(found.canonical) == prepare(ROSE, STRETCH, LIMITS).canonical


def test_what_is_no_picture_is_told_in_words(tmp_path: Path) -> None:
    found = answer(tmp_path, ROSE[:90])
    assert found.phash is None
    assert found.problem is not None
    assert found.problem.startswith("not an image (truncated after 90 bytes); it was cut off or damaged on its way: ")


def test_what_was_lost_on_the_way_is_neither(tmp_path: Path) -> None:
    found = answer(tmp_path, ROSE, lost=True)
    assert (found.phash, found.dhash, found.problem) == (None, None, "")


@pytest.mark.parametrize("fault", [Died("signal SIGSEGV"), ChildFailed("KeyError: 'IHDR'", "")], ids=["dies", "fails"])
def test_what_kills_its_decoder_or_us_is_a_problem_of_that_file(fault: Exception) -> None:
    def look(scanned: Blob) -> Looks:
        raise fault

    event = PictureFound(tenant_id=uuid4(), ticket=uuid4(), path="a.png", content=Blob(sha256="0" * 64, size=7))
    (found,) = on_picture_found(event, look, LIMITS)
    assert found.phash is None
    assert str(fault) in found.problem


@pytest.mark.parametrize("spec", [STRETCH, FIT, DIGITAL], ids=["stretched", "fitted", "digital"])
@pytest.mark.parametrize("seed", range(4))
def test_a_print_file_looks_like_its_upload(spec: PrintSpec, seed: int) -> None:
    upload = saved(artwork(seed=seed) if seed % 2 else photo(seed=seed), "PNG")
    design = prepare(upload, spec, LIMITS)
    found = recognise(design.print_file, LIMITS)
    assert found.algorithm == design.algorithm
    apart = min(_bits(found.phash, design.phash), _bits(found.dhash, design.dhash))
    assert apart <= 5, f"{apart} of 256 bits"


def _bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
