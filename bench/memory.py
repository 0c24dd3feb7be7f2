"""What one hasher takes: its own process and the one that decodes for it, at work and afterwards."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import imagecodecs
import numpy as np

from bench.figures import Figure
from bench.hasher import SPEC
from services.hasher.child import IDLE_S
from services.hasher.isolation import Isolated
from services.hasher.limits import Limits
from services.hasher.results import Result
from services.hasher.service import MAKER
from shared.blobs import Blobs
from shared.contracts import Blob, PrintSpec

SIDES = (4000, 6000)  # 24 megapixels
MEGABYTE = 1e6


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """The most that the decoding process ever had (VmHWM), and what it has when it waits (VmRSS)."""
    with TemporaryDirectory(dir=home) as folder:
        blobs = Blobs(Path(folder))
        upload = blobs.put(_large_design())
        highest, idle = [], []
        for _ in range(min(rounds, 3)):
            make: Isolated[[Blob, PrintSpec], Result] = Isolated(MAKER, (Path(folder), Limits()))
            make(upload, SPEC)
            child = make._of_thread.child.process.pid
            highest.append(_megabytes(child, "VmHWM"))
            time.sleep(3 * IDLE_S)  # what is measured is what it has given back by then
            idle.append(_megabytes(child, "VmRSS"))
    yield Figure("decoding process of a hasher, 24 MP", "MB at most ever", tuple(highest), 650, "at most")
    yield Figure("the same, idle", "MB", tuple(idle), 200, "at most")


def _megabytes(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / MEGABYTE for line in lines if line.startswith(f"{name}:"))


def _large_design() -> bytes:
    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 256, (40, 60, 4), dtype=np.uint8)
    return bytes(imagecodecs.png_encode(cv2.resize(coarse, SIDES[::-1], interpolation=cv2.INTER_LINEAR), level=1))
