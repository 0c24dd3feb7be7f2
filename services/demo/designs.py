"""The demo's upload: about sixty files as a print-on-demand seller has them, and what should become of each.

Every picture is drawn here, from a seed, or made from the drawings in `art/`. `expected` is for the tests that judge
the pipeline; the demo prints what the pipeline answers and never looks at it.

The two "CLASS OF" designs are a text twin: two products that a seller must not lose, equal but for one digit. They are
30 bits (pHash) and 11 bits (dHash) of 256 apart, so that the rule "at most 5" tells them apart; smaller lettering
brings such twins as near as 2, which only a second look at the pixels can tell from a copy.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Literal
from zlib import crc32

import cv2
import numpy as np

from services.demo.pictures import PICTURES


@dataclass(frozen=True)
class DemoFile:
    """One file of the upload. Of a picture and its copies (`same_as`: the picture's name) one is to be stored."""

    name: str
    data: bytes
    what: str
    expected: Literal["stored", "duplicate", "rejected"]
    same_as: str | None = None


def designs(seed: int = 2024, processes: int = 2) -> Iterator[DemoFile]:
    """Every file in upload order: the pictures, among them three that are none, then the copies."""
    copies: list[DemoFile] = []
    broken = {10: _truncated, 25: _empty, 40: _text}
    # spawned, because OpenCV's threads do not survive a fork
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        for index, files in enumerate(pool.map(partial(family, seed), range(len(PICTURES)))):
            copies += files[1:]
            yield files[0]
            if index in broken:
                yield broken[index](files[0])
    yield from copies


def family(seed: int, index: int) -> list[DemoFile]:
    """A picture and its copies."""
    picture = PICTURES[index]
    pixels = picture.draw(np.random.default_rng([seed, crc32(picture.name.encode())]))
    data = picture.encode(pixels)
    copies = [
        DemoFile(name, make(pixels, data), what, "duplicate", picture.name) for name, what, make in picture.copies
    ]
    return [DemoFile(picture.name, data, picture.what, "stored"), *copies]


def _truncated(whole: DemoFile) -> DemoFile:
    data = whole.data[: len(whole.data) * 41 // 100]
    return DemoFile("holiday-sale-banner.png", data, "a PNG that lost its end on the way", "rejected")


def _empty(_: DemoFile) -> DemoFile:
    return DemoFile("untitled.png", b"", "an empty file", "rejected")


def _text(_: DemoFile) -> DemoFile:
    words = b"To do: redraw the otter, ask Mia about the new mugs, order more transfer film.\n"
    return DemoFile("notes.png", words * 40, "a text file named .png", "rejected")
