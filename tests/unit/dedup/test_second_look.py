"""The second look, and what it reads for it."""

import pytest

from services.dedup.deciding.second_look import Look
from services.dedup.pixels.picture import Picture
from services.dedup.rule.known_picture import Known
from shared.contracts import Blob
from shared.errors import Busy, Unavailable
from tests.unit.dedup.art import design, picture
from tests.unit.dedup.pictures import ALGORITHM, blob

OTHER = Known(source="session", algorithm=ALGORITHM, phash=None, dhash=None, canonical=blob("another"))


def away(_: Blob) -> Picture | None:
    raise Unavailable("the blob store does not answer")


def test_where_the_other_picture_cannot_be_read_this_message_alone_waits() -> None:
    with pytest.raises(Busy, match="can't be looked at"):
        Look(picture(design()), {}, away)(OTHER)


def test_a_picture_whose_own_pixels_are_gone_waits_for_no_others() -> None:
    assert Look(None, {}, away)(OTHER) is None
