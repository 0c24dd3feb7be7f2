"""Small pictures are seen in their own proportions, as far as they tell them."""

import io

import numpy as np
import pytest
from PIL import Image

from services.hasher import png
from services.ingest.api.thumbnails import in_proportion
from tests.unit.hasher.samples import Pixels

SQUARE: Pixels = np.zeros((256, 256, 4), np.uint8)
SQUARE[:, 128:] = (200, 40, 40, 255)
SQUARE[:, :128, :3] = 255  # transparent white, which must not shine through


@pytest.mark.parametrize(
    ("own", "size"),
    [
        ((1500, 250), (256, 43)),
        ((250, 1500), (43, 256)),
        ((4800, 5400), (228, 256)),
        ((900, 900), (256, 256)),
        ((100_000, 20), (256, 1)),
    ],
)
def test_the_longer_side_stays_and_the_other_follows(own: tuple[int, int], size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(in_proportion(png.encode(SQUARE, pixel=own)))) as shown:
        assert (shown.format, shown.mode, shown.size) == ("PNG", "RGBA", size)
        assert "aspect" not in shown.info, "its pixels are squares now"
        seen = np.asarray(shown)
    half = size[0] // 2
    assert not seen[:, : half - 4, 3].any()
    assert (seen[:, half + 4 :] == (200, 40, 40, 255)).all()
    visible = seen[seen[..., 3] > 0].astype(int)
    assert np.abs(visible[:, :3] - (200, 40, 40)).max() < 32, "no white from under transparent pixels"


def test_a_picture_that_tells_no_proportions_is_served_as_it_is() -> None:
    for untold in (png.encode(SQUARE), png.encode(SQUARE, 400)):
        assert in_proportion(untold) == untold


def test_a_large_picture_is_not_decoded() -> None:
    large = png.encode(np.zeros((257, 256, 4), np.uint8), pixel=(3, 1))
    assert in_proportion(large) == large
