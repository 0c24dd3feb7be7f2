"""The second look: are these pixels a copy of those, or a variant?"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from services.dedup.candidates.key_search import Found
from services.dedup.candidates.keys import Keys, keys_of
from services.dedup.candidates.thumbnails import Thumbnails, most_alike, thumbnails_of
from services.dedup.pixels.likeness import COPIES, Seen, likeness
from services.dedup.pixels.picture import Picture, picture_of
from services.dedup.rule.known_picture import Known
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.errors import Busy, Permanent, Unavailable

IN_HAND = 64  # pictures, of a megabyte each
THUMBNAILS_IN_HAND = 4000  # pictures, of 2 to 5 kB each
MOST_LOOKS, FEW_LOOKS = 48, 8
"""How many candidates are looked at, which takes some 4 ms for each; and how many beside a picture that is drawn anew
(`thumbnails.most_alike`), as they can hardly be its originals."""


T = TypeVar("T")


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
    """In which of the others' rows the keys found its twins: only these are compared inverted or mirrored, too."""
    see: Callable[[Blob], Picture | None]
    thumbnails: Callable[[Blob], Thumbnails | None] = lambda _: None

    def worth_it(self, known: Sequence[Known]) -> Sequence[Known]:
        """Those of a large family that are most like the picture at a glance, and those without pixels; in their order.

        The others count as other designs: their hashes alone would turn the fiftieth name on a template away.
        """
        if self.picture is None or len(known) <= FEW_LOOKS:
            return known
        thumbnails = {
            place: found for place, other in enumerate(known) if (found := self._thumbnails(other)) is not None
        }
        if len(thumbnails) <= FEW_LOOKS:
            return known
        places = list(thumbnails)
        alike = most_alike(thumbnails_of(self.picture, zoomed=True), list(thumbnails.values()), FEW_LOOKS, MOST_LOOKS)
        left_out = thumbnails.keys() - {places[number] for number in alike}
        return [other for place, other in enumerate(known) if place not in left_out]

    def __call__(self, other: Known) -> Seen | None:
        if self.picture is None or other.canonical is None:
            return None
        theirs = _or_busy(self.see, other.canonical)
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

    def _thumbnails(self, other: Known) -> Thumbnails | None:
        return None if other.canonical is None else _or_busy(self.thumbnails, other.canonical)


def _or_busy(read: Callable[[Blob], T], canonical: Blob) -> T:
    """Raises Busy where it can't be read: others, who do not ask about it, go on."""
    try:
        return read(canonical)
    except Unavailable as error:
        raise Busy(f"a known picture can't be looked at: {error}") from error


class Gallery:
    """Canonical pictures from the blob store; the last ones stay in hand."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.kept: OrderedDict[str, Picture] = OrderedDict()
        self.kept_thumbnails: OrderedDict[str, Thumbnails] = OrderedDict()
        self.lock = Lock()

    def see(self, canonical: Blob) -> Picture | None:
        """None when it is gone or was made by an earlier release.

        Raises:
            Unavailable: the blob store can't be read.
        """
        return self._in_hand(self.kept, IN_HAND, canonical, self._read)

    def thumbnails(self, canonical: Blob) -> Thumbnails | None:
        """The picture so small that it can be compared with hundreds; None and errors as from `see`."""
        return self._in_hand(self.kept_thumbnails, THUMBNAILS_IN_HAND, canonical, self._thumbnails)

    def _in_hand(
        self, kept: "OrderedDict[str, T]", most: int, canonical: Blob, make: Callable[[Blob], T | None]
    ) -> T | None:
        with self.lock:
            if canonical.sha256 in kept:
                kept.move_to_end(canonical.sha256)
                return kept[canonical.sha256]
        if (made := make(canonical)) is not None:
            with self.lock:
                kept[canonical.sha256] = made
                while len(kept) > most:
                    kept.popitem(last=False)
        return made

    def _read(self, canonical: Blob) -> Picture | None:
        try:
            return picture_of(self.blobs.get(canonical))
        except Permanent:  # gone or damaged: the hashes decide, and the verdict says so
            return None

    def _thumbnails(self, canonical: Blob) -> Thumbnails | None:
        picture = self.see(canonical)
        return thumbnails_of(picture) if picture else None

    def sight(self, canonical: Blob) -> Sight | None:
        picture = self.see(canonical)
        return Sight(picture, keys_of(picture)) if picture else None
