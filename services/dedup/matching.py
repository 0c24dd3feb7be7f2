"""The rule: does a tenant have this picture already? Pure.

Hashes are 256 bits as 64 hex digits. Two hashes that differ in at most five bits agree wholly in one of six disjoint
bands, because five bits can touch only five of them: looking up the bands finds every such pair.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from services.dedup.likeness import COPIES, VARIANTS, Seen
from shared.contracts import Blob, DuplicateFound, ImageAccepted, ImageHashed, Match

BITS = 256
BAND_WIDTHS = (43, 43, 43, 43, 42, 42)
BAND_STARTS = tuple(accumulate(BAND_WIDTHS[:-1], initial=0))
BANDED_DISTANCE = len(BAND_WIDTHS) - 1
"""The greatest distance for which the bands find every match."""

FAR = BITS + 1
"""Beyond every distance that can be asked for."""
MOST_LOOKS = 48
"""Pictures of one family that are looked at; the nearest come first."""

Source = Literal["session", "nas", "database"]
Verdict = ImageAccepted | DuplicateFound

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
LENIENT = ("skip_exact", "keep_all")
LARGER = 1.25
"""So many times as many pixels are worth a word: a copy that is cropped a little less has a few more, too."""


@dataclass(frozen=True)
class Known:
    """A picture that the tenant has: claimed by an upload in work, stored, or learnt from the NAS or a database."""

    source: Source
    algorithm: str
    phash: str | None
    dhash: str | None
    item_id: UUID | None = None
    session_id: UUID | None = None
    stored: bool = True
    upload_sha256: str | None = None
    print_sha256: str | None = None
    filename: str | None = None
    name: str | None = None
    path: str | None = None
    artwork: tuple[int, int] | None = None
    """Width and height of what is visible of the upload, where that is known."""
    row: int = 0
    canonical: Blob | None = None

    @property
    def content(self) -> str | None:
        """What it is, whichever upload brought it; of what an old database only lists, where it is."""
        listed = hashlib.sha256(self.path.encode()).hexdigest() if self.path else None
        return self.upload_sha256 or self.print_sha256 or listed


Look = Callable[[Known], Seen | None]
Said = Mapping[str, str]
"""What people said of this picture beside others, by those others' content: keep or skip."""
NOTHING_SAID: Said = MappingProxyType({})


