"""The rule: does a tenant have this picture already? Pure. Hashes are 256 bits as 64 hex digits."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from services.dedup.pixels.likeness import COPIES, VARIANTS, Seen
from services.dedup.rule.known_picture import BITS, Known, Source
from services.dedup.rule.reasons import SKIPPED, UNSEEN, more_pixels, reason_of
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, Match

FAR = BITS + 1
"""Beyond every distance that can be asked for."""

Verdict = ImageAccepted | DuplicateFound

LENIENT = ("skip_exact", "keep_all")

Look = Callable[[Known], Seen | None]
"""What the event's picture is beside a known one, by their pixels; None: those of one are not there."""
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
    for bits, other in sorted(((_apart(event, other), other) for other in others), key=lambda pair: pair[0]):
        seen = look(other) if look else None
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
        return _accepted(event, _match(event, other, "identical_bytes", reason_of(event, other, "identical_bytes", 0)))
    return _duplicate(event, other, "identical_bytes", 0)


def _near(
    event: ImageHashed, other: Known, seen: Seen | None, bits: int, said: Said, *, unseen: bool
) -> DuplicateFound:
    """Somebody is asked about it, if they want to be, unless they skipped this pair before."""
    found = _duplicate(event, other, seen or "same_hash", bits, unseen=unseen)
    found = found.model_copy(update={"reason": found.reason + more_pixels(event, other)})
    if event.duplicates != "review":
        return found
    skipped = other.content is not None and said.get(other.content) == "skip"
    return found.model_copy(update={"reason": found.reason + SKIPPED} if skipped else {"review": True})


def _resembled(event: ImageHashed, other: Known, seen: str, bits: int) -> Match:
    return _match(event, other, seen, reason_of(event, other, seen, bits))


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
        reason=reason_of(event, other, seen, bits) + (UNSEEN if unseen else ""),
        canonical=event.canonical,
    )


def _match(event: ImageHashed, other: Known, seen: str, reason: str | None = None) -> Match:
    facts: dict[str, object] = {"item_id": other.item_id, "filename": other.filename or other.name, "path": other.path}
    facts |= {"content": other.content, "canonical": other.canonical}
    return Match.model_validate(facts | {"source": _source(event, other), "verdict": seen, "reason": reason})


def _source(event: ImageHashed, other: Known) -> Source:
    """Of the session: what is in work, or of this upload. What an earlier upload stored is a row like any other."""
    if other.source == "session" and other.stored and other.session_id != event.session_id:
        return "database"
    return other.source
