"""The designs of the demo, in upload order: what each is, how it is drawn and written, and its copies."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.demo import encoding
from services.demo.drawing import badges, botanical, clipart, creatures, paintings, patterns, typography

Drawing = NDArray[Any]
Draw = Callable[[np.random.Generator], Drawing]
Encode = Callable[[Drawing], bytes]
Copy = Callable[[Drawing, bytes], bytes]


@dataclass(frozen=True)
class Picture:
    """How a design is drawn and written, and its copies: (name, what it is, how it is made from pixels and file)."""

    name: str
    what: str
    draw: Draw
    encode: Encode = encoding.png
    copies: tuple[tuple[str, str, Copy], ...] = ()


def _same(_: Drawing, data: bytes) -> bytes:
    return data


def _again(pixels: Drawing, _: bytes) -> bytes:
    return encoding.re_encoded(pixels, "the same shop")


def _smaller(pixels: Drawing, _: bytes) -> bytes:
    return encoding.png(encoding.resized(pixels, 0.75))


def _wider(pixels: Drawing, _: bytes) -> bytes:
    return encoding.png(np.pad(pixels, ((240, 410), (330, 180), (0, 0))))


def _over_pink(pixels: Drawing) -> bytes:
    """Hidden pixels keep a colour, as some programs save them: it must neither print nor count in a comparison."""
    pixels[pixels[..., 3] == 0] = (255, 0, 128, 0)
    return encoding.png(pixels)


def _fixed(draw: Callable[..., Drawing], *args: object, **named: object) -> Draw:
    """A drawing that leaves nothing to chance."""
    return lambda _: draw(*args, **named)


JEWEL = ("#1b4965", "#5fa8d3", "#ca6180", "#f2cc8f", "#62297a")
SPICE = ("#7f2d1d", "#d1603d", "#f2a65a", "#f6e7cb", "#2d6a6a")

PICTURES: tuple[Picture, ...] = (
    Picture(
        "coffee-first.png",
        "lettering with a cup",
        typography.coffee,
        copies=(("coffee-first (1).png", "the same file under another name", _same),),
    ),
    Picture("Class of 2024.png", "a text twin: the year differs", _fixed(typography.class_of, "2024")),
    Picture("adventure-awaits.png", "a round badge", badges.adventure),
    Picture("retro-sunset-surf.png", "a retro sunset", badges.surf),
    Picture("rose-wreath-millers.png", "a wreath of roses with a name", botanical.wreath),
    Picture(
        "rise-and-shine.png",
        "a rooster in a ring of text",
        _fixed(clipart.roundel, "rooster", "RISE & SHINE", "FARM FRESH", ("#7d2e1f", "#fdf0d5")),
    ),
    Picture(
        "geo-fox.png",
        "a fox of flat triangles",
        creatures.fox,
        copies=(("geo-fox-small.png", "the same, reduced to 75 %", _smaller),),
    ),
    Picture("watercolour moon.png", "watercolour, white hidden under clear pixels", paintings.moon),
    Picture("fern-ink.png", "black ink on transparent", botanical.line_fern),
    Picture("dandelion-white.png", "white ink on transparent", botanical.dandelion),
    Picture("buffalo-plaid.png", "an opaque pattern without alpha", patterns.plaid),
    Picture("DSC_0417.jpg", "a 14 MP photograph", paintings.landscape, encoding.jpeg),
    Picture("northern-lights-16bit.png", "16 bits a channel", paintings.aurora),
    Picture("mandala-jewel.png", "a mandala in five colours", partial(botanical.mandala, colours=JEWEL, folds=12)),
    Picture(
        "slice-of-life.png",
        "a slice of pizza between block letters",
        _fixed(clipart.poster, "pizza", 3600, 4400, ("SLICE", "OF LIFE"), ("#d62828", "#fcbf49")),
        copies=(("slice-of-life COPY.png", "the same file under another name", _same),),
    ),
    Picture("good-vibes-only.png", "waved lettering", typography.good_vibes),
    Picture("rainbow-nursery.webp", "a WEBP file", badges.rainy_days, encoding.webp),
    Picture("butterfly-ink.png", "black ink on transparent", _fixed(clipart.plain, "butterfly-ink", 3600, 3500)),
    Picture(
        "wild-and-free.png",
        "a tiger between block letters",
        _fixed(clipart.poster, "tiger", 3800, 4400, ("WILD", "& FREE"), ("#f77f00", "#1d1d1d")),
        copies=(("wild-and-free-export.png", "the same pixels, saved again by another program", _again),),
    ),
    Picture("whale-hello.png", "a whale", creatures.whale),
    Picture(
        "terrazzo-tile.png",
        "a palette PNG",
        patterns.terrazzo,
        partial(encoding.palette_png, colours=patterns.TERRAZZO),
    ),
    Picture("night-owl-club.png", "white ink on transparent", typography.night_owl),
    Picture("Class of 2025.png", "a text twin: the year differs", _fixed(typography.class_of, "2025")),
    Picture(
        "stud-muffin.png",
        "a muffin in a ring of text",
        _fixed(clipart.roundel, "muffin", "STUD MUFFIN", "BAKED DAILY", ("#315b8a", "#fff4d6")),
    ),
    Picture("happy-camper.png", "a worn badge", badges.campfire),
    Picture("mandala-ink.png", "black ink on transparent", partial(botanical.mandala, colours=("#000000",), folds=10)),
    Picture(
        "watercolour-love.png",
        "watercolour",
        paintings.love,
        copies=(("watercolour-love-800kb.png", "the same, reduced to 75 %", _smaller),),
    ),
    Picture("bee-kind.png", "bees on honeycomb", creatures.bees),
    Picture("moon-phases.png", "white ink on transparent", creatures.moon_phases),
    Picture(
        "owl-day-long.png",
        "an owl over a line of text",
        _fixed(clipart.slogan, "owl", 3300, 4200, "OWL DAY LONG", "#4d5b45"),
    ),
    Picture("leopard-print.png", "an opaque pattern", patterns.leopard),
    Picture("desert-daydream.png", "a retro desert", badges.desert),
    Picture(
        "elephant-white.png",
        "white ink on transparent",
        _fixed(clipart.plain, "elephant-ink", 3300, 4000, ink="#ffffff"),
    ),
    Picture("plant-person.png", "black ink on transparent", typography.plant_lady),
    Picture("bridal bouquet.png", "a bouquet", botanical.bouquet),
    Picture(
        "purrfectly-lazy.png",
        "a cat over a line of text",
        _fixed(clipart.slogan, "cat", 3900, 3700, "PURRFECTLY LAZY", "#333333"),
    ),
    Picture(
        "stay-groovy.png",
        "a rainbow of the seventies",
        badges.groovy,
        copies=(("stay-groovy-bleed.png", "the same with a wider transparent border", _wider),),
    ),
    Picture("saturn-and-friends.png", "planets", creatures.planets),
    Picture("mandala-frost.png", "white ink on transparent", partial(botanical.mandala, colours=("#ffffff",), folds=8)),
    Picture(
        "gone-fishing.png",
        "black and white ink",
        _fixed(clipart.slogan, "grayling-ink", 3300, 4200, "GONE FISHING", "#000000"),
    ),
    Picture("painted-tiles.png", "an opaque pattern", patterns.tiles),
    Picture("okayest-dad.png", "a worn shield", typography.best_dad),
    Picture("peacock-butterfly.png", "a drawing alone", _fixed(clipart.plain, "butterfly", 3900, 3500)),
    Picture("mushroom-trio.png", "mushrooms", creatures.mushrooms),
    Picture("bamboo-ink.png", "black ink on transparent", _fixed(clipart.plain, "bamboo-ink", 3600, 3600)),
    Picture("just-breathe.png", "watercolour with clear lettering", paintings.ocean),
    Picture("heart-of-hearts.png", "pink hidden under clear pixels", creatures.heart_of_hearts, _over_pink),
    Picture(
        "maya-lizard.png",
        "a drawing alone",
        _fixed(clipart.plain, "lizard", 3400, 3800),
        copies=(("maya-lizard-final-FINAL.png", "the same pixels, saved again by another program", _again),),
    ),
    Picture("mandala-spice.png", "a mandala in five colours", partial(botanical.mandala, colours=SPICE, folds=9)),
    Picture(
        "hello-spring.png",
        "tulips over a line of text",
        _fixed(clipart.slogan, "tulips", 3200, 4300, "HELLO SPRING", "#c2185b"),
    ),
    Picture(
        "hello-pumpkin.png",
        "a pumpkin over a line of text",
        _fixed(clipart.slogan, "pumpkin", 3800, 4200, "HELLO PUMPKIN", "#b5501b"),
        copies=(("Kopie von hello-pumpkin.png", "the same file under another name", _same),),
    ),
)
