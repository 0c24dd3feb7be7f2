"""Lettering: words as masks, straight, arched or waved, with outlines and block shadows.

The letters are Rubik, which OpenCV 5 carries inside itself, so that no font needs to be installed.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from services.demo.drawing.canvas import Pixels

TRIAL_SIZE = 400


@lru_cache(maxsize=4)
def _face(name: str) -> cv2.FontFace:
    return cv2.FontFace(name)


def words(text: str, width: float, *, weight: int = 900, italic: bool = False, height: float | None = None) -> Pixels:
    """`text` as a mask cut to its ink, `width` pixels wide; stretched to `height` pixels if that is given.

    A nought is set as a capital O: the built-in face draws it with a slash, as program listings do.
    """
    face = _face("italic" if italic else "sans")
    shown = text.replace("0", "O")
    trial = cv2.getTextSize((0, 0), shown, (0, 0), face, TRIAL_SIZE, weight)
    size = max(round(TRIAL_SIZE * width / max(trial[2], 1)), 8)
    sheet: Pixels = np.zeros((size * 2, round(width * 1.15) + size), np.uint8)
    cv2.putText(sheet, shown, (size // 2, round(size * 1.4)), (255,), face, size, weight)
    return _fitted(_cut(sheet), width, height)


def arched(mask: Pixels, radius: float, *, below: bool = False) -> Pixels:
    """Bend a line of text around a circle of `radius` pixels (to the middle of the letters).

    The text runs over the top of the circle, or, with `below`, along its bottom. The mask returned is centred on the
    circle's centre, so that it is stamped there.
    """
    high, wide = mask.shape
    outer, inner = radius + high / 2, radius - high / 2
    half = min(wide / radius / 2, np.pi)  # the angle that the text takes on each side
    reach = int(outer + 2)
    side = reach if half > np.pi / 2 else int(outer * np.sin(half) + 2)
    rows = range(-reach, min(int(max(-outer * np.cos(half), -inner * np.cos(half)) + 2), reach) + 1)
    y, x = np.mgrid[rows.start : rows.stop, -side : side + 1].astype(np.float32)
    distance, angle = cv2.cartToPolar(-y, x)  # angle 0 is the top, growing to the right
    angle[angle > np.pi] -= 2 * np.pi
    bent = _remapped(mask[::-1] if below else mask, angle * radius + wide / 2, outer - distance)
    sheet: Pixels = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    sheet[: len(rows), reach - side : reach + side + 1] = bent
    return sheet[::-1] if below else sheet


def waved(mask: Pixels, swing: float, *, waves: float = 1.0) -> Pixels:
    """Let a line of text run along a sine of `swing` pixels."""
    high, wide = mask.shape
    y, x = np.mgrid[0 : int(high + 2 * swing), 0:wide].astype(np.float32)
    return _remapped(mask, x, (y - swing - swing * np.sin(x / wide * 2 * np.pi * waves)).astype(np.float32))


def bulged(mask: Pixels, swell: float) -> Pixels:
    """Let letters grow by the factor `swell` towards the middle of the line, as on vintage labels."""
    high, wide = mask.shape
    tall = int(high * swell)
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    factor = 1 + (swell - 1) * np.sin(x / wide * np.pi)
    return _remapped(mask, x, ((y - tall / 2) / factor + high / 2).astype(np.float32))


def outline(mask: Pixels, width: float) -> Pixels:
    """The mask grown by `width` pixels on every side, with room for it."""
    room = int(width) + 2
    padded = cv2.copyMakeBorder(mask, room, room, room, room, cv2.BORDER_CONSTANT, value=(0,))
    distance = cv2.distanceTransform(cv2.threshold(padded, 127, 255, cv2.THRESH_BINARY_INV)[1], cv2.DIST_L2, 5)
    grown: Pixels = (np.clip(width + 0.5 - distance, 0, 1) * 255).astype(np.uint8)
    return grown


def block_shadow(mask: Pixels, depth: int) -> Pixels:
    """The mask drawn out `depth` pixels to the lower right: stamp it half that far from where the mask goes."""
    solid: Pixels = np.pad(mask, ((0, depth), (0, depth)))
    done = 0
    while done < depth:  # doubling: each pass draws out what the passes before have made
        step = min(max(done, 1), depth - done)
        solid[step:, step:] = np.maximum(solid[step:, step:], solid[:-step, :-step])
        done += step
    return solid


def _cut(sheet: Pixels) -> Pixels:
    left, top, wide, high = cv2.boundingRect(sheet)
    return sheet[top : top + high, left : left + wide]


def _fitted(mask: Pixels, width: float, height: float | None) -> Pixels:
    wide = max(round(width), 1)
    high = max(round(height if height is not None else mask.shape[0] * wide / mask.shape[1]), 1)
    fitted: Pixels = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return fitted


def _remapped(mask: Pixels, x: NDArray[np.float32], y: NDArray[np.float32]) -> Pixels:
    bent: Pixels = cv2.remap(
        mask, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    ).astype(np.uint8, copy=False)
    return bent
