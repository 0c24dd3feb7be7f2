"""Finished results: found again with the blobs that they are about."""

import os
import time
from pathlib import Path

from services.hasher.made import Result
from services.hasher.results import Results
from shared.blobs import Blobs

LONG_AGO = time.time() - 40 * 86_400


def test_blobs_that_are_found_again_are_as_young_as_new_ones(tmp_path: Path) -> None:
    """Until a verdict names them, nothing but their age keeps the nightly sweep away."""
    blobs = Blobs(tmp_path)
    results, both = Results(blobs), (blobs.put(b"print"), blobs.put(b"canonical"))
    made = {"print_file": both[0], "canonical": both[1], "width": 1, "height": 1, "dpi": 400, "format": "png"}
    looks = {"algorithm": "a", "phash": "0" * 64, "dhash": "0" * 64}
    results.keep("key", Result.model_validate(made | looks))
    for blob in both:
        os.utime(blobs.path(blob), (LONG_AGO, LONG_AGO))
    assert results.find("key") is not None
    assert all(blobs.path(blob).stat().st_mtime > LONG_AGO + 86_400 for blob in both)
