"""Print areas drawn on a preview: their outlines, a grid that shows how a design is bent, their names."""

from collections.abc import Iterator

import cv2
import numpy as np

from services.mockup.light import Pixels
from services.mockup.rendering import PreparedBackground
from services.mockup.shapes import Points

LINES = 8  # of the grid, each way
LINE, GRID, HALO = (255, 40, 120), (0, 200, 255), (0, 0, 0)
FINE = 4  # bits below the pixel that OpenCV draws with


def outlined(picture: Pixels, background: PreparedBackground, names: tuple[str, ...] = ()) -> Pixels:
    """The picture with the print areas marked."""
    marked = picture.copy()
    for index, area in enumerate(background.areas):
        for line in _grid():
            _line(marked, area.surface.photo(line), GRID, 1, closed=False)
        rim = area.surface.outline
        _line(marked, rim, HALO, 5, closed=True)
        _line(marked, rim, LINE, 2, closed=True)
        left, top = rim[0]
        words = f"{index + 1} {names[index]}" if index < len(names) else str(index + 1)
        for colour, thick in ((HALO, 5), (LINE, 2)):
            at = (int(left), max(24, int(top) - 12))
            cv2.putText(marked, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, thick, cv2.LINE_AA)
    return marked


def _grid() -> Iterator[Points]:
    along = np.linspace(0, 1, 33)
    for place in np.linspace(0, 1, LINES + 1)[1:-1]:
        across = np.full_like(along, place)
        yield np.stack([along, across], axis=1)
        yield np.stack([across, along], axis=1)


def _line(picture: Pixels, points: Points, colour: tuple[int, int, int], thick: int, *, closed: bool) -> None:
    fine = np.rint((points - 0.5) * 2**FINE).astype(np.int32)
    cv2.polylines(picture, [fine], closed, colour, thick, cv2.LINE_AA, shift=FINE)
