"""Raw pixels out of a file whose header is known, by the fastest codec that gives Pillow's pixels."""

from collections.abc import Callable

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.decoding.plain_png import PLAIN, plain_png
from services.decoding.png_transparency import key_in_8_bits
from services.decoding.unreadable import UNREADABLE
from services.hasher.raster import Pixels

ORIENTATION = 0x0112  # EXIF tag
PHOTOMETRIC, WHITE_IS_ZERO = 0x0106, 0  # TIFF tag, and what it says of a negative

UPRIGHT: dict[int, Callable[[Pixels], NDArray[np.generic]]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.transpose(cv2.rotate(pixels, cv2.ROTATE_180)),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def decoded(image: Image.Image, data: bytes, *, animated: bool) -> NDArray[np.generic] | Image.Image:
    """The raw pixels as an array, or as Pillow's image in modes that no array of ours stands for.

    Raises:
        One of UNREADABLE.
    """
    raw: NDArray[np.generic] | None = None
    if image.format == "PNG" and data[24:26] in PLAIN and "transparency" not in image.info:
        raw = plain_png(data, *image.size)
    elif image.format in {"JPEG", "MPO"} and image.mode in {"RGB", "L"}:
        raw = imagecodecs.jpeg8_decode(data)
    elif image.format == "WEBP" and not animated:
        raw = imagecodecs.webp_decode(data)
    if raw is None:
        return _by_pillow(image, bits=data[24] if image.format == "PNG" else 8)
    if raw.shape[1::-1] != image.size:
        raise ValueError(f"decoded {raw.shape[1::-1]}, the header says {image.size}")
    return raw


def _by_pillow(image: Image.Image, bits: int) -> NDArray[np.generic] | Image.Image:
    image.load()
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):  # convert() would clip it to white
        grey = np.asarray(image)
        if image.format == "TIFF" and image.getexif().get(PHOTOMETRIC) == WHITE_IS_ZERO:
            grey = 0xFFFF - grey  # Pillow turns 8 bits round, and leaves 16 as they are
        return grey if key is None else np.dstack([grey, np.where(grey == key, 0, 0xFFFF).astype(np.uint16)])
    if image.mode in {"CMYK", "I", "F", "LAB", "HSV"}:
        return image
    key_in_8_bits(image, bits)
    return np.asarray(image.convert("RGBA"))


def rgba_of(raw: NDArray[np.generic]) -> Pixels:
    """Grey (H, W), grey + alpha, RGB or RGBA of 8 or 16 bits as 8-bit RGBA. 16 bits keep their high byte."""
    narrow = (raw >> 8 if raw.dtype.itemsize == 2 else raw).astype(np.uint8, copy=False)  # type: ignore[operator]
    channels = 1 if narrow.ndim == 2 else narrow.shape[2]
    if channels == 1:
        rgba = cv2.cvtColor(narrow, cv2.COLOR_GRAY2RGBA)
    elif channels == 2:
        grey, alpha = cv2.split(narrow)
        rgba = cv2.merge([grey, grey, grey, alpha])
    elif channels == 3:
        rgba = cv2.cvtColor(narrow, cv2.COLOR_RGB2RGBA)
    else:
        rgba = narrow
    return np.ascontiguousarray(rgba, dtype=np.uint8)


def upright(pixels: Pixels, image: Image.Image, data: bytes) -> tuple[Pixels, str | None]:
    """Turned as EXIF says. A damaged EXIF block costs the turn and gives a warning, no more.

    Pillow has turned TIFFs while loading them and has taken the tag away.
    """
    if image.format == "PNG" and b"eXIf" not in data and "exif" not in image.info:
        return pixels, None  # Pillow would decode the whole file in search of a late eXIf chunk
    try:
        turn = UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    except UNREADABLE:
        return pixels, "its EXIF block is damaged and was ignored; check that the picture is upright"
    return (np.ascontiguousarray(turn(pixels), dtype=np.uint8) if turn else pixels), None
