"""What killed processes left half-written in the blob store. Nothing refers to it: only whole blobs have a name."""

import contextlib
import time
from pathlib import Path

A_DAY_S = 86_400.0


def sweep(blob_dir: Path, older_than_s: float = A_DAY_S) -> list[Path]:
    """Remove the files that `Blobs.writer` began and nobody has written to for that long; return them."""
    swept = []
    for part in (blob_dir / "incoming").glob("*"):
        with contextlib.suppress(FileNotFoundError):  # its writer has just finished
            if time.time() - part.stat().st_mtime > older_than_s:
                part.unlink()
                swept.append(part)
    return swept
