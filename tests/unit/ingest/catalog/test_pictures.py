"""Uploaded pictures are looked through before they are kept."""

import io
import random
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from services.decoding.unreadable import UNREADABLE
from services.ingest.catalog import pictures as catalog
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.looking import Looker, NoPicture
from services.ingest.catalog.pictures import Pictures
from shared.blobs import Blobs
from tests.images import chunk, saved


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """With one child process for all tests."""
    return Pictures(Blobs(tmp_path_factory.mktemp("blobs")), max_bytes=1 << 20, max_pixels=10_000)


def encoded(kind: str, size: tuple[int, int] = (60, 50), mode: str = "RGB") -> bytes:
    return saved(Image.effect_noise(size, 50).convert(mode), kind)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_kept_as_it_came(pictures: Pictures, kind: str) -> None:
    data = io.BytesIO(encoded(kind))
    checked = pictures.check("photo", data)
    assert checked == (kind, 60, 50)
    kept = pictures.keep("photo", data, checked)
    assert pictures.blobs.get(kept.blob) == data.getvalue()
    assert (kept.format, kept.width, kept.height) == (kind, 60, 50)


def test_a_photograph_may_bring_a_long_edit_history(pictures: Pictures) -> None:
    history = chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(bytes(6 << 20)))
    picture = encoded("PNG")
    assert pictures.check("photo", io.BytesIO(picture[:33] + history + picture[33:])) == ("PNG", 60, 50)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PDF", "EPS", "PPM", "ICO"])
def test_other_formats_are_never_decoded(pictures: Pictures, kind: str) -> None:
    with pytest.raises(Unusable, match="photo: not a PNG, JPEG or WebP picture"):
        pictures.check("photo", io.BytesIO(encoded(kind)))


def test_limits_are_told_in_words(pictures: Pictures) -> None:
    with pytest.raises(Unusable, match=r"101 x 100 px is too large \(at most 0.01 megapixels\)"):
        pictures.check("photo", io.BytesIO(encoded("PNG", (101, 100))))
    with pytest.raises(Unusable, match=r"it is too large \(at most 1 MB\)"):
        pictures.check("photo", io.BytesIO(b"x" * ((1 << 20) + 1)))
    with pytest.raises(Unusable, match="it is empty"):
        pictures.check("photo", io.BytesIO())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damage_is_either_harmless_or_refused_in_words(pictures: Pictures, kind: str) -> None:
    original, dice = encoded(kind, mode="RGBA" if kind != "JPEG" else "RGB"), random.Random(1)
    refused = []
    for _ in range(150):
        data = bytearray(original[: dice.randrange(1, len(original))] if dice.random() < 0.3 else original)
        for _ in range(dice.choice((1, 5, 20))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            pictures.check("photo", io.BytesIO(data))
        except Unusable as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert all(words.startswith("photo: ") for words in refused)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_off_picture_is_refused(pictures: Pictures, kind: str, share: float) -> None:
    data = encoded(kind)
    with pytest.raises(Unusable, match="photo: "):
        pictures.check("photo", io.BytesIO(data[: int(len(data) * share)]))


@pytest.mark.parametrize("error", UNREADABLE)
def test_whatever_a_decoder_raises_the_picture_is_refused(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(_: Image.Image) -> None:
        raise error("broken")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", broken)
    with pytest.raises(NoPicture, match="the picture is damaged"):
        Looker(10_000, max_seconds=60)(encoded("PNG"))


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        ("kills", r"photo: this picture makes the image decoder crash \(signal SIGSEGV\); export it again"),
        ("hangs", "photo: decoding it was given up after 0.1 s; export it again"),
        ("fails", r"photo: it could not be looked at \(TypeError: a bug\); tell your operator"),
    ],
)
def test_a_picture_costs_its_decoder_and_not_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str, words: str
) -> None:
    monkeypatch.setattr(catalog, "LOOKER", "tests.unit.ingest.catalog.deadly_looker:looker")
    monkeypatch.setattr(catalog, "MOST_SECONDS", 0.1)
    pictures = Pictures(Blobs(tmp_path), max_bytes=1 << 20, max_pixels=10_000)
    with pytest.raises(Unusable, match=words):
        pictures.check("photo", io.BytesIO(doing.encode()))
    assert pictures.check("photo", io.BytesIO(b"lives")) == ("PNG", 1, 1), "the next one"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the kernel's")
def test_a_picture_for_which_its_memory_does_not_suffice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "BESIDES_BYTES", 20_000_000)
    monkeypatch.setattr(catalog, "BYTES_PER_PIXEL", 0)
    pictures = Pictures(Blobs(tmp_path), max_bytes=1 << 20, max_pixels=60_000_000)
    plain = io.BytesIO()
    Image.new("RGBA", (4000, 4000)).save(plain, "PNG")
    with pytest.raises(Unusable, match="photo: the picture needs more memory than one may take; send a smaller one"):
        pictures.check("photo", plain)
