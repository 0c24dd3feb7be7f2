"""The rule, with nothing around it."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dedup.rule.known_picture import BITS, Known
from services.dedup.rule.matching import decide, distance
from services.dedup.tables import BANDED_DISTANCE
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.unit.dedup.pictures import ALGORITHM, bands, blob, flipped, hashed, random_hash

TENANT = uuid4()
HASHES = st.integers(0, 2**BITS - 1).map("{:064x}".format)


def known(**facts: Any) -> Known:
    defaults: dict[str, Any] = {
        "source": "session",
        "algorithm": ALGORITHM,
        "phash": random_hash(),
        "dhash": random_hash(),
    }
    return Known(**(defaults | {"item_id": uuid4(), "filename": "old.png"} | facts))


def duplicate(event: ImageHashed, *others: Known, at_most: int = 5) -> DuplicateFound:
    verdict = decide(event, others, at_most)
    assert isinstance(verdict, DuplicateFound)
    return verdict


@given(HASHES, st.sets(st.integers(0, BITS - 1), max_size=BANDED_DISTANCE))
def test_hashes_within_the_banded_distance_share_a_band(one: str, bits: set[int]) -> None:
    other = flipped(one, *bits)
    assert distance(one, other) == len(bits)
    assert any(mine == theirs for mine, theirs in zip(bands(one), bands(other), strict=True))


def test_one_more_bit_can_touch_every_band() -> None:
    one = "0" * 64
    other = flipped(one, 0, 50, 100, 150, 200, 250)
    assert not set(enumerate(bands(one))) & set(enumerate(bands(other)))


@given(HASHES)
def test_bands_hold_every_bit_once(one: str) -> None:
    assert sum(band.bit_count() for band in bands(one)) == int(one, 16).bit_count()
    assert all(0 <= band < 2**43 for band in bands(one))


def test_a_picture_like_no_other_is_accepted_with_all_that_was_known_of_it() -> None:
    event = hashed(tenant=TENANT)
    verdict = decide(event, [known(), known()], 5)
    assert isinstance(verdict, ImageAccepted)
    wishes = {"duplicates", "duplicate_distance", "kept"}  # of the upload, for dedup only
    hashed_so = event.model_dump(exclude=wishes)
    assert verdict.model_dump() == hashed_so | {"resembles": None, "anew": False, "instead_of": ()}


@pytest.mark.parametrize("which", ["phash", "dhash"])
@pytest.mark.parametrize(("bits", "is_duplicate"), [(0, True), (5, True), (6, False)])
def test_either_hash_decides_up_to_the_greatest_distance(which: str, bits: int, *, is_duplicate: bool) -> None:
    event = hashed(tenant=TENANT)
    other = known(**{which: flipped(getattr(event, which), *range(0, 40 * bits, 40))})
    assert isinstance(decide(event, [other], 5), DuplicateFound) is is_duplicate


def test_a_greater_distance_finds_more_duplicates() -> None:
    event = hashed(tenant=TENANT)
    other = known(phash=flipped(event.phash, *range(10)))
    assert isinstance(decide(event, [other], 5), ImageAccepted)
    assert duplicate(event, other, at_most=10).distance == 10


def test_the_nearest_wins_and_of_equals_the_oldest() -> None:
    event = hashed(tenant=TENANT)
    far = known(phash=flipped(event.phash, 1, 2, 3), filename="far.png")
    near = known(dhash=flipped(event.dhash, 7), filename="near.png")
    later = known(phash=flipped(event.phash, 9), filename="later.png")
    verdict = duplicate(event, far, near, later)
    assert (verdict.match.filename, verdict.distance, verdict.kind) == ("near.png", 1, "near")


def test_the_same_bytes_count_before_any_hash_and_whatever_made_the_hashes() -> None:
    event = hashed(tenant=TENANT, upload="the bytes")
    near = known(phash=event.phash)
    same = known(upload_sha256=blob("the bytes").sha256, algorithm="another", phash=None, dhash=None)
    verdict = duplicate(event, near, same)
    assert (verdict.kind, verdict.distance, verdict.match.item_id) == ("identical", 0, same.item_id)
    assert verdict.reason == "the same file as old.png from an earlier upload, byte for byte"


def test_the_same_print_bytes_are_identical_too() -> None:
    event = hashed(tenant=TENANT, print_file="the print")
    other = known(source="nas", item_id=None, filename=None, path="S/T/UV 7.png", print_sha256=blob("the print").sha256)
    verdict = duplicate(event, other)
    assert verdict.kind == "identical"
    assert verdict.reason == "the same print as UV 7.png on the NAS, byte for byte"


def test_hashes_made_another_way_are_never_compared() -> None:
    event = hashed(tenant=TENANT)
    assert isinstance(decide(event, [known(phash=event.phash, algorithm="old-system")], 256), ImageAccepted)


def test_an_old_row_with_one_hash_only_is_compared_by_that_one() -> None:
    event = hashed(tenant=TENANT)
    assert duplicate(event, known(phash=event.phash, dhash=None)).distance == 0
    assert isinstance(decide(event, [known(phash=None, dhash=None)], 256), ImageAccepted)


def test_a_picture_never_matches_itself() -> None:
    event = hashed(tenant=TENANT, generation=1)
    own = known(item_id=event.item_id, phash=event.phash, upload_sha256=event.upload.sha256)
    assert isinstance(decide(event, [own], 5), ImageAccepted)


@pytest.mark.parametrize(
    ("facts", "source", "where"),
    [
        ({"session": "own", "stored": False}, "session", "rose.png in this upload"),
        ({"session": "own", "name": "UV 100.png"}, "session", "rose.png (UV 100.png) in this upload"),
        ({"stored": False}, "session", "rose.png in another upload that is still in work"),
        ({"name": "UV 100.png"}, "database", "rose.png (UV 100.png) from an earlier upload"),
        ({"source": "nas", "filename": None, "path": "Shop/T/UV 7.png"}, "nas", "UV 7.png on the NAS"),
        ({"source": "database"}, "database", "rose.png in the database"),
    ],
)
def test_the_reason_names_the_match_and_where_it_is(facts: dict[str, Any], source: str, where: str) -> None:
    event = hashed(tenant=TENANT, phash="f" * 64)
    session = event.session_id if facts.pop("session", None) else uuid4()
    other = known(**({"session_id": session, "filename": "rose.png", "phash": flipped("f" * 64, 1, 2)} | facts))
    verdict = duplicate(event, other)
    assert verdict.match.source == source
    assert verdict.reason == f"the same picture as {where}: 2 of 256 bits differ"


@pytest.mark.parametrize(
    ("mine", "kept", "is_told"),
    [
        ((3600, 3600), (600, 600), True),
        ((1000, 1250), (1000, 1000), True),
        ((1000, 1200), (1000, 1000), False),
        ((600, 600), (3600, 3600), False),
        ((3600, 3600), None, False),
        (None, (600, 600), False),
    ],
)
def test_a_copy_with_more_pixels_than_what_bars_it_is_told_so_and_what_to_do(
    mine: tuple[int, int] | None, kept: tuple[int, int] | None, *, is_told: bool
) -> None:
    event = hashed(tenant=TENANT).model_copy(update={"artwork": mine})
    reason = duplicate(event, known(phash=event.phash, artwork=kept)).reason
    assert ("; it has more pixels (" in reason) is is_told


def test_the_words_have_both_sizes_and_what_to_do() -> None:
    event = hashed(tenant=TENANT).model_copy(update={"artwork": (3600, 3600)})
    reason = duplicate(event, known(phash=event.phash, artwork=(600, 600))).reason
    assert reason.endswith(
        "; it has more pixels (3600 x 3600) than the one kept (600 x 600): keep it as well (review), or delete the "
        "design of that one and send this file again"
    )
