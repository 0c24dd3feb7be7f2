"""Whether a twin is another design at all: what people see of it."""

import cv2
import numpy as np
from PIL import Image

from tests.accuracy.designs import TURNED

SHOP = 128  # pixels of a shop's small picture
LEAST_SEEN = 24  # levels, in a 64th of the width, by which a twin must differ for people to see it


def visible(image: Image.Image, twin: Image.Image) -> bool:
    """Whether people see it: a mirrored heart is no other design, nor is what an edge moves by a hundredth of it.

    Nor is a star of thin lines that was turned: what counts is what a shop's small picture of it shows.
    """
    turned = twin.tobytes() in {turn(image).tobytes() for kind, turn in TURNED.items() if kind != "inverted"}
    if turned and max(abs(a - b) for a, b in zip(twin.size, image.size, strict=True)) <= max(image.size) / 100:
        image, twin = (each.convert("RGBa").resize((SHOP, SHOP), Image.Resampling.BOX) for each in (image, twin))
    if twin.size != image.size:
        return True
    side = max(4, round(max(image.size) / 64))
    one, other = (np.asarray(each.convert("RGBa"), np.uint8) for each in (image, twin))
    if turned:
        reach = np.ones((side, side), np.uint8)
        apart = cv2.max(cv2.subtract(one, cv2.dilate(other, reach)), cv2.subtract(cv2.erode(other, reach), one))
    else:
        apart = cv2.absdiff(one, other)
    return int(cv2.blur(apart, (side, side)).max()) >= LEAST_SEEN
