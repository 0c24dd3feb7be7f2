"""The drawings: Debian's openclipart-svg, rendered once with librsvg and kept in var/accuracy."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

HOW = (
    "make accuracy needs real drawings and what renders them: apt-get install openclipart-svg librsvg2-bin"
    " (or DRAWINGS=/a/folder/of/svg or png files)"
)
FOLDER = Path("/usr/share/openclipart/svg")
SIDE = 1000
USED_SIDE = 600
LEAST_COVER = 0.02


class Missing(Exception):  # noqa: N818 - reads as what happened
    """There is nothing to measure with; the words say how to get it."""


def order(path: Path) -> str:
    """By what lies in the file: the same everywhere, whatever the folder is called and whenever it was installed."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rendered(folder: Path, kept: Path, count: int) -> Iterator[tuple[str, Image.Image]]:
    """The first so many usable drawings in an order that is as good as shuffled, with their names."""
    sources = sorted({order(p): p for p in folder.rglob("*") if p.suffix in {".svg", ".svgz", ".png"}}.items())
    if not sources:
        raise Missing(HOW)
    kept.mkdir(parents=True, exist_ok=True)
    found = 0
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(sources), 64):
            batch = sources[start : start + 64]
            for (key, _), image in zip(batch, pool.map(lambda s: _picture(*s, kept), batch), strict=True):
                if image is not None:
                    yield key[:12], image
                    found += 1
                if found == count:
                    return


def _picture(key: str, source: Path, kept: Path) -> Image.Image | None:
    """None for what can't be rendered, or shows next to nothing."""
    made = source if source.suffix == ".png" else kept / f"{key[:12]}.png"
    if not made.exists():
        _render(source, made)
    try:
        image = Image.open(made).convert("RGBA")
        image.thumbnail((USED_SIDE, USED_SIDE))
    except OSError:
        return None
    return image if _shows_something(image) else None


def _render(source: Path, made: Path) -> None:
    command = [os.environ.get("RSVG_CONVERT", "rsvg-convert"), "--keep-aspect-ratio", "--unlimited"]
    size = [f"--width={SIDE}", f"--height={SIDE}", "--output", str(made)]
    try:
        subprocess.run([*command, *size, str(source)], capture_output=True, timeout=30, check=True)
    except FileNotFoundError as error:
        raise Missing(HOW) from error
    except subprocess.SubprocessError:
        made.write_bytes(b"")  # not tried again


def _shows_something(image: Image.Image) -> bool:
    alpha = np.asarray(image.getchannel("A"))
    if (alpha > 32).mean() < LEAST_COVER or min(image.size) < 100:
        return False
    grey = np.asarray(image.convert("L"), dtype=float)[alpha > 128]
    return bool(grey.size) and (float(grey.std()) > 8 or float((alpha > 128).mean()) < 0.9)
