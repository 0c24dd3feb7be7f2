"""The second look: are these pixels a copy of those, or a variant?"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from services.dedup.candidates.key_search import Found
from services.dedup.candidates.keys import Keys, keys_of
from services.dedup.pixels.likeness import COPIES, Seen, likeness
from services.dedup.pixels.picture import Picture, picture_of
from services.dedup.rule.known_picture import Known
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.errors import Busy, Permanent, Unavailable

IN_HAND = 64  # of a megabyte each


@dataclass(frozen=True)
class Sight:
    """A picture that is to be decided about, and how to find what is like it."""

    picture: Picture
    keys: Keys


@dataclass(frozen=True)
class Look:
    """Compares the picture with others; None where the pixels of one are not there."""

    picture: Picture | None
    found: Found
    see: Callable[[Blob], Picture | None]

    def __call__(self, other: Known) -> Seen | None:
        if self.picture is None or other.canonical is None:
            return None
        theirs = self._seen(other.canonical)
        if theirs is None:
            return None
        seen = likeness(self.picture, theirs)
        if seen in COPIES:
            return seen
        ways = self.found.get(other.row, frozenset())
        if "mirrored" in ways and likeness(self.picture.mirrored(), theirs) in COPIES:
            return "mirrored"
        if "inverted" in ways and likeness(self.picture.inverted(), theirs) in COPIES:
            return "inverted"
        return seen

    def _seen(self, canonical: Blob) -> Picture | None:
        """Raises Busy where it can't be read: others, who do not ask about it, go on."""
        try:
            return self.see(canonical)
        except Unavailable as error:
            raise Busy(f"a known picture can't be looked at: {error}") from error


class Gallery:
    """Canonical pictures from the blob store; the last ones stay in hand."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.kept: OrderedDict[str, Picture | None] = OrderedDict()
        self.lock = Lock()

    def see(self, canonical: Blob) -> Picture | None:
        """None when it is gone or was made by an earlier release.

        Raises:
            Unavailable: the blob store can't be read.
        """
        with self.lock:
            if canonical.sha256 in self.kept:
                self.kept.move_to_end(canonical.sha256)
                return self.kept[canonical.sha256]
        try:
            picture = picture_of(self.blobs.get(canonical))
        except Permanent:  # gone or damaged: the hashes decide, and the verdict says so
            return None
        with self.lock:
            self.kept[canonical.sha256] = picture
            while len(self.kept) > IN_HAND:
                self.kept.popitem(last=False)
        return picture

    def sight(self, canonical: Blob) -> Sight | None:
        picture = self.see(canonical)
        return Sight(picture, keys_of(picture)) if picture else None
