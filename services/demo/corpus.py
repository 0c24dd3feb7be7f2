"""The demo's files on disk, drawn once: a second run finds them there."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from services.demo.designs import DemoFile, designs

LIST = "list.json"


@dataclass(frozen=True)
class SampleFile:
    """A file of the upload, on disk. `expected` and `same_as` are for tests (`services/demo/designs.py`)."""

    path: Path
    what: str
    size: int
    expected: str
    same_as: str | None = None

    @property
    def name(self) -> str:
        return self.path.name


def corpus(home: Path, seed: int = 2024) -> tuple[SampleFile, ...]:
    """The upload's files in order, under `home`; drawn if they are not there as this version draws them."""
    folder = home / f"designs-{_version(seed)}"
    if not (folder / LIST).is_file():
        _draw(folder, seed)
    rows = json.loads((folder / LIST).read_text(encoding="utf-8"))
    files = tuple(SampleFile(folder / row.pop("name"), **row) for row in rows)
    if all(file.path.is_file() and file.path.stat().st_size == file.size for file in files):
        return files
    shutil.rmtree(folder)  # somebody has tidied up in it
    return corpus(home, seed)


def _draw(folder: Path, seed: int) -> None:
    """The folder appears complete or not at all: an interrupted run leaves only a `.part` folder."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    rows = []
    for file in designs(seed):
        (part / file.name).write_bytes(file.data)
        rows.append(_row(file))
    (part / LIST).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    part.rename(folder)


def _row(file: DemoFile) -> dict[str, object]:
    return {
        "name": file.name,
        "what": file.what,
        "size": len(file.data),
        "expected": file.expected,
        "same_as": file.same_as,
    }


def _version(seed: int) -> str:
    """Changes with the seed, the drawing code and the art."""
    digest = hashlib.sha256(str(seed).encode())
    for name, data in sorted(_sources(resources.files("services.demo"))):
        digest.update(name.encode() + data)
    return digest.hexdigest()[:12]


def _sources(package: Traversable) -> Iterator[tuple[str, bytes]]:
    parts = [package / "designs.py", package / "pictures.py", package / "encoding.py"]
    for folder in ("drawing", "art"):
        parts += [entry for entry in (package / folder).iterdir() if entry.name.endswith((".py", ".png"))]
    for part in parts:
        yield part.name, part.read_bytes()
