"""The colours that a PNG's numbers stand for where no profile tells it: cICP, or gAMA and cHRM, as an ICC profile.

cICP goes before an embedded profile, that before sRGB, and gAMA and cHRM come last (PNG specification, third edition,
4.3). Browsers show such a file so, and so it must be printed; Pillow takes no notice of any of them.
"""

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HDR = "its colours are said in a way for HDR or video (cICP) and were read as sRGB; they may be off: export it as sRGB"

Floats = NDArray[np.float64]

# x and y of the white point, of red, green and blue
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
PRIMARIES = {  # ITU-T H.273
    1: SRGB,
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),  # BT.2020
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
}
SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # a kind of formula, and its numbers (ICC.1, 10.18)
CURVES = {4: (0, 2.2), 8: (0, 1.0), 13: SRGB_CURVE}
RGB_OF_FULL_RANGE = b"\0\1"

SRGB_GAMMA = 1 / 2.2  # what writers of sRGB put into gAMA beside it, for readers that know no other
NEAR_GAMMA, NEAR_XY = 0.05, 0.005  # within which it is meant: rounding by the writer

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1.0, 0.8249])
MOST = 4.0  # of a colour's light, where white has 1: beyond it the numbers are nonsense


def profile_of(image: Image.Image, data: bytes) -> tuple[bytes | None, str | None]:
    """The ICC profile to read a file's numbers by (None: they are sRGB), and a warning if they may be another's."""
    embedded = image.info.get("icc_profile")
    if image.format != "PNG":
        return embedded, None
    if (said := _cicp(data)) is not None:
        primaries, curve = PRIMARIES.get(said[0]), CURVES.get(said[1])
        if primaries is None or curve is None or said[2:] != RGB_OF_FULL_RANGE:
            return embedded, HDR
        return _profile(primaries, curve), None
    if embedded or "srgb" in image.info:
        return embedded, None
    return _by_gamma(image.info.get("gamma", SRGB_GAMMA), image.info.get("chromaticity", SRGB)), None


def _cicp(data: bytes) -> bytes | None:
    """The four numbers of a chunk that stands before the pixels: primaries, curve, matrix, range."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"cICP" and length == 4:
            return data[position + 8 : position + 12]
        if kind == b"IDAT":
            break
        position += 12 + length
    return None


def _by_gamma(gamma: float, primaries: tuple[float, ...]) -> bytes | None:
    usual = abs(gamma / SRGB_GAMMA - 1) <= NEAR_GAMMA
    if not 0.1 <= gamma <= 10 or (usual and np.abs(np.subtract(primaries, SRGB)).max() <= NEAR_XY):
        return None
    return _profile(primaries, (0, 1 / gamma))


def _profile(primaries: tuple[float, ...], curve: tuple[float, ...]) -> bytes | None:
    """An ICC profile of version 4; None for primaries that no light has."""
    colours = _adapted(primaries)
    if colours is None:
        return None
    kind, *numbers = curve
    told = b"para" + bytes(4) + struct.pack(">HH", int(kind), 0) + _fixed(numbers)
    red, green, blue = map(_xyz, colours)
    tags = {b"wtpt": _xyz(D50), b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), told)
    start, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(D50)
    return head.ljust(128, b"\0") + table + body


def _adapted(primaries: tuple[float, ...]) -> Floats | None:
    """Red, green and blue as X, Y and Z under the white of ICC profiles, to which Bradford's way brings them."""
    x, y = np.array(primaries).reshape(4, 2).T
    if (y <= 0).any():
        return None
    light = np.array([x / y, np.ones(4), (1 - x - y) / y])
    white, pure = light[:, 0], light[:, 1:]
    if abs(np.linalg.det(pure)) < 1e-6:
        return None
    to_cone = BRADFORD * ((BRADFORD @ D50) / (BRADFORD @ white))[:, None]
    colours = (np.linalg.solve(BRADFORD, to_cone) @ (pure * np.linalg.solve(pure, white))).T
    return colours if np.isfinite(colours).all() and np.abs(colours).max() <= MOST else None


def _xyz(light: Floats) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(light)


def _fixed(numbers: Floats | list[float]) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))
