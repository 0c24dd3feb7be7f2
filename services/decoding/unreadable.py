"""What decoders raise for bytes that are broken, and for too many that lie beside a picture."""

import struct
import zlib

from PIL import PngImagePlugin

# Of Pillow (SyntaxError: PNG, IndexError: GIF, RuntimeError: AVIF; KeyError: an entry that a table lacks) and of
# imagecodecs (RuntimeError), most of them found by feeding them a million mutated files
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, RuntimeError, struct.error, zlib.error)
"""Catch them only around calls of Pillow and codecs: the same exceptions anywhere else are our own bugs."""

# Pillow's own limit is 1 MB. An edit history (XMP) takes several, as do printers' colour profiles; 64 MB in all stay.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20
BESIDE = "MAX_TEXT_"
"""What its refusals name: that limit, or the one on all together."""
