"""One drawing: its design, every copy and twin of it, and what is decided about each. Runs in a process of its own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import cv2
from PIL import Image

from services.dedup.candidates.key_search import RADIUS
from services.dedup.candidates.keys import Keys, keys_of
from services.dedup.pixels.aligning import align
from services.dedup.pixels.differences import Difference, difference
from services.dedup.pixels.likeness import likeness
from services.dedup.pixels.picture import Picture, picture_of
from services.dedup.pixels.tones import tones_of
from services.dedup.rule.matching import distance
from services.hasher.decoding import open_picture
from services.hasher.hashing import Fingerprint, fingerprint
from services.hasher.limits import Limits
from services.hasher.preparing import canonical_file
from services.hasher.raster import crop_to_alpha
from services.hasher.rejection import Rejected
from tests.accuracy.copies import COPIES, saved
from tests.accuracy.designs import Design, design_of, twins
from tests.accuracy.resaved import File, small_captions, words_saved_again
from tests.accuracy.visible import visible

SAME_BY_HASH = 5
COPY_VERDICTS = ("re_encode", "near_copy")


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
    design = design_of(drawing, dice := Random(name))
    originals = [_as_it_is(design, other, dice), small_captions(design, Random(f"{name} small"))]
    return name, [case for image, files in originals for case in _cases(image, files)]


def _as_it_is(design: Design, other: Image.Image, dice: Random) -> tuple[Image.Image, list[File]]:
    image = design.image()
    files = [(kind, True, copy(image, dice)) for kind, copy in COPIES.items()]
    seen_as_other = {kind: twin for kind, twin in twins(design, other, dice).items() if visible(image, twin)}
    files += [(kind, False, saved(twin)) for kind, twin in seen_as_other.items()]
    return image, [*files, *words_saved_again(image, seen_as_other, dice)]


def _cases(image: Image.Image, files: list[File]) -> Iterator[Measured]:
    if original := seen(saved(image)):
        for kind, expected, data in files:
            if file := seen(data):
                yield _measured(kind, expected, original, file)


def seen(data: bytes) -> Seen | None:
    """None for what the hasher refuses: black art on black, say."""
    with contextlib.suppress(Rejected):
        return _seen(data)
    return None


def _seen(data: bytes) -> Seen:
    pixels = open_picture(data, Limits()).pixels
    visible = crop_to_alpha(pixels)
    found = fingerprint(pixels if visible is None else visible)
    picture = picture_of(canonical_file(found))
    assert picture is not None
    return Seen(found, picture, keys_of(picture))


def _measured(kind: str, expected: bool, original: Seen, other: Seen) -> Measured:
    bits = _bits(original.fingerprint, other.fingerprint)
    pair = align(other.picture, original.picture)
    apart = None if pair is None else difference(pair, tones_of(pair))
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
