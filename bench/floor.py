"""The floor: the fastest known step for each part of the work on a design, with every buffer at hand and warm.

Nothing that turns a file into a print can be faster than their sum, as long as none of the steps gets faster.
"""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import imagecodecs
import imagehash
import numpy as np
from isal import isal_zlib
from kornia_rs.io import decode_image_png_u8
from PIL import Image

from bench.measuring import in_turns
from services.hasher import png
from services.hasher.raster import Pixels, crop_to_alpha, resized, strips

SIDE = 512


def steps(data: bytes, width: int, height: int, rounds: int) -> dict[str, float]:
    """Seconds of the processor for each step with a PNG design, printed at width x height."""
    stream = _compressed_pixels(data)
    pixels = np.ascontiguousarray(imagecodecs.spng_decode(data))
    raw = bytearray(len(pixels) * (pixels[0].size + 1))
    visible = crop_to_alpha(pixels)
    assert visible is not None  # noqa: S101 - the corpus has nothing empty
    printed = resized(visible, width, height)
    out, into = np.empty_like(printed), np.empty_like(pixels)
    filtered = np.empty((height, width * 4 + 1), np.uint8)
    _filter(printed, filtered)
    small = resized(visible, SIDE, SIDE)
    found = in_turns(
        rounds,
        {
            "inflate libdeflate": lambda: imagecodecs.deflate_decode(stream, out=raw),
            "inflate isa-l": lambda: isal_zlib.decompress(stream, bufsize=len(raw)),
            "zlib": lambda: imagecodecs.zlib_decode(stream, out=raw),
            "kornia": lambda: decode_image_png_u8(data, pixels.shape[:2], "rgba"),
            "spng": lambda: imagecodecs.spng_decode(data, out=into),
            "copy": lambda: np.copyto(into, pixels),
            "box Pillow": lambda: Image.fromarray(pixels).getbbox(),
            "box ours": lambda: crop_to_alpha(pixels),
            "resize": lambda: resized(visible, width, height, out),
            "hash": lambda: _hashes(resized(visible, SIDE, SIDE)),
            "filter": lambda: _filter(printed, filtered),
            "deflate at once": lambda: isal_zlib.compress(filtered, 1),
            "deflate in strips": lambda: _deflated(filtered),
            "canonical": lambda: png.encode(np.ascontiguousarray(small[..., :3])),
        },
    )
    return _fastest(found)


def _fastest(found: dict[str, float]) -> dict[str, float]:
    """Of each step the fastest way. A decoder's own unfiltering is what it takes beyond the inflater that it has."""
    inflate = min(found["inflate libdeflate"], found["inflate isa-l"])
    unfilter = max(found["spng"] - found["zlib"], found["copy"])
    return {
        "inflate and unfilter": min(inflate + unfilter, found["kornia"]),
        "box": min(found["box Pillow"], found["box ours"]),
        "resize": found["resize"],
        "hash": found["hash"],
        "filter": found["filter"],
        "deflate": min(found["deflate at once"], found["deflate in strips"]),
        "canonical": found["canonical"],
    }


def _compressed_pixels(data: bytes) -> bytes:
    parts, position = [], 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    return b"".join(parts)


def _hashes(small: Pixels) -> None:
    image = Image.fromarray(np.ascontiguousarray(small[..., :3]))
    imagehash.phash(image, hash_size=16)
    imagehash.dhash(image, hash_size=16)


def _filter(printed: Pixels, filtered: Pixels) -> None:
    rows = printed.reshape(len(printed), -1)
    edges = [*range(1, len(rows), 64), len(rows)]
    filtered[0, 1:] = rows[0]
    for top, bottom in pairwise(edges):
        np.subtract(rows[top:bottom], rows[top - 1 : bottom - 1], out=filtered[top:bottom, 1:])


def _deflated(filtered: Pixels) -> bytes:
    deflate: Any = isal_zlib.compressobj(1)
    compress: Callable[[Pixels], bytes] = deflate.compress
    return b"".join([*(compress(strip) for strip in strips(filtered)), deflate.flush()])
