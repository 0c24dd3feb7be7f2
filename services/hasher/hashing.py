"""The canonical picture and its hashes: what makes two files the same design."""

from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from PIL import Image

from services.hasher.page import art_on_page
from services.hasher.raster import Pixels, crop_to_alpha, make_straight, premultiplied, resized, strongest_alpha
from services.hasher.rejection import Rejected
from services.hasher.versions import ALGORITHM, GREY_ART_ALGORITHM

SIDE = 512  # of the picture that is hashed, and of the canonical picture close up
KEPT_SIDE = 256  # of the canonical picture: "2024" in a line across the design is still legible, for some 20 kB
HASH_SIZE = 16  # 16 x 16 bits

CLEAR_CONTRAST = 16  # levels: see-through art with less, laid on grey, is laid on white instead
SOLID = 32  # alpha of 255 from which a pixel belongs to the picture's outline
MIN_CONTRAST = 3  # levels; below it the hash bits are rounding noise


@dataclass(frozen=True)
class Fingerprint:
    """The canonical picture in colour and alpha (256, 256, 4), and the hashes, 256 bits each as 64 hex digits.

    `close_up` is the canonical picture at twice its size (512, 512, 4), premultiplied.
    Of small art on a large opaque page the canonical picture shows the art alone, as of the same art without its page.
    `shown` is the width and height in pixels of what was squeezed into its square.
    `hashed` (512, 512, 3) is the whole picture laid on a ground: the hashes are imagehash's own of it. `artwork` is the
    width and height of the picture in pixels, or of what lies on it if it is a page. These are not the proportions of
    `shown`: specks of hardly any alpha count here, and a page that its art nearly fills does not.
    """

    canonical: Pixels
    close_up: Pixels
    shown: tuple[int, int]
    hashed: Pixels
    artwork: tuple[int, int]
    algorithm: str
    phash: str
    dhash: str


def fingerprint(picture: Pixels, weighted: Pixels | None = None) -> Fingerprint:
    """Hash a picture (H, W, 4) of which something is visible. `weighted` is the same premultiplied, if it is at hand.

    Cropped and square, an upload, its stretched or padded print file and its copy under another template agree.

    Raises:
        Rejected: it has no light and dark parts, so its hash would equal that of every other blank picture.
    """
    solid = _solid_part(premultiplied(picture) if weighted is None else weighted)
    small = resized(solid, SIDE, SIDE)
    algorithm, image = ALGORITHM, _flattened(small, 128)
    grey, reduced = _as_hashed(image)
    if _contrast(reduced) < CLEAR_CONTRAST and small[..., 3].min() < 255:
        algorithm, image = GREY_ART_ALGORITHM, _flattened(small, 255)
        grey, reduced = _as_hashed(image)
    if _contrast(reduced) < MIN_CONTRAST:
        raise Rejected("blank", "blank (it has no light and dark parts to recognise it by); upload the artwork itself")
    art = art_on_page(small)
    shown = art.cut(solid) if art and art.small else solid
    close_up = small if shown is solid else resized(shown, SIDE, SIDE)
    height, width = picture.shape[:2]
    return Fingerprint(
        canonical=make_straight(resized(close_up, KEPT_SIDE, KEPT_SIDE)),
        close_up=close_up,
        shown=(shown.shape[1], shown.shape[0]),
        hashed=np.asarray(image),
        artwork=art.size(width, height) if art else (width, height),
        algorithm=algorithm,
        phash=str(imagehash.phash(reduced, hash_size=HASH_SIZE)),
        dhash=str(imagehash.dhash(grey, hash_size=HASH_SIZE)),
    )


def _solid_part(picture: Pixels) -> Pixels:
    """Cropped to where alpha reaches SOLID, or half of the most there is in faint art.

    A box around alpha != 0 hangs on single specks of alpha 1 to 3, which background removers leave and resizing adds
    or takes away: 27 % of resized and re-encoded copies were then more than 5 bits from their source, now 6 %.
    """
    most = strongest_alpha(picture, enough=2 * SOLID)
    cropped = crop_to_alpha(picture, min(SOLID, (most + 1) // 2))
    return picture if cropped is None else cropped


def _flattened(premultiplied_rgba: Pixels, background: int) -> Image.Image:
    """Laid on an opaque grey. Adding saturates: cubic enlargement can overshoot."""
    of_alpha = ((255 - np.arange(256)) * background + 127) // 255
    shining_through = cv2.LUT(cv2.extractChannel(premultiplied_rgba, 3), of_alpha.astype(np.uint8))
    colours = cv2.cvtColor(premultiplied_rgba, cv2.COLOR_RGBA2RGB)
    return Image.fromarray(np.asarray(cv2.add(colours, cv2.cvtColor(shining_through, cv2.COLOR_GRAY2RGB))))


def _as_hashed(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """In grey, as imagehash would make it of the picture for each hash; and so reduced as it does for pHash."""
    grey = image.convert("L")
    return grey, grey.resize((4 * HASH_SIZE, 4 * HASH_SIZE), Image.Resampling.LANCZOS)


def _contrast(reduced: Image.Image) -> int:
    """The range of light at the size that pHash looks at, four times its bits a side."""
    low, high = reduced.getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]
