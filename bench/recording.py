"""Small designs, and what the hasher makes of each: worked out once, kept in the corpus."""

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from services.hasher.limits import Limits
from services.hasher.made import Result
from services.hasher.preparing import prepare
from shared.blobs import Blobs
from shared.contracts import PrintSpec
from tests.seller import File, artwork

INCHES = (0.75, 0.5)
SPEC = PrintSpec(
    width_inches=INCHES[0], height_inches=INCHES[1], canvas_width_inches=INCHES[0], canvas_height_inches=INCHES[1]
)


@dataclass(frozen=True)
class Recording:
    """`blobs` has the prints and the canonical pictures, `results` says which belong to which upload."""

    uploads: Path
    blobs: Path
    results: Path

    def files(self, count: int) -> list[File]:
        """The uploads, as a browser sends them."""
        return [(f"design {number}.png", (self.uploads / str(number)).read_bytes()) for number in range(count)]


def recorded(home: Path, count: int) -> Recording:
    """At least `count` designs. A recording of fewer is made anew."""
    found = Recording(home / "uploads", home / "blobs", home / "results.json")
    if not found.results.exists() or len(json.loads(found.results.read_text())) < count:
        found.uploads.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            made = dict(pool.map(partial(_record, found), range(count), chunksize=20))
        found.results.write_text(json.dumps(made))
    return found


def _record(into: Recording, number: int) -> tuple[str, object]:
    data, blobs = artwork(7_000_000 + number), Blobs(into.blobs)
    (into.uploads / str(number)).write_bytes(data)
    design = prepare(data, SPEC, Limits())
    result = Result(
        print_file=blobs.put(design.print_file),
        canonical=blobs.put(design.canonical),
        width=design.width,
        height=design.height,
        dpi=design.dpi,
        algorithm=design.algorithm,
        phash=design.phash,
        dhash=design.dhash,
        format=design.format,
        warnings=design.warnings,
    )
    return hashlib.sha256(data).hexdigest(), result.model_dump(mode="json")
