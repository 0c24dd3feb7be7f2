"""Whether a print shows what was uploaded: by its looks, as no row can tell."""

import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageStat

SIDE = 32
GREY = (128, 128, 128, 255)
MOST_APART = 20.0
"""Of 255, on average. A design and its print are less than 6 apart, two designs of the tests more than 50."""


def alike(print_file: bytes, upload: bytes) -> bool:
    """A print is cropped to what is visible and stretched, so both are looked at that way."""
    try:
        difference = ImageChops.difference(_look(print_file), _look(upload))
    except OSError:  # no picture at all
        return False
    return max(ImageStat.Stat(difference).mean) < MOST_APART


@lru_cache(maxsize=2048)
def _look(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    visible = picture.crop(picture.getchannel("A").getbbox())
    flat = Image.alpha_composite(Image.new("RGBA", visible.size, GREY), visible)
    return flat.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
