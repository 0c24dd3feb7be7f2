"""What is the same design keeps its hashes; what is not does not."""

import io
from itertools import combinations

import imagehash
import numpy as np
import pytest
from PIL import Image

from services.dedup.pixels.picture import picture_of
from services.hasher.decoding import open_picture
from services.hasher.hashing import ALGORITHM, GREY_ART_ALGORITHM, Fingerprint, fingerprint
from services.hasher.limits import Limits
from services.hasher.preparing import prepare
from services.hasher.rejection import Rejected
from tests.images import saved
from tests.unit.hasher.samples import DIGITAL, FIT, STRETCH, Pixels, artwork, lettering, photo

LIMITS = Limits()
THRESHOLD = 5
WORDS = ("Dog mom\nclub", "Good vibes\nonly", "Est. 1999", "Namaste", "I'd rather\nbe fishing", "Best dad ever")
ART = artwork(900, 700)
SPECS = {
    "stretched": STRETCH,
    "fitted": FIT,
    "tall canvas": FIT.model_copy(update={"canvas_height_inches": 4}),
    "digital": DIGITAL,
}


def distances(one: Fingerprint, other: Fingerprint) -> tuple[int, int]:
    assert one.algorithm == other.algorithm
    bits = [(int(a, 16) ^ int(b, 16)).bit_count() for a, b in ((one.phash, other.phash), (one.dhash, other.dhash))]
    return bits[0], bits[1]


def of_file(data: bytes) -> Fingerprint:
    return fingerprint(open_picture(data, LIMITS).pixels)


@pytest.mark.parametrize("data", [saved(ART, "PNG"), saved(photo(), "JPEG"), saved(lettering("Hi", (0, 0, 0)), "PNG")])
def test_hashes_are_imagehashs_own_on_the_hashed_picture(data: bytes) -> None:
    design, found = prepare(data, STRETCH, LIMITS), of_file(data)
    hashed = Image.fromarray(found.hashed)
    assert (hashed.size, hashed.mode) == ((512, 512), "RGB")
    assert (design.phash, design.dhash) == (found.phash, found.dhash)
    assert design.phash == str(imagehash.phash(hashed, hash_size=16))
    assert design.dhash == str(imagehash.dhash(hashed, hash_size=16))
    assert design.algorithm == ALGORITHM == "canonical512-grey128/phash16+dhash16/1"
    assert {len(design.phash), len(design.dhash)} == {64}


@pytest.mark.parametrize("data", [saved(ART, "PNG"), saved(lettering("Hi", (0, 0, 0)), "PNG")])
def test_the_canonical_picture_is_the_hashed_one_in_colour_and_alpha(data: bytes) -> None:
    canonical = Image.open(io.BytesIO(prepare(data, STRETCH, LIMITS).canonical))
    assert (canonical.size, canonical.mode) == ((256, 256), "RGBA")
    flattened = Image.alpha_composite(Image.new("RGBA", canonical.size, (128, 128, 128, 255)), canonical)
    hashed = Image.fromarray(of_file(data).hashed).resize(canonical.size, Image.Resampling.BOX)
    apart = np.abs(np.asarray(flattened.convert("RGB"), np.int16) - np.asarray(hashed, np.int16))
    assert apart.max() <= 3


@pytest.mark.parametrize("page", [False, True])
def test_the_canonical_file_holds_the_picture_close_up_for_dedup(page: bool) -> None:
    image = on_page(ART, 3000, 3000) if page else Image.fromarray(ART)
    seen = picture_of(prepare(saved(image, "PNG"), STRETCH, LIMITS).canonical)
    assert seen
    close = seen.close_up()
    assert close
    assert close.rgba.shape == (512, 512, 4)
    assert close.close_up() is None
    halved = Image.fromarray(close.rgba, "RGBa").resize((256, 256), Image.Resampling.BOX)
    assert np.abs(np.asarray(halved, np.int16) - seen.rgba).max() <= 3


