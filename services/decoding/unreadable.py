"""What decoders raise for bytes that are broken."""

import struct
import zlib

# Of Pillow (SyntaxError: PNG, IndexError: GIF, RuntimeError: AVIF; KeyError: an entry that a table lacks) and of
# imagecodecs (RuntimeError), most of them found by feeding them a million mutated files
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, RuntimeError, struct.error, zlib.error)
"""Catch them only around calls of Pillow and codecs: the same exceptions anywhere else are our own bugs."""
