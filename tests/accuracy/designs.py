"""What sellers make of a drawing: with a caption, on a ground, or bare; and its twins, which are other designs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

NAMES = ("Emma", "Noah", "Olivia", "Liam", "Sofia", "Mia", "Lucas", "Hannah", "Ben", "Clara", "Anna", "Erik", "Marie")
WORDS = ("mom", "dad", "dog", "cat", "life", "love", "club", "team", "squad", "vibes", "babe", "queen", "nurse")
FONTS = tuple(sorted(str(p) for p in Path("/usr/share/fonts").rglob("*.ttf") if "Math" not in p.name)) or ("",)


@dataclass(frozen=True)
class Design:
    """Everything that is drawn; `dice` only for what a twin chooses."""

    drawing: Image.Image
    caption: str
    font: str
    colour: tuple[int, int, int]
    width: float  # of the caption, as a share of the drawing's
    below: bool
    ground: tuple[int, int, int] | None
    drop: tuple[float, float, tuple[int, int, int]] | None = None  # an extra element

    def image(self) -> Image.Image:
        parts = [self.drawing] + ([self._lettering()] if self.caption else [])
        parts = parts if self.below else parts[::-1]
        width = max(part.width for part in parts)
        gap = round(0.03 * self.drawing.height)
        whole = Image.new("RGBA", (width, sum(part.height + gap for part in parts) - gap))
        top = 0
        for part in parts:
            whole.alpha_composite(part, ((width - part.width) // 2, top))
            top += part.height + gap
        if self.drop:
            self._draw_drop(whole)
        return whole if self.ground is None else self._grounded(whole)

    def slender(self) -> float:
        """The caption's width by its height."""
        left, top, right, bottom = self._font().getbbox(self.caption)
        return (right - left) / (bottom - top)

    def _font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.truetype(self.font, 200) if self.font else ImageFont.load_default(200)

    def _lettering(self) -> Image.Image:
        font = self._font()
        left, top, right, bottom = font.getbbox(self.caption)
        sheet = Image.new("RGBA", (round(right - left) + 8, round(bottom - top) + 8))
        ImageDraw.Draw(sheet).text((4 - left, 4 - top), self.caption, font=font, fill=(*self.colour, 255))
        factor = self.width * self.drawing.width / sheet.width
        size = (round(sheet.width * factor), max(8, round(sheet.height * factor)))
        return sheet.resize(size, Image.Resampling.LANCZOS)

    def _draw_drop(self, whole: Image.Image) -> None:
        x, y, colour = self.drop or (0, 0, (0, 0, 0))
        radius = 0.035 * max(whole.size)
        centre = (radius + x * (whole.width - 2 * radius), radius + y * (whole.height - 2 * radius))
        ImageDraw.Draw(whole).regular_polygon((*centre, radius), 5, fill=(*colour, 255))

    def _grounded(self, whole: Image.Image) -> Image.Image:
        margin = round(0.06 * max(whole.size))
        sheet = Image.new("RGBA", (whole.width + 2 * margin, whole.height + 2 * margin), (*(self.ground or ()), 255))
        sheet.alpha_composite(whole, (margin, margin))
        return sheet


def design_of(drawing: Image.Image, dice: Random) -> Design:
    """One of the many ways to sell a drawing."""
    box = drawing.getchannel("A").getbbox()
    kind = dice.choice(("year", "name", "word", "year", "name", "bare"))
    colour = tuple(dice.choice((0, 20, 90, 160, 220, 255)) for _ in range(3))
    ground = dice.choice((None, None, None, (255, 255, 255), (24, 24, 28), (236, 214, 180)))
    if ground and sum(abs(a - b) for a, b in zip(ground, colour, strict=True)) < 200:
        colour = tuple(255 - c if abs(128 - c) > 40 else 0 for c in ground)
    return Design(
        drawing.crop(box), caption(kind, dice), dice.choice(FONTS), colour, dice.uniform(0.35, 0.95),
        dice.random() < 0.75, ground,
    )  # fmt: skip


def caption(kind: str, dice: Random) -> str:
    if kind == "year":
        return dice.choice(("CLASS OF {}", "Est. {}", "Senior {}", "{}")).format(dice.randint(2019, 2027))
    if kind == "name":
        return dice.choice(("{}", "{}'s Mom", "Team {}", "Hello {}")).format(dice.choice(NAMES))
    return " ".join(dice.sample(WORDS, 2)) if kind == "word" else ""


