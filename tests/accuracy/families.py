"""`python -m tests.accuracy.families`: is the original of a copy among those of its family that are looked at?

COUNT=12 drawings, each with 200 names under it; copies of five of these, of every kind. And beside how many of the
others is each of the five looked at, as if it were new?
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import mean, median
from uuid import uuid4

import cv2
import typer
from PIL import Image

from services.dedup.candidates.thumbnails import thumbnails_of
from services.dedup.deciding.second_look import MOST_LOOKS, Look
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import distance
from shared.contracts import Blob
from tests.accuracy.__main__ import OUT
from tests.accuracy.copies import COPIES, saved
from tests.accuracy.designs import design_of
from tests.accuracy.drawings import FOLDER, Missing, rendered
from tests.accuracy.measuring import Seen, seen

NAMES, COPIED = 200, 5

Ranked = tuple[str, bool, bool]
"""The kind of copy; whether its original is among the nearest by hashes, and among those that are looked at."""


def measure(job: tuple[str, Image.Image]) -> tuple[list[Ranked], list[int]]:
    """One drawing's family: its copies, and how many of the others each name is looked at beside."""
    cv2.setNumThreads(1)
    name, drawing = job
    dice = Random(f"{name} family")
    design = design_of(drawing, dice)
    images = [replace(design, caption=f"Team {each}").image() for each in _names(dice)]
    family = [found for image in images if (found := seen(saved(image)))]
    known = [_known(each) for each in family]
    by_blob = {other.canonical: each for other, each in zip(known, family, strict=True)}

    def worth_it(file: Seen, others: Sequence[Known]) -> Sequence[Known]:
        return Look(file.picture, {}, lambda _: None, lambda blob: thumbnails_of(by_blob[blob].picture)).worth_it(
            others
        )

    ranked, looks = [], []
    for number in dice.sample(range(len(family)), COPIED) if len(family) == len(images) else ():
        looks.append(len(worth_it(family[number], known[:number] + known[number + 1 :])))
        for kind, copy in COPIES.items():
            if file := seen(copy(images[number], dice)):
                ranked.append((kind, _is_near(file, family, number), known[number] in worth_it(file, known)))
    return ranked, looks


def _names(dice: Random) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < NAMES:
        parts = (dice.choice("aeiou") + dice.choice("lmnrst") for _ in range(dice.choice((1, 2, 2, 3))))
        names[dice.choice("ABCDEFGHJKLMNPRSTW") + "".join(parts)] = None
    return list(names)


def _known(one: Seen) -> Known:
    found = one.fingerprint
    canonical = Blob(sha256=f"{uuid4().hex}{uuid4().hex}", size=1)
    return Known("session", found.algorithm, found.phash, found.dhash, item_id=uuid4(), canonical=canonical)


def _is_near(file: Seen, family: Sequence[Seen], number: int) -> bool:
    mine = file.fingerprint
    bits = [
        min(distance(mine.phash, other.phash), distance(mine.dhash, other.dhash))
        for other in (each.fingerprint for each in family)
    ]
    return sorted(range(len(family)), key=bits.__getitem__).index(number) < MOST_LOOKS


def _results(count: int) -> Iterator[tuple[list[Ranked], list[int]]]:
    with get_context("spawn").Pool(os.cpu_count(), initializer=os.nice, initargs=(10,)) as pool:
        folder = Path(os.environ.get("DRAWINGS") or FOLDER)
        yield from pool.imap(measure, islice(rendered(folder, OUT / "drawings", count), count))


def main() -> int:
    """Exit 1 when there are no drawings."""
    every, near, looked_at, beside = Counter[str](), Counter[str](), Counter[str](), list[int]()
    try:
        for ranked, looks in _results(int(os.environ.get("COUNT") or 12)):
            beside += looks
            for kind, by_hashes, by_relief in ranked:
                every[kind] += 1
                near[kind] += by_hashes
                looked_at[kind] += by_relief
    except Missing as missing:
        typer.echo(missing)
        return 1
    typer.echo(f"of {NAMES} names: originals among the {MOST_LOOKS} that are looked at; among the nearest by hashes")
    for kind, count in every.items():
        typer.echo(f"{kind:44} {looked_at[kind]:4} {near[kind]:4} of {count}")
    typer.echo(f"{'all':44} {looked_at.total():4} {near.total():4} of {every.total()}")
    if beside:
        typer.echo(f"a new name is looked at beside {mean(beside):.1f} of them (median {median(beside):.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
