"""What a user's uploaded photograph or watermark is called on the NAS. Pure."""

import re

from shared.nas.names import safe_name

STEM_CHARS, STEM_BYTES = 100, 200
EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}
IMAGE_ENDING = re.compile("avif|bmp|gif|hei[cf]|ico|jp2|jpe|jpe?g|png|psd|svg|tga|tiff?|webp", re.IGNORECASE)


def safe_file_name(name: str, image_format: str) -> str:
    """A name for an uploaded file whose decoder said `image_format` ('PNG', 'JPEG'): its ending is not the upload's."""
    ending = extension(image_format)
    stem = re.split(r"[/\\]", name)[-1]
    head, _, tail = stem.rpartition(".")
    if tail.lower() == ending or IMAGE_ENDING.fullmatch(tail):
        stem = head
    return f"{safe_name(stem, STEM_CHARS, STEM_BYTES)}.{ending}"


def extension(image_format: str) -> str:
    """The usual ending, lower-case and without the dot, of a format as Pillow names it."""
    name = image_format.upper()
    return EXTENSIONS.get(name) or re.sub("[^a-z0-9]", "", name.lower())[:10] or "bin"
