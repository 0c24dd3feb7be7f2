"""One hasher against the floor and against Pillow, in seconds of the processor."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import cv2

from bench import corpus, floor, pillow
from bench.figures import Figure
from bench.measuring import in_turns, timed
from services.decoding.child import keep_memory
from services.hasher import preparing, printing
from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from shared.contracts import Destination, PrintSpec

Works = dict[str, Callable[[], Any]]

INCHES, DPI = 9.5, 400
PIXELS = (3800, 3800)
SPEC = PrintSpec(
    width_inches=INCHES,
    height_inches=INCHES,
    canvas_width_inches=INCHES,
    canvas_height_inches=INCHES,
    stretch=True,
    dpi=DPI,
    digital=False,
)
PLACE = Destination(shop="NorthCups", template="UVDTF 16oz")


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """All rows of one hasher. Like its child process, this one keeps its memory and uses one thread."""
    keep_memory()
    cv2.setNumThreads(1)
    designs = [path.read_bytes() for path in corpus.designs(home)]
    yield from _of_designs(designs, rounds)
    yield _edges(designs, rounds)
    yield _replaced(designs[:2])
    yield _small(designs)
    yield _of_photographs([path.read_bytes() for path in corpus.photographs(home)], rounds)


def _of_designs(designs: list[bytes], rounds: int) -> Iterator[Figure]:
    shares, times, parts = [], [], []
    for data in designs:
        works: Works = {"ours": partial(ours, data), "pillow": partial(pillow.print_file, data, PIXELS)}
        before = in_turns(rounds, works)
        part = floor.steps(data, *PIXELS, rounds)
        after = timed(works["ours"])
        mine = min(before["ours"], after)
        shares.append(sum(part.values()) / mine)
        times.append(before["pillow"] / before["ours"])
        parts.append({**part, "ours": mine})
    beside = {f"{name}, ms": 1000 * sum(part[name] for part in parts) / len(parts) for name in parts[0]}
    yield Figure("hasher, print-size design, against the floor", "of the floor", tuple(shares), 0.85, beside=beside)
    yield Figure("the same against Pillow at level 1", "times", tuple(times), 4)


def _replaced(designs: list[bytes]) -> Figure:
    """A few only, and once: one takes as long as fifty of ours."""
    times = []
    for data in designs:
        mine = timed(partial(ours, data))
        times.append(timed(partial(pillow.replaced, data, PIXELS)) / mine)
    return Figure("the same against what was replaced (level 9, four hashes)", "times", tuple(times), 35)


def _of_photographs(photographs: list[bytes], rounds: int) -> Figure:
    times = []
    for data in photographs:
        works: Works = {"ours": partial(ours, data), "pillow": partial(pillow.print_file, data, PIXELS)}
        found = in_turns(rounds, works)
        times.append(found["pillow"] / found["ours"])
    return Figure("16 MP JPEG photograph against Pillow at level 1", "times", tuple(times), 3)


def _edges(designs: list[bytes], rounds: int) -> Figure:
    more = []
    for data in designs:
        works: Works = {"ours": partial(ours, data), "straight": partial(_without_weights, data)}
        found = in_turns(rounds, works)
        more.append(100 * (found["ours"] / found["straight"] - 1))
    return Figure("clean edges: premultiplied over straight alpha", "% more time", tuple(more), 15, "at most")


def _small(designs: list[bytes]) -> Figure:
    """How much a slow link is spared, and below which speed of it, for each core, that pays."""
    smaller, break_even = [], []
    for data in designs:
        fast = len(prepare(data, SPEC, Limits()).print_file)
        smaller.append(100 * (1 - len(prepare(data, SPEC, Limits(), small=True).print_file) / fast))
        break_even.append(fast / 1e6 / timed(partial(prepare, data, SPEC, Limits(), small=True)))
    beside = {"break-even, MB/s of the link for each core": median(break_even)}
    return Figure("PRINT_FILES=small against fast", "% smaller", tuple(smaller), 10, beside=beside)


def ours(data: bytes) -> object:
    """The whole work on a design, as the child process of a hasher does it."""
    return prepare(data, SPEC, Limits())


def _without_weights(data: bytes) -> object:
    """The same with hidden colours bleeding into the edges, which is what premultiplying prevents."""
    with contextlib.ExitStack() as changes:
        for module, name in ((preparing, "premultiplied"), (printing, "make_straight")):
            changes.enter_context(mock.patch.object(module, name, lambda pixels: pixels))
        return ours(data)
