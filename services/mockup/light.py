"""Between sRGB bytes and linear light, in which mixing colours is adding them (IEC 61966-2-1)."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Linear = npt.NDArray[np.float32]
Kind = TypeVar("Kind", bound=np.generic)

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue


@dataclass(frozen=True, slots=True)
class Glow:
    """A photograph's light on a print, (h, w): `shade` multiplies its colours, `shine` is white that lies over them."""

    shade: Linear
    shine: Linear | None

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        return self.shade.nbytes + (0 if self.shine is None else self.shine.nbytes)


def _linear(code: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _code(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def frozen(array: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    """The same array, read-only: it is kept, and several threads draw from it."""
    array.setflags(write=False)
    return array


STEPS = 65535  # fine enough that every sRGB byte survives the way there and back
TO_LINEAR = frozen(_linear(np.arange(256) / 255).astype(np.float32).reshape(1, 256))
OPAQUE = frozen((np.arange(256) / 255).astype(np.float32).reshape(1, 256))  # alpha is linear already
TO_LINEAR_RGBA = frozen(cv2.merge([TO_LINEAR, TO_LINEAR, TO_LINEAR, OPAQUE]))
TO_SRGB = frozen(np.rint(_code(np.arange(STEPS + 1) / STEPS) * 255).astype(np.uint8).reshape(1, -1))


def linear_rgb(picture: Pixels) -> Linear:
    """Take (H, W, 3) sRGB bytes to linear light, 0 to 1."""
    return np.asarray(cv2.LUT(np.ascontiguousarray(picture), TO_LINEAR), np.float32)


def linear_premultiplied(picture: Pixels) -> Linear:
    """Take (H, W, 4) straight-alpha sRGB bytes to linear light, 0 to 1, colours multiplied by alpha."""
    picture = np.ascontiguousarray(picture)
    light = cv2.LUT(picture, TO_LINEAR_RGBA)
    # numpy's broadcasting over four interleaved channels takes five times as long
    alpha = cv2.cvtColor(cv2.extractChannel(picture, 3), cv2.COLOR_GRAY2RGBA)  # three times, and 255 for itself
    return np.asarray(cv2.multiply(light, alpha, light, 1 / 255, cv2.CV_32F), np.float32)


def light_of(code: str) -> Linear:
    """Linear light (3,) of a colour like '#1b2c3d'."""
    colour = np.frombuffer(bytes.fromhex(code.removeprefix("#")), np.uint8).reshape(1, 1, 3)
    return np.asarray(linear_rgb(colour)[0, 0], np.float32)


def luminance(light: Linear) -> Linear:
    """How bright linear light (H, W, 3) is, (H, W)."""
    return np.asarray(cv2.transform(light, np.array([LUMINANCE], np.float32)), np.float32).reshape(light.shape[:2])


def srgb(light: Linear) -> Pixels:
    """Take linear light back to sRGB bytes; what is outside 0 to 1 is clipped."""
    flat = light.reshape(-1, 1)
    steps = cv2.addWeighted(flat, STEPS, flat, 0, 0, dtype=cv2.CV_16U)  # rounds, and stops at both ends
    return np.asarray(cv2.LUT(steps, TO_SRGB), np.uint8).reshape(light.shape)
