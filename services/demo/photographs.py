"""Product photographs and a watermark for the demo, drawn by our own code: a mug, a framed poster, a T-shirt."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from services.demo.scenes import mug, poster, shirt
from shared.contracts import Mask

JPEG_QUALITY = 93
SCENES = (("Mug", mug.draw, True), ("Framed poster", poster.draw, True), ("T-shirt", shirt.draw, False))


@dataclass(frozen=True, slots=True)
class Photograph:
    """A JPEG and its print area, in its own pixels: as the web editor draws it, and a template if that shows more."""

    name: str
    image: bytes
    mask: Mask
    template: dict[str, Any] | None = None


def photographs(seed: int = 7) -> tuple[Photograph, ...]:
    """The mug and the poster with a print area in perspective, the shirt with a plain one. Equal seeds, equal bytes."""
    pictures = []
    for name, draw, perspective in SCENES:
        pixels, corners = draw(seed)
        mask = Mask(polygon=corners, perspective=perspective)
        pictures.append(Photograph(name, jpeg(pixels), mask, _template(name, mask)))
    return tuple(pictures)


def _template(name: str, mask: Mask) -> dict[str, Any] | None:
    """A print goes round the mug and takes its light; on the shirt it follows the folds. The poster is flat paper."""
    (left, top), _, (right, bottom), _ = mask.polygon
    areas: dict[str, dict[str, Any]] = {
        "Mug": {"name": "wrap", "shape": mug.wrap(), "white": "#dcdad6", "shading": 0.9, "highlights": 0.6},
        "T-shirt": {
            "name": "chest",
            "shape": {"kind": "rectangle", "box": [left, top, right, bottom]},
            "shading": 0.85,
            "displacement": 0.8,
        },
    }
    if name not in areas:
        return None
    return {"presswork_mockup": 1, "name": name, "photograph": f"{name}.jpg", "areas": [areas[name]]}


def watermark(text: str = "SAMPLE", width: int = 1200) -> bytes:
    """White letters with a dark edge between two lines, as a PNG with alpha: readable on every picture."""
    height = width // 4
    mark = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    draw = ImageDraw.Draw(mark)
    font = _fitting(text, width * 0.92, height * 0.60)
    middle = (width / 2, height / 2)
    bold = max(1, round(height * 0.014))
    for stroke, colour in ((bold + 3, (30, 30, 30, 120)), (bold, (255, 255, 255, 255))):
        draw.text(middle, text, colour, font, anchor="mm", stroke_width=stroke, stroke_fill=colour)
    for y in (height * 0.06, height * 0.94):
        draw.line((width * 0.02, y, width * 0.98, y), (255, 255, 255, 255), width=max(2, height // 60))
    target = io.BytesIO()
    mark.save(target, "PNG")
    return target.getvalue()


def _fitting(text: str, width: float, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which is the same on every machine, as large as fits."""
    left, top, right, bottom = ImageFont.load_default(200).getbbox(text)
    return ImageFont.load_default(200 * min(width / (right - left), height / (bottom - top)))


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Encode (h, w, 3) sRGB."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return target.getvalue()
