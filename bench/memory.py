"""What one hasher takes: its own process and the one that decodes for it, at work and afterwards."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import cv2
import imagecodecs
import numpy as np

from bench import processor
from bench.figures import Figure
from bench.hasher import PLACE, SPEC
from services.decoding.child import IDLE_S
from shared.blobs import Blobs
from shared.contracts import BatchSubmitted, Blob, UploadedFile

SIDES = (4000, 6000)  # 24 megapixels


def figures(home: Path, rounds: int) -> Iterator[Figure]:
    """The most that both processes ever had (VmHWM), and what they have when they wait (VmRSS)."""
    highest, idle, parent = [], [], []
    with TemporaryDirectory(dir=home) as folder:
        upload = Blobs(Path(folder)).put(_large_design())
        for _ in range(min(rounds, 3)):
            with _hasher(Path(folder)) as process:
                _handle(process, upload)
                highest.append(processor.memory_mb(process.pid, "VmHWM"))
                parent.append(processor.megabytes(process.pid, "VmHWM"))
                time.sleep(3 * IDLE_S)  # what is measured is what it has given back by then
                idle.append(processor.memory_mb(process.pid, "VmRSS"))
    beside = {"of it the process that does not decode, MB": max(parent)}
    yield Figure("both processes of a hasher, 24 MP", "MB at most ever", tuple(highest), 650, "at most", beside)
    yield Figure("the same, idle", "MB", tuple(idle), 200, "at most")


@contextlib.contextmanager
def _hasher(blobs: Path) -> Iterator[subprocess.Popen[str]]:
    command, environment = [sys.executable, "-m", "bench.alone"], {**os.environ, "BLOB_DIR": str(blobs)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe) as process:  # noqa: S603
        yield process  # at the end its input is closed, and it ends


def _handle(process: subprocess.Popen[str], upload: Blob) -> None:
    """For a tenant of its own: what a hasher remembers is for the same tenant only."""
    assert process.stdin  # noqa: S101 - a pipe
    assert process.stdout  # noqa: S101
    file = UploadedFile(item_id=uuid4(), index=0, filename="large.png", upload=upload)
    batch = BatchSubmitted(
        tenant_id=uuid4(), session_id=uuid4(), batch=0, files=(file,), print_spec=SPEC, destination=PLACE
    )
    process.stdin.write(batch.model_dump_json() + "\n")
    process.stdin.flush()
    if (answer := process.stdout.readline().strip()) != "ImageHashed":
        raise ValueError(f"the hasher answered {answer!r}")


def _large_design() -> bytes:
    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 256, (40, 60, 4), dtype=np.uint8)
    return bytes(imagecodecs.png_encode(cv2.resize(coarse, SIDES[::-1], interpolation=cv2.INTER_LINEAR), level=1))
