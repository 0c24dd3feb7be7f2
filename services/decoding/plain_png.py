"""PNG of 8 bits for each of red, green and blue, with alpha or without: what design programs write, and what we do."""

from typing import Literal

import imagecodecs
import numpy as np
from kornia_rs.io import decode_image_png_u8
from numpy.typing import NDArray

PLAIN: dict[bytes, Literal["rgb", "rgba"]] = {b"\x08\x02": "rgb", b"\x08\x06": "rgba"}
"""What the 25th and 26th byte of such a file are (IHDR), and the channels that it has."""

BESIDE_BYTES = 32 << 20  # what the decoder takes beside the picture, many times over


def plain_png(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Decode such a file, whose header says this size, into (height, width, 3 or 4).

    By a decoder in Rust, twice as fast as libspng, which then says what is wrong with what that one can't read.

    Raises:
        MemoryError: said before that decoder runs out of it, as Rust ends the process over that.
        One of UNREADABLE: it is damaged.
    """
    mode = PLAIN[data[24:26]]
    np.empty(width * height * len(mode) + BESIDE_BYTES, np.uint8)
    try:
        return np.asarray(decode_image_png_u8(data, (height, width), mode))
    except Exception:  # noqa: BLE001 - it promises no kinds of errors
        # not imagecodecs' png_decode: that one leaks the picture when libpng gives up
        return np.asarray(imagecodecs.spng_decode(data))
