"""The files that are measured on: drawings of the Open Clip Art Library at print size, photographs, painted noise.

Drawn once, from a seed, and kept in `.bench/corpus`. The drawings need Debian's `openclipart-svg` and `librsvg2-bin`.
"""

import io
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from services.hasher.raster import Pixels
from services.local import apt
from services.local.process import NotStarted

SEED = 2024
DRAWINGS = 6
PAINTINGS = 2
PHOTOGRAPHS = 4
SIDE = 3600  # pixels: 9 inches at 400 dpi, 13 megapixels
LIBRARY = Path("/usr/share/openclipart/svg")
RENDER_LIMIT_S = 60


def designs(home: Path) -> list[Path]:
    """Transparent PNG files of about 13 megapixels: drawings first, then paintings."""
    drawings = _kept(home / "drawings", DRAWINGS, "png", _drawings)
    return [*drawings, *_kept(home / "paintings", PAINTINGS, "png", _paintings)]


def photographs(home: Path) -> list[Path]:
    """JPEG files of 16 megapixels."""
    return _kept(home / "photographs", PHOTOGRAPHS, "jpg", _photographs)


def _kept(folder: Path, count: int, suffix: str, make: Callable[[], Iterator[bytes]]) -> list[Path]:
    paths = [folder / f"{number}.{suffix}" for number in range(count)]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in zip(paths, make(), strict=False):
            path.write_bytes(data)
    return paths


def _drawings() -> Iterator[bytes]:
    library = Path(os.environ.get("BENCH_OPENCLIPART") or _library())
    drawings = sorted(library.rglob("*.svg"))
    random.Random(SEED).shuffle(drawings)  # noqa: S311 - a choice, no secret
    for drawing in drawings:
        if (data := _print_size(drawing)) is not None:
            yield data


def _library() -> Path:
    if not LIBRARY.exists() or shutil.which("rsvg-convert") is None:
        if not apt.usable():
            raise NotStarted("the drawings are missing: install openclipart-svg and librsvg2-bin")
        for package in ("openclipart-svg", "librsvg2-bin"):
            apt.install(package, print)
    return LIBRARY


def _print_size(drawing: Path) -> bytes | None:
    """At print size; None for what can't be rendered, is no square, or has nothing to see or no transparency.

    That is told from a thumbnail: only one drawing in four will do.
    """
    thumbnail = _rendered(drawing, 64)
    if thumbnail is None:
        return None
    with Image.open(io.BytesIO(thumbnail)) as image:
        fits = image.mode == "RGBA" and min(image.size) >= 56 and image.getchannel("A").getextrema() == (0, 255)
    return _rendered(drawing, SIDE) if fits else None


def _rendered(drawing: Path, side: int) -> bytes | None:
    command = ["rsvg-convert", "--keep-aspect-ratio", "--width", str(side), "--height", str(side), str(drawing)]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=RENDER_LIMIT_S).stdout  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None


def _paintings() -> Iterator[bytes]:
    """Washes of colour with grain and soft edges: what compresses badly, and has partial alpha everywhere."""
    for number in range(PAINTINGS):
        chance = np.random.default_rng([SEED, number])
        wash = _wash(chance, SIDE, SIDE, 4)
        wash[..., 3] = np.clip(wash[..., 3].astype(np.int16) * 3 - 200, 0, 255)
        wash[: SIDE // 12], wash[:, -SIDE // 12 :] = 0, 0
        buffer = io.BytesIO()
        Image.fromarray(wash).save(buffer, "PNG")
        yield buffer.getvalue()


def _photographs() -> Iterator[bytes]:
    for number in range(PHOTOGRAPHS):
        scene = _wash(np.random.default_rng([SEED, 100 + number]), 3264, 4896, 3)
        buffer = io.BytesIO()
        Image.fromarray(scene).save(buffer, "JPEG", quality=92)
        yield buffer.getvalue()


def _wash(chance: np.random.Generator, height: int, width: int, channels: int) -> Pixels:
    coarse = chance.integers(0, 256, (12, 16, channels), dtype=np.uint8)
    fine = chance.integers(0, 60, (height // 6, width // 6, channels), dtype=np.uint8)
    size = (width, height)
    smooth = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    detail = cv2.resize(fine, size, interpolation=cv2.INTER_LINEAR)
    grain = chance.integers(0, 8, (height, width, channels), dtype=np.uint8)
    return np.asarray(cv2.add(cv2.add(cv2.subtract(smooth, np.full_like(smooth, 40)), detail), grain), np.uint8)
