"""What a scan has to do: what lies in a shop's folder, compared with what earlier scans have met there. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from shared.nas.protocol import Stat

PICTURES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif")
"""What sellers keep beside them (working files, archives, price lists) is nobody's print."""
MOCKUPS = "mockups"
"""The folder of product pictures in a shop's: they show designs and are none."""
LONGEST_PATH = 1000  # bytes; an index can't hold one much longer
ABSENT = ("gone", "missing")
"""States of what lies there no more; missing is a design that we had stored, and that may come back."""
LOOK_AGAIN = 0
"""In place of the time of a file that could not be read as it was listed: no file has it, so it counts as changed."""


class Met(NamedTuple):
    """A file as it was when it was met last."""

    size: int
    modified_ns: int
    state: str
    is_late: bool = False
    """Whether it was sent to the hashers so long ago that no answer is to be expected any more."""


@dataclass(frozen=True)
class Listing:
    """What lies in a shop's folder; `unread` are the folders of it that could not be listed, and why."""

    pictures: Mapping[str, Stat]
    unread: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """What is to be hashed, and what is gone; designs of ours that are gone are no part of that."""

    to_hash: tuple[Stat, ...]
    gone: tuple[str, ...]
    pictures: int
    ours: int


def is_picture(path: str) -> bool:
    """Whether a file is to be known to dedup, by its name."""
    return path.lower().endswith(PICTURES) and len(path.encode()) <= LONGEST_PATH


def is_wanted(shop: str, folder: str) -> bool:
    """Whether a folder in a shop's may hold designs."""
    return folder.casefold() != f"{shop}/{MOCKUPS}".casefold()


def compare(listing: Listing, met: Mapping[str, Met], stored: Mapping[str, int], *, anew: bool = False) -> Difference:
    """`stored` has the size of each file that we stored there: dedup knows these, and knows more of them.

    One that was missing and is back, or that was overwritten and is restored, is hashed like anybody's: so dedup hears
    of it.

    What the hashers have in hand is left alone until they have answered, so that answers can't overtake each other.
    """
    doubtful = {path for path, last in met.items() if last.state != "gone"}
    found = listing.pictures.items()
    foreign = {path: file for path, file in found if stored.get(path) != file.size or path in doubtful}
    to_hash = tuple(file for path, file in foreign.items() if _is_due(file, met.get(path), anew=anew))
    gone = tuple(_gone(met, foreign, listing.unread))
    return Difference(to_hash, gone, len(foreign), len(listing.pictures) - len(foreign))


def _is_due(file: Stat, met: Met | None, *, anew: bool) -> bool:
    if met is None or met.state in ABSENT:
        return True
    if met.state == "sent":
        return met.is_late
    changed = (met.size, met.modified_ns) != (file.size, file.modified_ns)
    return changed or (anew and met.state != "waiting")


def _gone(met: Mapping[str, Met], found: Collection[str], unread: Iterable[str]) -> Iterator[str]:
    hidden = tuple(f"{folder}/" for folder in unread)
    for path, last in met.items():
        in_hand = last.state == "sent" and not last.is_late
        if path not in found and last.state not in ABSENT and not in_hand and not path.startswith(hidden):
            yield path


def unlisted(listing: Listing, met: Mapping[str, Met], stored: Collection[str]) -> list[str]:
    """Designs of ours that the listing lacks, and that were not missing before. Whether they are is to be looked up.

    A NAS may spell a name in another way than we do, or have got it after the listing was made.
    """
    hidden = tuple(f"{folder}/" for folder in listing.unread)
    lacking = (path for path in stored if path not in listing.pictures and not path.startswith(hidden))
    return [path for path in lacking if path not in met or met[path].state != "missing"]
