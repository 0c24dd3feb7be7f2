"""The square picture that designs are compared by, as people want to see it: in the design's own proportions. Pure."""

import io

from PIL import Image, PngImagePlugin  # noqa: F401 - loaded here, as else with the first picture

SIDE = 256
"""The side of the hasher's squares. A larger picture is none of them, and is not decoded."""


def in_proportion(png: bytes) -> bytes:
    """The same picture with square pixels, its longer side as before; itself if it tells no other proportions."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        across, down = image.info.get("aspect", (0, 0))  # how many pixels make a unit of length
        if not across or not down or max(image.size) > SIDE:
            return png
        # Pillow weights colours by alpha here: what lies under transparent pixels does not shine through.
        seen = image.resize(_size(image.width * down, image.height * across), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    seen.save(file, "PNG")
    return file.getvalue()


def _size(width: int, height: int) -> tuple[int, int]:
    longest = max(width, height)
    return max(1, round(SIDE * width / longest)), max(1, round(SIDE * height / longest))
