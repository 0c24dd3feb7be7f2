"""Files of the same design as another program, shop or phone would save it again: each must be told as a copy."""

import io
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

WHITE = (255, 255, 255)

Copy = Callable[[Image.Image, Random], bytes]


def saved(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, format_, **({"compress_level": 1} if format_ == "PNG" else {}) | options)
    return data.getvalue()


def on(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    ground = Image.new("RGBA", image.size, (*colour, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def resized(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


def _content(image: Image.Image) -> Image.Image:
    return image.crop(image.getchannel("A").getbbox())


def _cropped(image: Image.Image, share: float) -> Image.Image:
    """That share of what is visible is cut off at each side."""
    image = _content(image)
    x, y = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.crop((x, y, image.width - x, image.height - y))


def _bordered(image: Image.Image, share: float) -> Image.Image:
    x, y = round(image.width * share), round(image.height * share * 1.5)
    wider = Image.new("RGBA", (image.width + 2 * x, image.height + x + y))
    wider.paste(image, (x, y))
    return wider


def _page(image: Image.Image, dice: Random) -> Image.Image:
    """With margins of up to a fifth, at some of its sides: what is visible touches the others."""
    left, top, right, bottom = (dice.choice((0.0, dice.uniform(0.02, 0.2))) for _ in range(4))
    width, height = image.size
    page = Image.new("RGBA", (round(width * (1 + left + right)), round(height * (1 + top + bottom))))
    page.paste(image, (round(width * left), round(height * top)))
    return page


def _large_page(image: Image.Image, dice: Random) -> Image.Image:
    """A chest print on the template of a whole shirt: it fills a quarter to three fifths of the page."""
    image = _content(image)
    side = round(max(image.size) / dice.uniform(0.25, 0.6))
    page = Image.new("RGBA", (side, side))
    x, y = (round((side - length) * dice.uniform(0.2, 0.6)) for length in image.size)
    page.paste(image, (x, y))
    return page


def _rgb(image: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    changed = change(image.convert("RGB"))
    changed.putalpha(image.getchannel("A"))
    return changed


def _lighter(image: Image.Image, factor: float) -> Image.Image:
    return _rgb(image, lambda rgb: ImageEnhance.Brightness(rgb).enhance(factor))


def _gamma(image: Image.Image, exponent: float) -> Image.Image:
    table = [round(255 * (level / 255) ** exponent) for level in range(256)]
    return _rgb(image, lambda rgb: rgb.point(table * 3))


def _warmer(image: Image.Image, dice: Random) -> Image.Image:
    shifts = [dice.choice((-7, -4, 4, 7)) for _ in range(3)]
    table = [min(255, max(0, level + shift)) for shift in shifts for level in range(256)]
    return _rgb(image, lambda rgb: rgb.point(table))


SRGB_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
ADOBE_TO_XYZ = ((0.57667, 0.18556, 0.18823), (0.29734, 0.62736, 0.07529), (0.02703, 0.07069, 0.99134))
"""Both for D65: IEC 61966-2-1, and Adobe RGB (1998), 4.3.5.3."""


def without_profile(image: Image.Image) -> Image.Image:
    """Made AdobeRGB, and then its profile was dropped, as programs do that make files small for the web."""
    pixels = np.asarray(image.convert("RGBA")).copy()
    light = pixels[..., :3] / 255
    light = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    light = light @ (np.linalg.inv(ADOBE_TO_XYZ) @ SRGB_TO_XYZ).T
    pixels[..., :3] = (255 * light.clip(0, 1) ** (256 / 563)).round()
    return Image.fromarray(pixels)


def _filtered(image: Image.Image, effect: ImageFilter.Filter) -> Image.Image:
    return image.convert("RGBa").filter(effect).convert("RGBA")


def _rotated(image: Image.Image, degrees: float) -> Image.Image:
    turned = _bordered(image, 0.02).convert("RGBa").rotate(degrees, Image.Resampling.BICUBIC)
    return turned.convert("RGBA")


def _noisy(image: Image.Image, dice: Random) -> Image.Image:
    noise = np.random.default_rng(dice.getrandbits(32)).normal(0, 4, (image.height, image.width, 3))
    return _rgb(image, lambda rgb: Image.fromarray(np.clip(np.asarray(rgb) + noise, 0, 255).astype(np.uint8)))


def _framed_on_white(image: Image.Image) -> Image.Image:
    return on(_bordered(image, 0.1), WHITE)


COPIES: dict[str, Copy] = {
    "PNG saved again": lambda image, _: saved(image, compress_level=9),
    "WebP q90": lambda image, _: saved(image, "WEBP", quality=90),
    "WebP q75": lambda image, _: saved(image, "WEBP", quality=75),
    "JPEG q90 on white": lambda image, _: saved(on(image, WHITE), "JPEG", quality=90),
    "JPEG q75 on white": lambda image, _: saved(on(image, WHITE), "JPEG", quality=75),
    "JPEG q85 on black": lambda image, _: saved(on(image, (0, 0, 0)), "JPEG", quality=85),
    "JPEG q85 on a white page that it touches": lambda image, dice: saved(
        on(_page(_content(image), dice), WHITE), "JPEG", quality=85
    ),
    "JPEG q85 on a large white page": lambda image, dice: saved(
        on(_large_page(image, dice), (255, 255, 255)), "JPEG", quality=85
    ),
    "JPEG q85 on a colour": lambda image, dice: saved(
        on(image, dice.choice(((128, 128, 128), (200, 40, 40), (40, 80, 160), (230, 215, 180)))), "JPEG", quality=85
    ),
    "PNG on a white page": lambda image, _: saved(_framed_on_white(image)),
    "resized to 50 %": lambda image, _: saved(resized(image, 0.5)),
    "resized to 80 %": lambda image, _: saved(resized(image, 0.8)),
    "resized to 130 %": lambda image, _: saved(resized(image, 1.3)),
    "cropped by 1 %": lambda image, _: saved(_cropped(image, 0.01)),
    "cropped by 3 %": lambda image, _: saved(_cropped(image, 0.03)),
    "new border": lambda image, _: saved(_bordered(image, 0.08)),
    "3 % brighter": lambda image, _: saved(_lighter(image, 1.03)),
    "3 % darker": lambda image, _: saved(_lighter(image, 0.97)),
    "5 % brighter": lambda image, _: saved(_lighter(image, 1.05)),
    "5 % darker": lambda image, _: saved(_lighter(image, 0.95)),
    "gamma": lambda image, dice: saved(_gamma(image, dice.choice((0.9, 1.1)))),
    "colours shifted": lambda image, dice: saved(_warmer(image, dice)),
    "its AdobeRGB profile lost": lambda image, _: saved(without_profile(image)),
    "blurred": lambda image, _: saved(_filtered(image, ImageFilter.GaussianBlur(1.0))),
    "sharpened": lambda image, _: saved(_rgb(image, lambda rgb: rgb.filter(ImageFilter.UnsharpMask(2, 80, 2)))),
    "64 colours": lambda image, _: saved(image.quantize(64, method=Image.Quantize.FASTOCTREE)),
    "shifted by 2 px": lambda image, _: saved(_content(image).crop((2, 2, image.width, image.height))),
    "turned by 0.5 degrees": lambda image, dice: saved(_rotated(image, dice.choice((-0.5, 0.5)))),
    "noise": lambda image, dice: saved(_noisy(image, dice)),
}

# what leaves every letter legible: other words that were saved in one of these ways stay another design
GENTLE = (
    "WebP q90",
    "WebP q75",
    "JPEG q90 on white",
    "JPEG q75 on white",
    "resized to 50 %",
    "resized to 80 %",
    "cropped by 1 %",
    "3 % brighter",
    "5 % brighter",
    "turned by 0.5 degrees",
    "noise",
)
