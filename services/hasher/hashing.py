"""The canonical picture and its hashes: what makes two files the same design."""

from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from PIL import Image

from services.hasher.raster import Pixels, premultiplied, resized
from services.hasher.rejection import Rejected

SIDE = 512
HASH_SIZE = 16  # 16 x 16 bits
ALGORITHM = "canonical512-grey128/phash16+dhash16/1"
GREY_ART_ALGORITHM = "canonical512-white255/phash16+dhash16/1"
"""For art as light as the grey it is laid on, which would vanish there; it is compared with its like only."""

BACKGROUNDS = {ALGORITHM: 128, GREY_ART_ALGORITHM: 255}
MIN_CONTRAST = 3  # levels of 255; below it the hash bits are rounding noise


@dataclass(frozen=True)
class Fingerprint:
    """The canonical picture (512, 512, 3) and its hashes, 256 bits each as 64 hex digits."""

    canonical: Pixels
    algorithm: str
    phash: str
    dhash: str


def fingerprint(picture: Pixels) -> Fingerprint:
    """Hash a picture (H, W, 4) that is cropped to its alpha bounding box.

    Square and cropped, an upload, its stretched or padded print file and its copy under another template agree.

    Raises:
        Rejected: it has no light and dark parts, so its hash would equal that of every other blank picture.
    """
    small = resized(premultiplied(picture), SIDE, SIDE)
    for algorithm, background in BACKGROUNDS.items():
        canonical = _flattened(small, background)
        image = Image.fromarray(canonical)
        if _contrast(image) >= MIN_CONTRAST:
            phash = imagehash.phash(image, hash_size=HASH_SIZE)
            dhash = imagehash.dhash(image, hash_size=HASH_SIZE)
            return Fingerprint(canonical, algorithm, str(phash), str(dhash))
    raise Rejected("blank", "blank (it has no light and dark parts to recognise it by); upload the artwork itself")


def _flattened(premultiplied_rgba: Pixels, background: int) -> Pixels:
    """Laid on an opaque grey. Adding saturates: cubic enlargement can overshoot."""
    alpha = premultiplied_rgba[..., 3].astype(np.uint16)
    shining_through = ((255 - alpha) * background + 127) // 255
    behind = cv2.merge([shining_through.astype(np.uint8)] * 3)
    return np.asarray(cv2.add(np.ascontiguousarray(premultiplied_rgba[..., :3]), behind), dtype=np.uint8)


def _contrast(image: Image.Image) -> int:
    """The range of light at the size that pHash looks at, four times its bits a side."""
    lightest_and_darkest = image.convert("L").resize((4 * HASH_SIZE, 4 * HASH_SIZE), Image.Resampling.LANCZOS)
    low, high = lightest_and_darkest.getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]