def on_page(picture: Pixels, width: int, height: int, colour: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """In the upper part of an opaque page, as a chest print lies on a shirt's template."""
    page = Image.new("RGBA", (width, height), (*colour, 255))
    page.alpha_composite(Image.fromarray(picture), ((width - picture.shape[1]) // 2, height // 10))
    return page.convert("RGB")


def apart(one: Pixels, other: Pixels) -> float:
    """Levels, on average, once both are laid on white."""
    looks = [Image.alpha_composite(Image.new("RGBA", (256, 256), "white"), Image.fromarray(p)) for p in (one, other)]
    return float(np.abs(np.subtract(*(np.asarray(look, np.int16) for look in looks))).mean())


@pytest.mark.parametrize("size", [(1500, 1200), (2600, 3000), (4000, 900)])
def test_the_canonical_picture_of_small_art_on_a_page_shows_the_art(size: tuple[int, int]) -> None:
    art, words = lettering(WORDS[0], (20, 40, 120)), lettering(WORDS[1], (20, 40, 120))
    alone, others = fingerprint(art).canonical, fingerprint(words).canonical
    page = of_file(saved(on_page(art, *size), "JPEG", quality=85)).canonical
    assert page[..., 3].min() == 255
    assert apart(page, others) > 30
    assert apart(_unframed(page), alone) < 8


def _unframed(page: Pixels) -> Pixels:
    ink = np.argwhere((page[..., :3] < 128).any(axis=2))
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    return np.asarray(Image.fromarray(page[top:bottom, left:right]).resize((256, 256), Image.Resampling.BILINEAR))


def test_a_page_adds_no_pixels_to_its_artwork() -> None:
    """Who is told that a file has more of them may replace a clear print by one with a white box."""
    art = Image.fromarray(lettering(WORDS[0], (20, 40, 120)))
    alone = np.asarray(art.crop(art.getbbox()))
    wide, high = of_file(saved(alone, "PNG")).artwork
    assert (high, wide) == alone.shape[:2]
    for size in ((380, 170), (1500, 1200)):
        on_its_page = of_file(saved(on_page(alone, *size), "JPEG", quality=85)).artwork
        assert on_its_page == pytest.approx((wide, high), abs=max(size) / 80)
    assert prepare(saved(on_page(alone, 900, 900), "JPEG"), STRETCH, LIMITS).artwork[0] < 400


def test_the_canonical_picture_tells_the_proportions_of_what_it_shows() -> None:
    """Specks of hardly any alpha count as `artwork` and are not shown; a page that is nearly full is, and does not."""
    art = artwork(900, 150)
    specks = np.zeros((900, 900, 4), np.uint8)
    specks[300:450] = art
    specks[0, 0] = specks[-1, -1] = (90, 90, 90, 2)
    shown = tuple(reversed(_solid(art)))
    assert _told(saved(art, "PNG")) == shown
    assert _told(saved(specks, "PNG")) == shown
    page = saved(on_page(art, 3000, 3000), "PNG")
    wide, high = _told(page)
    assert wide / high == pytest.approx(shown[0] / shown[1], rel=0.1)
    words = Image.fromarray(lettering(WORDS[0], (20, 40, 120)))
    filled = saved(on_page(np.asarray(words.crop(words.getbbox())), 380, 170), "PNG")
    assert _told(filled) == (380, 170)


def _solid(art: Pixels) -> tuple[int, int]:
    """Height and width of what is more than a speck."""
    rows, columns = np.nonzero(art[..., 3] >= 32)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def _told(data: bytes) -> tuple[int, int]:
    across, down = Image.open(io.BytesIO(prepare(data, STRETCH, LIMITS).canonical)).info["aspect"]
    return down, across


def test_the_page_is_kept_where_it_is_none() -> None:
    """Art that fills it, a page of two colours, one that is see-through itself, and one in which black art vanishes."""
    art = lettering(WORDS[0], (20, 40, 120))
    two = on_page(art, 2000, 2000)
    two.paste((200, 40, 40), (0, 0, 2000, 700))
    faint = on_page(art, 2000, 2000).convert("RGBA")
    faint.putalpha(200)
    words = Image.fromarray(art)
    filled = on_page(np.asarray(words.crop(words.getbbox())), 380, 170)
    caption = Image.fromarray(lettering(WORDS[0], (240, 240, 240)))
    below = np.asarray(caption.crop(caption.getbbox()).resize((900, 90)))
    for picture in (filled, two, faint, on_page(below, 2000, 2000, (0, 0, 0))):
        pixels = np.asarray(picture.convert("RGBA"))
        whole = np.asarray(picture.convert("RGBA").resize((256, 256), Image.Resampling.BOX))
        assert apart(fingerprint(pixels).canonical, whole) < 3


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255)])
def test_a_print_file_has_its_uploads_hashes(spec: object, colour: tuple[int, int, int]) -> None:
    for picture in (ART, lettering(WORDS[0], colour)):
        printed = prepare(saved(picture, "PNG"), spec, LIMITS).print_file  # type: ignore[arg-type]
        assert max(distances(fingerprint(picture), of_file(printed))) <= THRESHOLD


