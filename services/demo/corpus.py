"""What the demo draws, on disk: drawn once, found there by the next run."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from services.demo.designs import designs
from services.demo.photographs import Photograph, photographs
from shared.contracts import Mask

Row = dict[str, Any]

LIST = "list.json"
DESIGN_SOURCES = ("designs.py", "pictures.py", "encoding.py", "drawing", "art")
PHOTOGRAPH_SOURCES = ("photographs.py", "scenes")


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

    def draw(folder: Path) -> Iterator[Row]:
        for file in designs(seed):
            (folder / file.name).write_bytes(file.data)
            yield {
                "name": file.name,
                "size": len(file.data),
                "what": file.what,
                "expected": file.expected,
                "same_as": file.same_as,
            }

    folder = home / f"designs-{_version(str(seed), DESIGN_SOURCES)}"
    return tuple(SampleFile(folder / row.pop("name"), **row) for row in kept(folder, draw))


def studio(home: Path) -> tuple[Photograph, ...]:
    """The mockup photographs, under `home` like the designs."""

    def draw(folder: Path) -> Iterator[Row]:
        for picture in photographs():
            name = f"{picture.name}.jpg"
            (folder / name).write_bytes(picture.image)
            facts = {"mask": picture.mask.model_dump(mode="json"), "template": picture.template}
            yield {"name": name, "size": len(picture.image), **facts}

    folder = home / f"photographs-{_version('', PHOTOGRAPH_SOURCES)}"
    return tuple(
        Photograph(
            Path(row["name"]).stem,
            (folder / row["name"]).read_bytes(),
            Mask.model_validate(row["mask"]),
            row["template"],
        )
        for row in kept(folder, draw)
    )


def kept(folder: Path, draw: Callable[[Path], Iterator[Row]]) -> list[Row]:
    """The list of a folder's files, which `draw` makes if any is missing.

    The folder appears complete or not at all: an interrupted run leaves only a `.part` folder.
    """
    rows = _rows(folder)
    if rows is not None:
        return rows
    part = folder.with_suffix(".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(parents=True)
    rows = list(draw(part))
    (part / LIST).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    part.rename(folder)
    return rows


def _rows(folder: Path) -> list[Row] | None:
    """The list, if every file on it is there in its full size."""
    try:
        rows: list[Row] = json.loads((folder / LIST).read_text(encoding="utf-8"))
        whole = all((folder / row["name"]).stat().st_size == row["size"] for row in rows)
    except FileNotFoundError:
        return None
    return rows if whole else None


def _version(seed: str, sources: tuple[str, ...]) -> str:
    """Changes with the seed, the drawing code and the art."""
    digest = hashlib.sha256(seed.encode())
    for name in sources:
        for source in _files(resources.files("services.demo") / name):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def _files(source: Traversable) -> list[Traversable]:
    """The file, or what a folder holds of code and art, in a fixed order."""
    if source.is_file():
        return [source]
    found = [entry for entry in source.iterdir() if entry.name.endswith((".py", ".png"))]
    return sorted(found, key=lambda entry: entry.name)
