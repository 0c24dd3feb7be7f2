"""The second look, and what it reads for it."""

from dataclasses import replace
from uuid import uuid4

import pytest

from services.dedup.candidates.thumbnails import thumbnails_of
from services.dedup.deciding.second_look import FEW_LOOKS, MOST_LOOKS, Look
from services.dedup.pixels.likeness import COPIES
from services.dedup.pixels.picture import Picture
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import decide
from shared.contracts import Blob, ImageAccepted
from shared.errors import Busy, Unavailable
from tests.accuracy.copies import resized
from tests.unit.dedup.art import cropped, design, picture
from tests.unit.dedup.pictures import ALGORITHM, blob, hashed

OTHER = Known(source="session", algorithm=ALGORITHM, phash=None, dhash=None, canonical=blob("another"))


def away(_: Blob) -> Picture | None:
    raise Unavailable("the blob store does not answer")


def test_where_the_other_picture_cannot_be_read_this_message_alone_waits() -> None:
    with pytest.raises(Busy, match="can't be looked at"):
        Look(picture(design()), {}, away)(OTHER)


def test_a_picture_whose_own_pixels_are_gone_waits_for_no_others() -> None:
    assert Look(None, {}, away)(OTHER) is None


@pytest.fixture(scope="module")
def family() -> dict[str, Picture]:
    """Names on one template, by name."""
    names = [f"{first}{second} {number}" for first in "ABCDEFG" for second in ("nna", "mil") for number in range(4)]
    return {name: picture(design(name)) for name in names}


def known(family: dict[str, Picture], *, hashes: str) -> list[Known]:
    """All of them, as if their hashes were the same."""
    return [
        Known(
            "session", ALGORITHM, hashes, hashes, item_id=uuid4(), canonical=blob(name), upload_sha256=blob(name).sha256
        )
        for name in family
    ]


def test_of_a_large_family_those_are_looked_at_that_are_most_like_the_picture(family: dict[str, Picture]) -> None:
    by_blob = {blob(name): each for name, each in family.items()}
    others = known(family, hashes="0" * 64)
    unseen = Known("session", ALGORITHM, "0" * 64, "0" * 64, item_id=uuid4())
    *_, last = family
    for copy in (resized(design(last), 0.5), cropped(design(last), 0.01)):
        look = Look(picture(copy), {}, by_blob.__getitem__, lambda each: thumbnails_of(by_blob[each]))
        worth_it = look.worth_it([*others, unseen])
        assert len(worth_it) == MOST_LOOKS + 1
        assert worth_it[-2:] == [others[-1], unseen]
        assert look(others[-1]) in COPIES
    assert Look(None, {}, away).worth_it(others) == others


def test_a_name_whose_letters_other_names_have_in_their_places_is_looked_at_beside_few_of_them(
    family: dict[str, Picture],
) -> None:
    by_blob = {blob(name): each for name, each in family.items()}
    *others, _ = known(family, hashes="0" * 64)
    *_, last = family
    look = Look(family[last], {}, by_blob.__getitem__, lambda each: thumbnails_of(by_blob[each]))
    assert len(look.worth_it(others)) == FEW_LOOKS


def test_the_fiftieth_name_on_a_template_is_no_duplicate_for_want_of_a_look(family: dict[str, Picture]) -> None:
    """Names on one template are within a bit or two of each other: only their pixels tell them apart."""
    blobs = {blob(name): each for name, each in family.items()}
    *_, new = family
    event = hashed(tenant=uuid4())
    others = [replace(each, dhash=event.dhash, phash=event.phash) for each in known(family, hashes="")[:-1]]
    look = Look(family[new], {}, blobs.__getitem__, lambda each: thumbnails_of(blobs[each]))
    verdict = decide(event, look.worth_it(others), 5, look)
    assert isinstance(verdict, ImageAccepted)
    assert verdict.resembles is not None
    assert verdict.resembles.verdict == "text_variant"
