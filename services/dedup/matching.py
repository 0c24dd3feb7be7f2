"""The rule: does a tenant have this picture already? Pure.

Hashes are 256 bits as 64 hex digits. Two hashes that differ in at most five bits agree wholly in one of six disjoint
bands, because five bits can touch only five of them: looking up the bands finds every such pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal
from uuid import UUID

from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, Match

BITS = 256
BAND_WIDTHS = (43, 43, 43, 43, 42, 42)
BAND_STARTS = tuple(accumulate(BAND_WIDTHS[:-1], initial=0))
BANDED_DISTANCE = len(BAND_WIDTHS) - 1
"""The greatest distance for which the bands find every match."""

Source = Literal["session", "nas", "database"]
Verdict = ImageAccepted | DuplicateFound


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


def bands(hash256: str) -> tuple[int, ...]:
    """The hash cut into six numbers, first bits first."""
    value = int(hash256, 16)
    return tuple(
        (value >> (BITS - start - width)) & ((1 << width) - 1)
        for start, width in zip(BAND_STARTS, BAND_WIDTHS, strict=True)
    )


def distance(one: str, other: str) -> int:
    """In how many bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def decide(event: ImageHashed, known: Sequence[Known], max_distance: int) -> Verdict:
    """Accept the picture, or say which known one it equals: the same bytes first, then the nearest, then the oldest.

    `known` are pictures of the event's tenant, oldest first. The item itself never counts.
    """
    others = [other for other in known if other.item_id != event.item_id]
    for other in others:
        if _same_bytes(event, other):
            return _duplicate(event, other, "identical", 0)
    near = [(bits, other) for other in others if (bits := _apart(event, other)) is not None and bits <= max_distance]
    if not near:
        return ImageAccepted.model_validate(event.model_dump())
    bits, nearest = min(near, key=lambda pair: pair[0])
    return _duplicate(event, nearest, "near", bits)


def _same_bytes(event: ImageHashed, other: Known) -> bool:
    return event.upload.sha256 == other.upload_sha256 or event.print_file.sha256 == other.print_sha256


def _apart(event: ImageHashed, other: Known) -> int | None:
    """The lesser of the two distances; None for hashes that were made another way and can't be compared."""
    if event.algorithm != other.algorithm:
        return None
    pairs = ((event.phash, other.phash), (event.dhash, other.dhash))
    return min((distance(mine, theirs) for mine, theirs in pairs if theirs is not None), default=None)


def _duplicate(event: ImageHashed, other: Known, kind: Literal["identical", "near"], bits: int) -> DuplicateFound:
    return DuplicateFound(
        tenant_id=event.tenant_id,
        session_id=event.session_id,
        item_id=event.item_id,
        index=event.index,
        generation=event.generation,
        filename=event.filename,
        kind=kind,
        distance=bits,
        match=Match(
            source=_source(event, other), item_id=other.item_id, filename=other.filename or other.name, path=other.path
        ),
        reason=_reason(event, other, kind, bits),
    )


def _source(event: ImageHashed, other: Known) -> Source:
    """What is in work counts to the session, whichever; what an earlier session stored is a row like any other."""
    if other.source == "session" and other.stored and other.session_id != event.session_id:
        return "database"
    return other.source


def _reason(event: ImageHashed, other: Known, kind: str, bits: int) -> str:
    if kind == "near":
        return f"the same picture as {_called(other)} {_where(event, other)}: {bits} of {BITS} bits differ"
    same = "file" if event.upload.sha256 == other.upload_sha256 else "print"
    return f"the same {same} as {_called(other)} {_where(event, other)}, byte for byte"


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
