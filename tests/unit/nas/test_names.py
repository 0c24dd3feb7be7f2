"""Names that every file system we meet can hold."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.ingest.catalog.picture_names import extension, safe_file_name
from shared.nas.errors import BadPath
from shared.nas.names import checked, collision_key, safe_folder_name

DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
# text alone rarely hits what matters, so mix in the troublemakers
awkward = st.sampled_from(
    [
        "con",
        "AUX.",
        "nul .txt",
        "..",
        "/",
        "\\",
        ":",
        "?",
        "\0",
        "\n",
        " ",
        ".",
        "\u202e",
        "\u200d",
        "\ufe0f",
        "e\u0301",
    ]
)
texts = st.lists(st.one_of(st.text(max_size=30), awkward), max_size=12).map("".join)


def assert_safe(name: str, longest: int) -> None:
    assert name
    assert len(name) <= longest
    assert len(name.encode()) <= 255  # ext4; NTFS counts UTF-16 units
    assert len(name.encode("utf-16-le")) // 2 <= 255
    assert not set(name) & set('<>:"/\\|?*')  # NTFS, SMB
    assert name[0] not in ". "
    assert name[-1] not in ". "  # Windows drops them
    assert name.split(".", maxsplit=1)[0].rstrip().casefold() not in DEVICES
    assert name == unicodedata.normalize("NFC", name)
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert checked(name, new=True) == name


@given(texts)
@example("CON" + " " * 60 + "x")
@example("CON." + "x" * 100)
@example("\ufb2c" * 100)
@example("a\u200d\u0301")
@example("=\u0338")
def test_any_text_becomes_a_safe_folder_name_and_then_stays_the_same(text: str) -> None:
    name = safe_folder_name(text)
    assert_safe(name, 60)
    assert safe_folder_name(name) == name


@given(texts, st.one_of(st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"]), texts))
@example("aux.png", "PNG")
@example(".png", "PNG")
@example("x" * 200 + ".png.jpg", "PNG")
@example("CON" + " " * 100 + "x", "PNG")
def test_any_upload_gets_a_safe_file_name_and_keeps_it(name: str, image_format: str) -> None:
    safe = safe_file_name(name, image_format)
    assert_safe(safe, 111)
    assert safe.endswith(f".{extension(image_format)}")
    assert safe_file_name(safe, image_format) == safe


@pytest.mark.parametrize(
    "name", ["UVDTF 16oz", "Kid's Cup (L)", "Cup & Lid, 2x2", "a.b_c-d", "Caf\u00e9", "\u676f\u5b50", "NorthCups"]
)
def test_a_name_that_is_safe_already_is_not_touched(name: str) -> None:
    assert safe_folder_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("UV/DTF", "UV-DTF"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a\tb\u00a0c", "a b c"),
        ("gpj.\u202egnp", "gpj.gnp"),
        ("ab\u200bc\ufe0f", "abc"),
        ("com1", "_com1"),
        ("Lpt9.tar.gz", "_Lpt9.tar.gz"),
        ("...", "unnamed"),
        ("", "unnamed"),
        (" .hidden. ", "hidden"),
        ("\u2764\ufe0f cups", "- cups"),
        ("16oz \u2460", "16oz -"),
    ],
)
def test_what_is_not_safe_is_replaced_or_left_out(text: str, name: str) -> None:
    assert safe_folder_name(text) == name


@pytest.mark.parametrize(
    ("upload", "image_format", "name"),
    [
        ("rose.JPG", "PNG", "rose.png"),
        ("rose.png", "JPEG", "rose.jpg"),
        ("C:\\pics\\rose.final.webp", "WEBP", "rose.final.webp"),
        ("../../etc/passwd", "PNG", "passwd.png"),
        ("Rectangle Watermark.png", "PNG", "Rectangle Watermark.png"),
        ("v1.2", "PNG", "v1.2.png"),
        ("scan.tiff", "TIFF", "scan.tif"),
        ("photo", "MPO", "photo.jpg"),
        ("x", "", "x.bin"),
    ],
)
def test_the_ending_comes_from_the_decoded_format(upload: str, image_format: str, name: str) -> None:
    assert safe_file_name(upload, image_format) == name


def test_names_that_some_file_system_takes_for_one_have_one_key() -> None:
    assert collision_key("Case.PNG") == collision_key("case.png")
    assert collision_key("e\u0301.png") == collision_key("\u00c9.PNG")
    assert collision_key("a.png") != collision_key("b.png")


@pytest.mark.parametrize("path", ["a", "a/b.png", "Shop/.hidden.staged", "Old: name?/x", "a b/c..d", "..."])
def test_a_plain_relative_path_is_returned_as_it_is(path: str) -> None:
    assert checked(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b", "C:/a", "c:a", "a\0b", "a\nb", "\udcff.png"],
)
def test_a_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        checked(path)


def test_lengths_are_held_for_new_paths_only() -> None:
    long_path = "/".join(["x" * 60] * 5)
    wide_name = "\u676f" * 81
    for path in (long_path, wide_name):
        assert checked(path) == path
        with pytest.raises(BadPath):
            checked(path, new=True)


def test_the_refusal_of_an_endless_path_is_short() -> None:
    with pytest.raises(BadPath) as refusal:
        checked("x/" * 5000 + "x", new=True)
    assert len(str(refusal.value)) < 250
