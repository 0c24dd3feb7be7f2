"""A template in a folder, before it enters the system: its JSON file and its pictures."""

import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from services.mockup.composing import composed
from services.mockup.faults import NotRenderable
from services.mockup.light import Pixels
from services.mockup.pictures import photograph
from services.mockup.reading import MOST_BYTES, template
from services.mockup.rendering import PreparedBackground, render
from services.mockup.template import FILE_NAME, Template
from services.mockup.warping import flat_design

MOST_PICTURE_BYTES = 200 << 20
PAIR = re.compile(r"\[\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]")


@dataclass(frozen=True)
class Folder:
    """Where a template and its pictures lie."""

    path: Path

    def template(self) -> Template:
        """What the JSON file says.

        Raises:
            NotRenderable: it is not there or has mistakes.
        """
        return template(self._bytes(FILE_NAME, MOST_BYTES))

    def picture(self, name: str) -> bytes:
        """A picture beside the JSON file; raises as above."""
        return self._bytes(name, MOST_PICTURE_BYTES)

    def photograph(self, given: Template) -> tuple[Pixels, tuple[str, ...]]:
        """The photograph, (H, W, 3), and warnings; raises as above."""
        try:
            return photograph(self.picture(given.photograph))
        except NotRenderable as error:
            raise NotRenderable(f"{given.photograph}: {error}") from error

    def prepared(self, given: Template) -> PreparedBackground:
        """The photograph, ready for any design; raises as above."""
        return composed(self.photograph(given)[0], given, self.picture)

    def write(self, given: Template) -> None:
        """Keep this as the JSON file, a point on one line."""
        text = json.dumps(given.model_dump(mode="json", exclude_defaults=True), indent=2)
        (self.path / FILE_NAME).write_text(PAIR.sub(r"[\1, \2]", text) + "\n", encoding="utf-8")

    def set_aside(self) -> Path:
        """Copy the JSON file to a new one beside it, before it is written anew; where the copy lies."""
        names = (f"{FILE_NAME}.bak{number or ''}" for number in itertools.count())
        copy = next(path for name in names if not (path := self.path / name).exists())
        copy.write_bytes(self._bytes(FILE_NAME, MOST_BYTES))
        return copy

    def _bytes(self, name: str, most: int) -> bytes:
        path = self.path / name
        try:
            if path.stat().st_size > most:
                raise NotRenderable(f"{path} is larger than {most >> 20} MB")
            return path.read_bytes()
        except FileNotFoundError as error:
            raise NotRenderable(
                f"{path} can't be read: there is no such file; put it there, or mend its name"
            ) from error
        except OSError as error:
            raise NotRenderable(f"{path} can't be read: {error.strerror or error}") from error


def drawn(background: PreparedBackground, design: Pixels) -> Pixels:
    """A finished picture, (H, W, 3), with a print file's pixels on it."""
    return render(background, flat_design(design, background.areas))