def test_a_print_file_uploaded_again_for_another_template_has_the_same_hashes() -> None:
    first = prepare(saved(ART, "PNG"), STRETCH, LIMITS).print_file
    second = prepare(first, FIT, LIMITS).print_file
    assert max(distances(fingerprint(ART), of_file(second))) <= THRESHOLD


def copies(picture: Pixels) -> dict[str, bytes]:
    height, width = picture.shape[:2]
    bordered = np.zeros((height + 90, width + 300, 4), np.uint8)
    bordered[20 : 20 + height, 250 : 250 + width] = picture
    image = Image.fromarray(picture)
    specks = picture.copy()
    specks[0, 0] = (255, 255, 255, 2)
    specks[-1, -1] = (0, 0, 0, 1)
    return {
        "under a border": saved(bordered, "PNG"),
        "as lossy WEBP": saved(image, "WEBP", quality=80),
        "as TIFF": saved(image, "TIFF", compression="tiff_lzw"),
        "at half size": saved(image.resize((width // 2, height // 2), Image.Resampling.LANCZOS), "PNG"),
        "enlarged": saved(image.resize((width * 3 // 2, height * 3 // 2), Image.Resampling.BICUBIC), "PNG"),
        "with specks in its corners": saved(specks, "PNG"),
    }


COPIES = copies(ART)


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_within_the_threshold(kind: str) -> None:
    assert min(distances(fingerprint(ART), of_file(COPIES[kind]))) <= THRESHOLD


def test_a_photo_saved_again_is_within_the_threshold() -> None:
    picture = photo(800, 600)
    saved_again = of_file(saved(picture, "JPEG", quality=60))
    assert min(distances(of_file(saved(picture, "PNG")), saved_again)) <= THRESHOLD


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128)])
def test_different_art_in_one_colour_on_transparency_is_far_apart(colour: tuple[int, int, int]) -> None:
    found = [fingerprint(lettering(words, colour)) for words in WORDS]
    assert min(min(distances(one, other)) for one, other in combinations(found, 2)) > 4 * THRESHOLD


def test_colours_under_transparent_pixels_do_not_count() -> None:
    other = ART.copy()
    other[other[..., 3] == 0] = (255, 0, 255, 0)
    assert distances(fingerprint(ART), fingerprint(other)) == (0, 0)


def test_art_as_light_as_the_canonical_grey_is_still_told_apart() -> None:
    grey = fingerprint(lettering(WORDS[0], (128, 128, 128)))
    assert grey.algorithm == GREY_ART_ALGORITHM
    printed = of_file(prepare(saved(lettering(WORDS[0], (128, 128, 128)), "PNG"), FIT, LIMITS).print_file)
    assert max(distances(grey, printed)) <= THRESHOLD


def test_faint_art_is_known_again() -> None:
    """A twelfth of full opacity: nowhere solid, so its outline is where it has half of its own most."""
    faint = lettering(WORDS[1], (10, 10, 200)).copy()
    faint[..., 3] //= 12
    printed = prepare(saved(faint, "PNG"), FIT, LIMITS).print_file
    assert min(distances(fingerprint(faint), of_file(printed))) <= THRESHOLD


@pytest.mark.parametrize(
    "picture",
    [
        np.full((300, 300, 3), 255, np.uint8),
        np.full((300, 300, 4), (200, 10, 10, 255), np.uint8),
        np.full((300, 300, 4), (200, 10, 10, 90), np.uint8),
        np.full((300, 300, 3), 100, np.uint8) + np.random.default_rng(1).integers(0, 3, (300, 300, 1), dtype=np.uint8),
    ],
    ids=["white", "red", "translucent", "noise"],
)
def test_a_blank_picture_is_refused_and_not_hashed(picture: Pixels) -> None:
    with pytest.raises(Rejected, match="blank"):
        prepare(saved(picture, "PNG"), STRETCH, LIMITS)
