"""One drawing: its design, every copy and twin of it, and what is decided about each. Runs in a process of its own."""

import contextlib
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from PIL import Image

from services.dedup.aligning import align
from services.dedup.comparing import Difference, difference
from services.dedup.finding import RADIUS
from services.dedup.keys import Keys, keys_of
from services.dedup.likeness import likeness
from services.dedup.matching import distance
from services.dedup.picture import Picture
from services.hasher.decoding import open_picture
from services.hasher.hashing import Fingerprint, fingerprint
from services.hasher.limits import Limits
from services.hasher.raster import crop_to_alpha
from services.hasher.rejection import Rejected
from tests.accuracy.copies import COPIES, saved
from tests.accuracy.designs import TURNED, design_of, twins

SAME_BY_HASH = 5
COPY_VERDICTS = ("re_encode", "near_copy")
SHOP = 128  # pixels of a shop's small picture
LEAST_SEEN = 24  # levels, in a 64th of the width, by which a twin must differ for people to see it


@dataclass(frozen=True)
class Measured:
    """A copy (`expected`) or twin. `by_hash`: what the hashes alone would say. `pictures`: if it went wrong."""

    kind: str
    expected: bool
    found: bool
    said: str
    by_hash: bool
    apart: Difference | None
    pictures: tuple[bytes, bytes]

    @property
    def copy(self) -> bool:
        return self.found and self.said in COPY_VERDICTS

    @property
    def right(self) -> bool:
        return self.copy == self.expected


@dataclass(frozen=True)
class Seen:
    """A file as the hasher and dedup see it."""

    fingerprint: Fingerprint
    picture: Picture
    keys: Keys


def measure(job: tuple[str, Image.Image, Image.Image]) -> tuple[str, list[Measured]]:
    """The drawing's name, and what came of it. `other` is another drawing, for the same template."""
    cv2.setNumThreads(1)
    name, drawing, other = job
    dice = Random(name)
    design = design_of(drawing, dice)
    image = design.image()
    files = [(kind, True, copy(image, dice)) for kind, copy in COPIES.items()]
    seen_as_other = [item for item in twins(design, other, dice).items() if _visible(image, item[1])]
    files += [(kind, False, saved(twin)) for kind, twin in seen_as_other]
    original = seen(saved(image))
    measured = [
        _measured(kind, expected, original, file) for kind, expected, data in files if original and (file := seen(data))
    ]
    return name, measured


def seen(data: bytes) -> Seen | None:
    """None for what the hasher refuses: black art on black, say."""
    with contextlib.suppress(Rejected):
        return _seen(data)
    return None


def _seen(data: bytes) -> Seen:
    pixels = open_picture(data, Limits()).pixels
    visible = crop_to_alpha(pixels)
    found = fingerprint(pixels if visible is None else visible)
    picture = Picture(np.asarray(cv2.cvtColor(found.canonical, cv2.COLOR_RGBA2mRGBA), np.uint8))
    return Seen(found, picture, keys_of(picture))


def _measured(kind: str, expected: bool, original: Seen, other: Seen) -> Measured:
    bits = _bits(original.fingerprint, other.fingerprint)
    pair = align(other.picture, original.picture)
    apart = None if pair is None else difference(pair)
    near = min(
        ((a ^ b).bit_count() for a in other.keys.plain + other.keys.zoomed for b in original.keys.plain), default=64
    )
    found = bits <= SAME_BY_HASH or near <= RADIUS
    said = likeness(other.picture, original.picture)
    measured = Measured(kind, expected, found, said, bits <= SAME_BY_HASH, apart, (b"", b""))
    if measured.right:
        return measured
    pictures = (_png(original.fingerprint), _png(other.fingerprint))
    return Measured(kind, expected, found, said, bits <= SAME_BY_HASH, apart, pictures)


def _bits(one: Fingerprint, other: Fingerprint) -> int:
    if one.algorithm != other.algorithm:
        return 256
    return min(distance(one.phash, other.phash), distance(one.dhash, other.dhash))


def _png(found: Fingerprint) -> bytes:
    return saved(Image.fromarray(found.canonical))


def _visible(image: Image.Image, twin: Image.Image) -> bool:
    """Whether people see it: a mirrored heart is no other design, nor is what an edge moves by a hundredth of it.

    Nor is a star of thin lines that was turned: what counts is what a shop's small picture of it shows.
    """
    turned = twin.tobytes() in {turn(image).tobytes() for kind, turn in TURNED.items() if kind != "inverted"}
    if turned and max(abs(a - b) for a, b in zip(twin.size, image.size, strict=True)) <= max(image.size) / 100:
        image, twin = (each.convert("RGBa").resize((SHOP, SHOP), Image.Resampling.BOX) for each in (image, twin))
    if twin.size != image.size:
        return True
    side = max(4, round(max(image.size) / 64))
    one, other = (np.asarray(each.convert("RGBa"), np.uint8) for each in (image, twin))
    if turned:
        reach = np.ones((side, side), np.uint8)
        apart = cv2.max(cv2.subtract(one, cv2.dilate(other, reach)), cv2.subtract(cv2.erode(other, reach), one))
    else:
        apart = cv2.absdiff(one, other)
    return int(cv2.blur(apart, (side, side)).max()) >= LEAST_SEEN
