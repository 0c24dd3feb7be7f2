"""Why a picture is a duplicate of another, or resembles it, in words. Pure."""

from math import prod

from services.dedup.rule.known_picture import BITS, Known
from shared.contracts import ImageHashed

WORDS = {
    "same_hash": "the same picture as",
    "re_encode": "the same picture, saved again, as",
    "near_copy": "the same picture, slightly changed (cropped, moved, lightened or the like), as",
    "text_variant": "like, but for its text or another detail,",
    "colour_variant": "in other colours",
    "inverted": "inverted",
    "mirrored": "mirrored",
}
UNSEEN = "; judged by their hashes alone, as the pixels of one are not kept here"
SKIPPED = "; it was looked at before, and skipped"
LARGER = 1.25
"""So many times as many pixels are worth a word: a copy that is cropped a little less has a few more, too."""


def reason_of(event: ImageHashed, other: Known, seen: str, bits: int) -> str:
    """Which one it is like, in which way, and where that is."""
    if seen == "identical_bytes":
        same = "file" if event.upload.sha256 == other.upload_sha256 else "print"
        return f"the same {same} as {_called(other)} {_where(event, other)}, byte for byte"
    told = f": {_bits(bits)}" if seen == "same_hash" else ""  # where pixels decided, it would only confuse
    return f"{WORDS[seen]} {_called(other)} {_where(event, other)}{told}"


def more_pixels(event: ImageHashed, other: Known) -> str:
    """What to do about a copy that would print better than what bars it; empty: it would not."""
    if not event.artwork or not other.artwork or prod(event.artwork) < LARGER * prod(other.artwork):
        return ""
    (wide, high), (less_wide, less_high) = event.artwork, other.artwork
    sizes = f"it has more pixels ({wide} x {high}) than the one kept ({less_wide} x {less_high})"
    return f"; {sizes}: keep it as well (review), or delete the design of that one and send this file again"


def _bits(bits: int) -> str:
    return f"{bits} of {BITS} bits differ" if bits <= BITS else "their hashes were made another way"


def _called(other: Known) -> str:
    stored_as = other.name or (other.path.rsplit("/", 1)[-1] if other.path else None)
    if other.filename and stored_as and other.filename != stored_as:
        return f"{other.filename} ({stored_as})"
    return other.filename or stored_as or "a picture without a name"


def _where(event: ImageHashed, other: Known) -> str:
    if other.source != "session":
        return {"nas": "on the NAS", "database": "in the database"}[other.source]
    if other.session_id == event.session_id:
        return "in this upload"
    return "from an earlier upload" if other.stored else "in another upload that is still in work"
