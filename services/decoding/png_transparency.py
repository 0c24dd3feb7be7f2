"""The colour that stands for transparency in a PNG without alpha (tRNS): Pillow leaves it in the file's depth."""

from PIL import Image


def key_in_8_bits(image: Image.Image, bits: int) -> None:
    """Scale the key as Pillow scales the pixels, which had so many bits a level; 16-bit grey stays as it is."""
    key = image.info.get("transparency")
    if image.mode == "L" and isinstance(key, int) and bits < 8:
        image.info["transparency"] = key * 255 // ((1 << bits) - 1)
    elif image.mode == "RGB" and isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(level >> 8 for level in key)
