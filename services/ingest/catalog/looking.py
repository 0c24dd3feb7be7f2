"""A stranger's picture, decoded to its end to see whether it is one: what runs in a child process."""

import io
from dataclasses import dataclass

# Loaded here, as with the first picture of its kind that could fail for want of memory; `Image.init` loads forty more
from PIL import (
    Image,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401 - what JPEG becomes in cameras
    PngImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from services.decoding.answers import Refusal
from services.decoding.child import at_most
from services.decoding.unreadable import UNREADABLE

FORMATS = ("PNG", "JPEG", "WEBP")  # named, so that Pillow's many other decoders never see a stranger's bytes

Facts = tuple[str, int, int]
"""Format, as the decoder says, width and height in pixels."""


class NoPicture(Refusal):
    """Why it can't be used and what to do, without the file's name."""


class OutOfMemory(NoPicture):
    """A library that could not be loaded for want of memory would stay missing."""

    last = True


def looker(max_pixels: int, max_seconds: float) -> "Looker":
    """The function, in a process that does nothing else."""
    Image.MAX_IMAGE_PIXELS = None  # our own limit decides, in our own words
    return Looker(max_pixels, max_seconds)


@dataclass(frozen=True)
class Looker:
    """Looks at one picture after the other; its process ends if one takes longer than `max_seconds`."""

    max_pixels: int
    max_seconds: float

    def __call__(self, data: bytes) -> Facts:
        """What the picture is.

        Raises:
            NoPicture: it is none, is damaged or is too large.
        """
        try:
            with at_most(self.max_seconds):
                return self._decoded(data)
        except UnidentifiedImageError as error:
            raise NoPicture("not a PNG, JPEG or WebP picture; export it as one of these.") from error
        except UNREADABLE as error:
            raise NoPicture(f"the picture is damaged ({error}); export it again.") from error
        except MemoryError as error:
            raise OutOfMemory("the picture needs more memory than one may take; send a smaller one.") from error

    def _decoded(self, data: bytes) -> Facts:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > self.max_pixels:
                limit = f"at most {self.max_pixels / 1e6:g} megapixels"
                raise NoPicture(f"{width} x {height} px is too large ({limit}); send a smaller one.")
            image.load()
            return str(image.format), width, height