def distance(one: str, other: str) -> int:
    """In how many bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def is_candidate(event: ImageHashed, other: Known, max_distance: int) -> bool:
    """Whether its bytes or its hashes make it one that `decide` should know of."""
    return _same_bytes(event, other) or _apart(event, other) <= max_distance


def decide(
    event: ImageHashed,
    known: Sequence[Known],
    max_distance: int,
    look: Look | None = None,
    said: Said = NOTHING_SAID,
) -> Verdict:
    """Accept the picture, or say which known one it equals: the same bytes first, then the nearest, then the oldest.

    `known` are pictures of the event's tenant, oldest first. The item itself never counts. `look` compares pixels: it
    decides, whatever the distance of the hashes. Where it can't, and without it, they do. A copy that is to be kept is
    accepted, and resembles what it is a copy of.
    """
    others = [other for other in known if other.item_id != event.item_id]
    same = next((other for other in others if _same_bytes(event, other) and not _kept_beside(other, said)), None)
    if same:
        return _same(event, same)
    copy: Match | None = None
    variant: Match | None = None
    looks = 0
    for bits, other in sorted(((_apart(event, other), other) for other in others), key=lambda pair: pair[0]):
        seen = look(other) if look and looks < MOST_LOOKS else None
        looks += seen is not None
        if seen in COPIES or (seen is None and bits <= max_distance):
            if not _passes(event) and not _kept_beside(other, said):
                return _near(event, other, seen, bits, said, unseen=look is not None and seen is None)
            copy = copy or _resembled(event, other, seen or "same_hash", bits)
            if _passes(event):
                break
        elif seen in VARIANTS and variant is None:
            variant = _resembled(event, other, seen, bits)
    return _accepted(event, copy or variant)


def _passes(event: ImageHashed) -> bool:
    """Whether no near copy bars it."""
    return event.kept or event.duplicates in LENIENT


def _kept_beside(other: Known, said: Said) -> bool:
    return other.content is not None and said.get(other.content) == "keep"


def _accepted(event: ImageHashed, like: Match | None) -> ImageAccepted:
    return ImageAccepted.model_validate(event.model_dump() | {"resembles": like})


def _same(event: ImageHashed, other: Known) -> Verdict:
    if event.duplicates == "keep_all":
        return _accepted(event, _match(event, other, "identical_bytes", _reason(event, other, "identical_bytes", 0)))
    return _duplicate(event, other, "identical_bytes", 0)


def _near(
    event: ImageHashed, other: Known, seen: Seen | None, bits: int, said: Said, *, unseen: bool
) -> DuplicateFound:
    """Somebody is asked, if they want to be and were not before."""
    found = _duplicate(event, other, seen or "same_hash", bits, unseen=unseen)
    found = found.model_copy(update={"reason": found.reason + _larger(event, other)})
    if event.duplicates != "review":
        return found
    skipped = other.content is not None and said.get(other.content) == "skip"
    return found.model_copy(update={"reason": found.reason + SKIPPED} if skipped else {"review": True})


def _resembled(event: ImageHashed, other: Known, seen: str, bits: int) -> Match:
    return _match(event, other, seen, _reason(event, other, seen, bits))


def _same_bytes(event: ImageHashed, other: Known) -> bool:
    return event.upload.sha256 == other.upload_sha256 or event.print_file.sha256 == other.print_sha256


def _apart(event: ImageHashed, other: Known) -> int:
    """The lesser of the two distances; FAR for hashes that were made another way and can't be compared."""
    if event.algorithm != other.algorithm:
        return FAR
    pairs = ((event.phash, other.phash), (event.dhash, other.dhash))
    return min((distance(mine, theirs) for mine, theirs in pairs if theirs is not None), default=FAR)


def _duplicate(event: ImageHashed, other: Known, seen: str, bits: int, *, unseen: bool = False) -> DuplicateFound:
    return DuplicateFound(
        tenant_id=event.tenant_id,
        session_id=event.session_id,
        item_id=event.item_id,
        index=event.index,
        generation=event.generation,
        filename=event.filename,
        kind="identical" if seen == "identical_bytes" else "near",
        distance=min(bits, BITS),
        match=_match(event, other, seen),
        reason=_reason(event, other, seen, bits) + (UNSEEN if unseen else ""),
        canonical=event.canonical,
    )


def _match(event: ImageHashed, other: Known, seen: str, reason: str | None = None) -> Match:
    facts: dict[str, object] = {"item_id": other.item_id, "filename": other.filename or other.name, "path": other.path}
    facts |= {"content": other.content, "canonical": other.canonical}
    return Match.model_validate(facts | {"source": _source(event, other), "verdict": seen, "reason": reason})


def _source(event: ImageHashed, other: Known) -> Source:
    """What is in work counts to the session, whichever; what an earlier session stored is a row like any other."""
    if other.source == "session" and other.stored and other.session_id != event.session_id:
        return "database"
    return other.source


def _reason(event: ImageHashed, other: Known, seen: str, bits: int) -> str:
    if seen == "identical_bytes":
        same = "file" if event.upload.sha256 == other.upload_sha256 else "print"
        return f"the same {same} as {_called(other)} {_where(event, other)}, byte for byte"
    told = f": {_bits(bits)}" if seen == "same_hash" else ""  # where pixels decided, it would only confuse
    return f"{WORDS[seen]} {_called(other)} {_where(event, other)}{told}"


def _larger(event: ImageHashed, other: Known) -> str:
    """What to do about a copy that would print better than what bars it."""
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