def with_year(design: Design, dice: Random) -> Design | None:
    digits = [i for i, letter in enumerate(design.caption) if letter.isdigit()]
    if not digits:
        return None
    year = int("".join(design.caption[i] for i in digits))
    return replace(design, caption=design.caption.replace(str(year), str(year + dice.choice((-1, 1)))))


def with_name(design: Design, dice: Random) -> Design | None:
    name = next((name for name in NAMES if name in design.caption.split("'")[0].split()), None)
    if name is None:
        return None
    other = dice.choice([n for n in NAMES if n != name])
    return replace(design, caption=design.caption.replace(name, other))


def with_word(design: Design, dice: Random) -> Design | None:
    words = design.caption.split()
    if len(words) != 2 or words[0] not in WORDS:
        return None
    return replace(design, caption=f"{words[0]} {dice.choice([w for w in WORDS if w not in words])}")


def small_year(design: Design, dice: Random) -> Design:
    """The drawing with a small caption: a year, 3 to 6 % of the longer side high."""
    small = replace(design, caption=dice.choice(("Est. {}", "SINCE {}", "{}")).format(dice.randint(1950, 2027)))
    return replace(
        small, width=dice.uniform(0.03, 0.06) * max(design.drawing.size) * small.slender() / design.drawing.width
    )


def with_last_digit(design: Design, dice: Random) -> Design:
    last = design.caption[-1]
    return replace(design, caption=design.caption[:-1] + dice.choice([d for d in "0123456789" if d != last]))


def with_hue(design: Design, dice: Random) -> Design | None:
    """The drawing in another colour; None for drawings without one."""
    h, s, v = design.drawing.convert("RGB").convert("HSV").split()
    weight = np.asarray(s, float) * np.asarray(v, float) * np.asarray(design.drawing.getchannel("A"), float) / 255**3
    if weight.sum() < 0.05 * np.asarray(design.drawing.getchannel("A"), float).sum() / 255:
        return None
    turn = dice.choice((50, 85, 128, 170, 205))
    turned = Image.merge("HSV", (h.point([(x + turn) % 256 for x in range(256)]), s, v)).convert("RGB")
    turned.putalpha(design.drawing.getchannel("A"))
    return replace(design, drawing=turned)


def with_ink(design: Design, _: Random) -> Design | None:
    """The caption in another colour."""
    other = tuple((c + 128) % 256 for c in design.colour)
    return replace(design, colour=other) if design.caption else None


def with_star(design: Design, dice: Random) -> Design | None:
    return replace(design, drop=(dice.random(), dice.random(), dice.choice(((220, 30, 60), (30, 60, 220)))))


Twin = Callable[[Design, Random], Design | None]
OTHER_WORDS: dict[str, Twin] = {"another year": with_year, "another name": with_name, "another word": with_word}
OTHER_LOOKS: dict[str, Twin] = {
    "drawing recoloured": with_hue, "caption recoloured": with_ink, "star added": with_star,
}  # fmt: skip


def inverted(image: Image.Image) -> Image.Image:
    turned = ImageOps.invert(image.convert("RGB"))
    turned.putalpha(image.getchannel("A"))
    return turned


TURNED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "inverted": inverted,
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 90 degrees": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}


def twins(design: Design, other: Image.Image, dice: Random) -> dict[str, Image.Image]:
    """Designs that a seller would sell beside this one; `other` is another drawing, for the same template."""
    made = {kind: twin for kind, make in (OTHER_WORDS | OTHER_LOOKS).items() if (twin := make(design, dice))}
    if design.caption:
        fitted = ImageOps.contain(other.crop(other.getchannel("A").getbbox()), design.drawing.size)
        sheet = Image.new("RGBA", design.drawing.size)
        sheet.alpha_composite(fitted, ((sheet.width - fitted.width) // 2, (sheet.height - fitted.height) // 2))
        made["another drawing"] = replace(design, drawing=sheet)
    whole = design.image()
    return {kind: twin.image() for kind, twin in made.items()} | {k: turn(whole) for k, turn in TURNED.items()}
