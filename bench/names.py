"""A name that is new to hundreds on one template: what it costs dedup to see that it is a copy of none of them."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import mean
from uuid import uuid4

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench import corpus
from bench.figures import Figure
from bench.looking import compared
from bench.measuring import timed
from services.dedup.candidates.thumbnails import thumbnails_of
from services.dedup.deciding.second_look import Look
from services.dedup.rule.known_picture import Known
from services.hasher import png
from services.hasher.decoding import open_picture
from services.hasher.hashing import fingerprint
from services.hasher.limits import Limits
from services.hasher.raster import crop_to_alpha
from shared.contracts import Blob

NAMES, NEW, SIDE = 200, 12, 800


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """Each new name by itself. The others are read when they are looked at; how they look at a glance is in hand."""
    del rounds
    cv2.setNumThreads(1)
    drawing = Image.fromarray(open_picture(corpus.designs(home)[0].read_bytes(), Limits()).pixels).resize((SIDE, SIDE))
    canonical = [_canonical(drawing, name) for name in _names(NAMES + NEW)]
    others = {_blob(data): data for data in canonical[:NAMES]}
    known = [Known("session", "any", None, None, item_id=uuid4(), canonical=blob) for blob in others]
    thumbnails = {blob: thumbnails_of(compared(data)) for blob, data in others.items()}
    looks = [
        Look(compared(each), {}, lambda blob: compared(others[blob]), thumbnails.get) for each in canonical[NAMES:]
    ]
    taken = tuple(1000 * timed(partial(_looked_at, look, known)) for look in looks)
    beside = {"pictures that each is looked at beside": mean(len(look.worth_it(known)) for look in looks)}
    yield Figure(f"a name that is new to {NAMES} on one template, all its looks", "ms", taken, 100, "at most", beside)


def _looked_at(look: Look, known: Sequence[Known]) -> None:
    """As if none of them were a copy: then nothing ends it early."""
    for other in look.worth_it(known):
        look(other)


def _names(count: int) -> list[str]:
    """Of as many letters each, so that the template lies in one place: else they are easier to tell apart."""
    every = ["".join(letters) for letters in product("ABDEGKLMNRST", "aeou", "lmnrst", "aeou")]
    return every[:: len(every) // count][:count]


def _canonical(drawing: Image.Image, name: str) -> bytes:
    design = Image.new("RGBA", (SIDE, SIDE + SIDE // 4))
    design.paste(drawing)
    place = (SIDE // 2, SIDE + SIDE // 8)
    ImageDraw.Draw(design).text(
        place, name, fill=(20, 20, 30, 255), font=ImageFont.load_default(SIDE // 8), anchor="mm"
    )
    visible = crop_to_alpha(np.array(design))
    if visible is None:
        raise ValueError("the drawing is blank")
    return png.encode(fingerprint(visible).canonical)


def _blob(data: bytes) -> Blob:
    return Blob(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
