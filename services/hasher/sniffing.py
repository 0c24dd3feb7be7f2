"""What a file is, told from its bytes and never from its name."""

import re
from pathlib import PurePath
from typing import Literal

from isal import isal_zlib

MAGIC = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "WEBP": rb"RIFF....WEBP",
    "TIFF": rb"II\*\0(?!....CR)|MM\0\*|II\+\0|MM\0\+",
    "GIF": rb"GIF8[79]a",
    "BMP": rb"BM",
    "AVIF": rb"....ftypavi[fs]",
}

FOREIGN = (
    (rb"%PDF|\s*%PDF", "a PDF document"),
    (rb"8BPS", "a Photoshop file (PSD)"),
    (rb"gimp xcf ", "a GIMP file (XCF)"),
    (rb"\0\0\x01\0", "an icon file (ICO)"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript or Illustrator file"),
    (rb"....ftyp(hei[cxms]|hev[cx]|mif1|msf1)", "a HEIC photo"),
    (rb"....ftyp", "a video"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (rb"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (rb"II\*\0....CR|II(RO|RS|U\0)|MMOR|FUJIFILMCCD-RAW", "a camera's raw photograph"),
    (rb"PK\x03\x04", "a zip archive or an office document"),
    (rb"(\xef\xbb\xbf)?\s*<(\?xml|!--|svg|!doctype svg).{0,2000}?<svg|(\xef\xbb\xbf)?\s*<svg", "an SVG drawing"),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)", "a web page (HTML)"),
)

EXTENSIONS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "AVIF": (".avif",),
}
FOREIGN_EXTENSIONS = (".psd", ".xcf", ".svg", ".pdf", ".ai", ".eps", ".heic", ".jxl", ".jp2", ".ico", ".tga")

# A JPEG marker that is neither a stuffed zero, a fill byte nor a restart mark (ITU-T T.81, B.1.1.2)
JPEG_MARKER = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")


def format_of(data: bytes) -> str | None:
    """Which of our formats these bytes begin like."""
    return next((name for name, magic in MAGIC.items() if re.match(magic, data[:16], re.DOTALL)), None)


def foreign(data: bytes) -> str | None:
    """What they are instead, in words, when it is something people send by mistake."""
    head = data[:4096]
    return next((words for magic, words in FOREIGN if re.match(magic, head, re.DOTALL | re.IGNORECASE)), None)


def ends_early(data: bytes, format_: str) -> bool:
    """Whether the file breaks off before the end that its format prescribes (False where that can't be told)."""
    match format_:
        case "PNG":
            return png_fault(data) == "truncated"
        case "JPEG":
            return not _reaches_end_of_image(data)
        case "WEBP":
            return int.from_bytes(data[4:8], "little") + 8 > len(data)
        case "BMP":
            return int.from_bytes(data[2:6], "little") > len(data)
        case "GIF":
            return not data.rstrip(b"\0").endswith(b";")
    return False


def png_fault(data: bytes) -> Literal["truncated", "damaged"] | None:
    """Follow the chunks to IEND, checking each critical one's CRC: libpng checks all but the last IDAT."""
    position = 8
    while position + 12 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            return "truncated"
        critical = not kind[0] & 0x20  # PNG specification, 5.4: an upper case first letter
        checked = memoryview(data)[position + 4 : end - 4]
        if critical and isal_zlib.crc32(checked) != int.from_bytes(data[end - 4 : end], "big"):
            return "damaged"
        if kind == b"IEND":
            return None
        position = end
    return "truncated"


def _reaches_end_of_image(data: bytes) -> bool:
    """Whether an EOI marker follows the scans: libjpeg paints what is missing grey and says nothing.

    Segments are stepped over, since an EXIF thumbnail carries an EOI of its own.
    """
    position = 2
    while marker := JPEG_MARKER.search(data, position):
        if marker[0] == b"\xff\xd9":
            return True
        start = marker.end()
        bare = marker[0] in (b"\xff\x01", b"\xff\xd8")
        position = start if bare else start + max(2, int.from_bytes(data[start : start + 2], "big"))
    return False


def misnamed(filename: str, format_: str) -> str | None:
    """A warning for a name that promises another format."""
    suffix = PurePath(filename).suffix.lower()
    known = {extension for group in EXTENSIONS.values() for extension in group} | set(FOREIGN_EXTENSIONS)
    if suffix not in known or suffix in EXTENSIONS.get(format_, ()):
        return None
    return f"its name ends in {suffix}, but it is a {format_} picture; it was read as {format_}"
