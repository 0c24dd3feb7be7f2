"""`make accuracy`: COUNT=1000 drawings, half of them for choosing the limits, the other half for telling how good."""

import os
import sys
from collections.abc import Iterator
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import typer
from PIL import Image

from services.dedup.candidates import key_search
from services.dedup.pixels import close_up, differences, likeness
from tests.accuracy.drawings import FOLDER, Missing, rendered
from tests.accuracy.measuring import Measured, measure
from tests.accuracy.reporting import figures, table, write

OUT = Path("var/accuracy")
LIMITS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in (likeness, close_up, differences)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, float)
}


def main() -> int:
    """Exit 1 when there are no drawings."""
    count, processes = int(os.environ.get("COUNT") or 1000), int(os.environ.get("JOBS") or os.cpu_count() or 1)
    halves: dict[str, list[Measured]] = {"chosen by": [], "measured": []}
    try:
        for done, (name, measured) in enumerate(_results(count, processes), 1):
            halves["measured" if int(name, 16) % 2 else "chosen by"] += measured
            if done % 20 == 0:
                typer.echo(f"{done} of {count} drawings")
                write(OUT, halves, {"drawings": done, "radius": key_search.RADIUS, "limits": LIMITS})
    except Missing as missing:
        typer.echo(missing)
        return 1
    write(OUT, halves, {"drawings": count, "radius": key_search.RADIUS, "limits": LIMITS})
    typer.echo(table(figures(halves["measured"])))
    typer.echo(f"\nThat is the half that no limit was chosen by. Both, and the worst as pictures: {OUT}/")
    return 0


def _results(count: int, processes: int) -> Iterator[tuple[str, list[Measured]]]:
    with get_context("spawn").Pool(processes, initializer=os.nice, initargs=(10,)) as pool:
        yield from pool.imap(measure, _jobs(count))


def _jobs(count: int) -> Iterator[tuple[str, Image.Image, Image.Image]]:
    """Each drawing with the one before it, as another drawing for its template."""
    before: Image.Image | None = None
    skip = int(os.environ.get("SKIP") or 0)
    folder = Path(os.environ.get("DRAWINGS") or FOLDER)
    for name, drawing in islice(rendered(folder, OUT / "drawings", skip + count), skip, None):
        yield name, drawing, before or drawing.rotate(180)
        before = drawing


if __name__ == "__main__":
    sys.exit(main())
