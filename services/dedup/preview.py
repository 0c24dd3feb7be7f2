"""What another distance would change: which of a tenant's pictures would be taken for the same that are not now.

The newest pictures are compared with all others that are known, hash by hash; then the second look decides, as it would
for an upload. Where it can't, as the pixels of one are gone or were never here, the distance alone does. What the short
hashes find is found at every distance, and what somebody keeps beside another at none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, select

from services.dedup.candidates.key_search import ways_between
from services.dedup.candidates.keys import keys_of
from services.dedup.deciding.second_look import Gallery
from services.dedup.pixels.likeness import COPIES, likeness
from services.dedup.tables import hashes, pairs
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.database import transaction

PICTURES, NEWEST = 50_000, 1_000
"""How many are looked at in all, and how many of them are compared with the others."""
MOST_LOOKS = 200
Words = NDArray[np.uint64]
"""(n, 4): hashes of 256 bits."""
Pair = tuple[Row[Any], Row[Any], int]
"""A picture, an older one, and by how many bits their nearer hash differs."""


@dataclass(frozen=True)
class Preview:
    """Compares what is known; changes nothing."""

    engine: Engine
    distance: int
    """The distance up to which pictures are taken for the same, unless an account has its own."""
    blobs: Blobs

    def __call__(self, tenant_id: UUID, now: int | None, then: int) -> dict[str, Any]:
        """The pairs that would be the same at the distance `then`, and are not at the one that counts `now`.

        Raises:
            Unavailable: the database or the blob store is away.
        """
        now = self.distance if now is None else now
        with transaction(self.engine) as connection:
            rows, kept = _known(connection, tenant_id), _kept(connection, tenant_id)
        between = _between(rows, min(now, then), max(now, then))
        more = sorted((pair for pair in between if not _is_kept(pair, kept)), key=lambda pair: pair[2])
        gallery = Gallery(self.blobs)
        shown = [
            {"distance": bits, "one": _shown(one), "other": _shown(other), "verdict": seen}
            for one, other, bits in more[:MOST_LOOKS]
            if (seen := _seen(gallery, one, other)) is not None
        ]
        return {
            "distance_now": now,
            "distance": then,
            "pictures": len(rows),
            "compared": min(len(rows), NEWEST),
            "more" if then >= now else "fewer": len(shown),
            "not_looked_at": max(len(more) - MOST_LOOKS, 0),
            "pairs": shown,
        }


def _known(connection: Connection, tenant_id: UUID) -> Sequence[Row[Any]]:
    """Newest first."""
    counts = (hashes.c.tenant_id == tenant_id, hashes.c.state != "released", hashes.c.is_active)
    newest = select(hashes).where(*counts, hashes.c.phash.is_not(None), hashes.c.dhash.is_not(None))
    return connection.execute(newest.order_by(hashes.c.id.desc()).limit(PICTURES)).all()


def _kept(connection: Connection, tenant_id: UUID) -> set[frozenset[str]]:
    said = select(pairs.c.one, pairs.c.other).where(pairs.c.tenant_id == tenant_id, pairs.c.decision == "keep")
    return {frozenset((row.one, row.other)) for row in connection.execute(said)}


def _is_kept(pair: Pair, kept: set[frozenset[str]]) -> bool:
    """Whether somebody keeps the one beside the other."""
    one, other, _ = pair
    return frozenset((one.upload_sha256 or one.print_sha256, other.upload_sha256 or other.print_sha256)) in kept


def _between(rows: Sequence[Row[Any]], beyond: int, within: int) -> Iterator[Pair]:
    """Pairs whose nearer hash is so far apart; each pair once."""
    both = [_words([getattr(row, name) for row in rows]) for name in ("phash", "dhash")]
    for place, row in enumerate(rows[:NEWEST]):
        others = [np.bitwise_count(words[place + 1 :] ^ words[place]).sum(axis=1) for words in both]
        apart = np.minimum(*others)
        for hit in np.flatnonzero((apart > beyond) & (apart <= within)).tolist():
            other = rows[place + 1 + hit]
            if row.algorithm == other.algorithm:
                yield row, other, int(apart[hit])


def _words(bits: Sequence[str]) -> Words:
    packed = b"".join(int(each, 2).to_bytes(32, "big") for each in bits)
    return np.frombuffer(packed, np.uint64).reshape(-1, 4)


def _seen(gallery: Gallery, one: Row[Any], other: Row[Any]) -> str | None:
    """Which kind of copy one would be; None: they are found as such already, or their pixels say that they are not."""
    pictures = [
        gallery.see(Blob(sha256=row.canonical_sha256, size=row.canonical_size)) if row.canonical_sha256 else None
        for row in (one, other)
    ]
    if pictures[0] is None or pictures[1] is None:
        return "same_hash"
    verdict = likeness(pictures[0], pictures[1])
    found_anyway = verdict in COPIES and "plain" in ways_between(keys_of(pictures[0]), keys_of(pictures[1]))
    return verdict if verdict in COPIES and not found_anyway else None


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("source", "item_id", "filename", "name", "path")}
