"""Files to upload, made in code."""

import io
import random
from itertools import count

from PIL import Image, ImageDraw, ImageEnhance

from tests.images import saved

File = tuple[str, bytes]

_seeds = count(1000)


def print_names(*numbers: int) -> list[str]:
    """What designs of these numbers are called."""
    return [f"UV {number} UVDTF_16oz_{number}.png" for number in numbers]


def artwork(seed: int, size: tuple[int, int] = (360, 240)) -> Image.Image:
    """Discs on transparency; seeds that differ make designs that nobody takes for each other."""
    dice = random.Random(seed)
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        x, y, width = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(20, 120)
        draw.ellipse([x, y, x + width, y + width], (*dice.choices(range(256), k=3), 255))
    return image


def design(seed: int) -> File:
    """A good file."""
    return f"design {seed}.png", saved(artwork(seed))


def designs(number: int, first: int = 1) -> list[File]:
    """Good files, no two of them alike."""
    return [design(seed) for seed in range(first, first + number)]


def fresh(number: int) -> list[File]:
    """Good files that no other test has, for users that tests share."""
    return [design(next(_seeds)) for _ in range(number)]


def copy_of(file: File, name: str, light: float = 0.96) -> File:
    """The same picture, a little darker."""
    with Image.open(io.BytesIO(file[1])) as image:
        rgb = ImageEnhance.Brightness(image.convert("RGB")).enhance(light)
        rgb.putalpha(image.getchannel("A"))
    return name, saved(rgb)
