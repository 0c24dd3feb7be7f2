"""Small designs as dedup's second look sees them."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from services.dedup.pixels.picture import Picture, picture_of
from services.hasher.hashing import Fingerprint, fingerprint
from services.hasher.preparing import canonical_file
from services.hasher.raster import crop_to_alpha
from tests.accuracy.copies import resized

RED, BLUE = (200, 30, 60), (30, 60, 200)


def design(
    words: str = "CLASS OF 2024", ink: tuple[int, int, int] = (20, 20, 30), heart: object = RED, letters: int = 90
) -> Image.Image:
    """A round face that looks to one side, over a line of words."""
    image = Image.new("RGBA", (800, 800))
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 20, 680, 580), fill=heart)
    draw.polygon([(250, 150), (420, 260), (240, 330)], fill=(250, 220, 90))
    draw.rectangle((430, 380, 620, 430), fill=(40, 140, 90))
    font = ImageFont.load_default(letters)
    left, top, right, bottom = font.getbbox(words)
    draw.text((400 - (left + right) / 2, 690 - (top + bottom) / 2), words, font=font, fill=ink)
    return image


def captioned(ink: tuple[int, int, int], letters: int) -> Image.Image:
    """The design over a small line more."""
    image, font = design(), ImageFont.load_default(letters)
    ImageDraw.Draw(image).text((400, 760), "Est. 2024", font=font, fill=ink, anchor="mm")
    return image


def glow() -> Image.Image:
    """A disc that is white in its middle, with a bar on it: lightened, its lights are clipped."""
    across, down = np.meshgrid(np.linspace(-1, 1, 800), np.linspace(-1, 1, 800))
    rim = np.minimum(np.hypot(across, down), 1)[..., None]
    disc = np.dstack([255 - rim * (255 - np.array((230, 120, 60))), 255 * (rim < 1)])
    image = Image.fromarray(disc.astype(np.uint8))
    ImageDraw.Draw(image).rectangle((300, 300, 500, 380), fill=(40, 60, 120, 255))
    return image


def star(points: int, step: int) -> Image.Image:
    """A ring of fine lines, from each point of a circle to the one so many further on."""
    image = Image.new("RGBA", (1200, 1200))
    turns = [2 * np.pi * step * number / points for number in range(points + 1)]
    places = [(600 + 590 * float(np.sin(turn)), 600 - 590 * float(np.cos(turn))) for turn in turns]
    ImageDraw.Draw(image).line(places, fill=(0, 0, 0, 255), width=2)
    return image


def pale_bars(saturation: float) -> Image.Image:
    """White ones over orange ones: in red both are nearly as light."""
    image = Image.new("RGBA", (800, 800))
    draw = ImageDraw.Draw(image)
    for number, ink in enumerate(((255, 255, 255), (255, 255, 255), (220, 90, 40))):
        draw.rectangle((60 * number, 280 * number, 799 - 90 * number, 280 * number + 200), fill=ink)
    coloured = ImageEnhance.Color(image.convert("RGB")).enhance(saturation)
    coloured.putalpha(image.getchannel("A"))
    return coloured


def leaf(colour: tuple[int, int, int]) -> Image.Image:
    """One shape in one colour, with a hole in it, on a dark ground."""
    image = Image.new("RGBA", (800, 800), (24, 24, 28, 255))
    draw = ImageDraw.Draw(image)
    draw.polygon([(60, 300), (500, 60), (740, 300), (300, 740)], fill=colour)
    draw.ellipse((330, 330, 430, 430), fill=(24, 24, 28))
    return image


def on(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, (*colour, 255)), image)


def paged(image: Image.Image, *strips: float, colour: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """What is visible, on a page that shows left, above, right and below of it: shares of its size."""
    content = image.crop(image.getchannel("A").getbbox())
    left, above, right, below = strips
    width, height = content.size
    page = Image.new("RGBA", (round(width * (1 + left + right)), round(height * (1 + above + below))))
    page.paste(content, (round(width * left), round(height * above)))
    return on(page, colour)


def poster(line: str, letters: int, *, above: str = "", aside: str = "") -> Image.Image:
    """Strokes and a ring on a sheet, 2000 pixels high, and a line of so many below them; others above and in them."""
    image = Image.new("RGBA", (1600, 2000), (240, 236, 226, 255))
    draw = ImageDraw.Draw(image)
    for number in range(14):
        ink = (60 + 9 * number, 70, 150 - 8 * number)
        draw.line([(100 + 97 * number, 120), (1500 - 83 * number, 1500)], fill=ink, width=6 + number)
    draw.ellipse((500, 500, 1100, 1100), outline=(30, 30, 30), width=30)
    for middle, words in (((800, 1750), line), ((800, 60), above), ((800, 800), aside)):
        draw.text(middle, words, font=ImageFont.load_default(letters), fill=(30, 30, 40), anchor="mm")
    return image


def stripes() -> Image.Image:
    """Slanting bars, with little between them: cropped, no side is of one colour."""
    image = Image.new("RGBA", (800, 800))
    draw = ImageDraw.Draw(image)
    for number in range(-4, 5):
        x = 100 + 90 * number
        shade = (40 + 20 * abs(number), 90, 200 - 20 * abs(number))
        draw.polygon([(x, 0), (x + 70, 0), (x + 470, 800), (x + 400, 800)], fill=shade)
    return image


def tiles(side: int) -> Image.Image:
    """A pattern without end: discs and wedges in turn, every other row moved by half, on an opaque sheet."""
    image = Image.new("RGBA", (800, 800), (236, 214, 180, 255))
    draw = ImageDraw.Draw(image)
    for row, top in enumerate(range(-side, 800 + side, side)):
        for number, left in enumerate(range(-side, 800 + side, side)):
            x, y = left + row % 2 * side // 2, top
            if (row + number) % 2:
                draw.ellipse((x, y, x + side * 0.6, y + side * 0.6), fill=RED)
            else:
                draw.polygon([(x, y + side * 0.7), (x + side * 0.5, y), (x + side * 0.6, y + side * 0.7)], fill=BLUE)
    return image


def sheet() -> Image.Image:
    """The design on its own dark ground, all of it opaque."""
    return on(design(ink=(250, 250, 240)), (24, 24, 28))


def fade(angle: float, *inks: tuple[int, int, int]) -> Image.Image:
    """A sheet that goes from one colour to the next along a line, so many radians from the level; nothing is on it."""
    across, down = np.meshgrid(np.linspace(-0.5, 0.5, 800), np.linspace(-0.5, 0.5, 800))
    along = across * np.cos(angle) + down * np.sin(angle)
    along = (along - along.min()) / np.ptp(along) * (len(inks) - 1)
    shades = [np.interp(along, range(len(inks)), channel) for channel in zip(*inks, strict=True)]
    return Image.fromarray(np.dstack([*shades, np.full(along.shape, 255)]).round().astype(np.uint8))


def brighter(image: Image.Image, factor: float) -> Image.Image:
    rgb = image.convert("RGB").point([min(255, round(level * factor)) for level in range(256)] * 3)
    rgb.putalpha(image.getchannel("A"))
    return rgb


def cropped(image: Image.Image, share: float) -> Image.Image:
    content = image.crop(image.getchannel("A").getbbox())
    x, y = round(content.width * share), round(content.height * share)
    return content.crop((x, y, content.width - x, content.height - y))


def noisy(image: Image.Image) -> Image.Image:
    rgb = np.asarray(image.convert("RGB")) + np.random.default_rng(1).normal(0, 4, (image.height, image.width, 3))
    noise = Image.fromarray(rgb.clip(0, 255).astype(np.uint8))
    noise.putalpha(image.getchannel("A"))
    return noise


def hashed(image: Image.Image) -> Fingerprint:
    pixels = np.asarray(image.convert("RGBA"))
    visible = crop_to_alpha(pixels)
    return fingerprint(pixels if visible is None else visible)


def picture(image: Image.Image) -> Picture:
    seen = picture_of(canonical_file(hashed(image)))
    assert seen is not None
    return seen


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "the same": lambda image: image,
    "half the size": lambda image: resized(image, 0.5),
    "cropped by 1 %": lambda image: cropped(image, 0.01),
    "cropped by 3 %": lambda image: cropped(image, 0.03),
    "on white": lambda image: on(image, (255, 255, 255)),
    "on black": lambda image: on(image, (0, 0, 0)),
    "brighter": lambda image: brighter(image, 1.05),
    "darker": lambda image: brighter(image, 0.95),
}
