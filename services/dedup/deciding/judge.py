"""Verdicts on several of a tenant's pictures in one go, each as if it came alone. Used inside a transaction.

Of two copies in one upload the earlier one is the original. Where the later one was hashed sooner it has its claim
already, and makes way: then these two, and what else was a duplicate of the later one, are decided about by themselves.
So it is for all later copies, unless the earlier one is a duplicate without them, too: then they stay.

An example: files 1, 2 and 3 of an upload are copies of one picture, and are hashed in the order 3, 2, 1.
  3 comes: nothing is like it; it is accepted, and has the claim.
  2 comes: it would be a duplicate of 3, which is later. So 3's claim ends, 2 is accepted, and 3 (as its next
    generation) is a duplicate of 2. Both verdicts are kept with "because of 3's release", and 2's message tells both.
  1 comes: the same again with 2 in the place of 3; then 3 is decided about once more, and is a duplicate of 1.
If 1 were also like a design of an earlier upload, it would be a duplicate of that with or without 2, and 2 would stay.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import Connection

from services.dedup.candidates.key_search import Finder
from services.dedup.deciding.cases import Asked, Case, cases, in_parts
from services.dedup.deciding.second_look import Gallery, Sight
from services.dedup.records.claims import claim, give_up
from services.dedup.records.verdicts import Release, dependants, fill_instead_of, later_copy, remember
from services.dedup.rule.matching import Verdict
from shared.contracts import Blob, DuplicateFound, ImageAccepted, ImageHashed

Verdicts = dict[UUID, Verdict]
"""By the item's id."""


@dataclass(frozen=True)
class _Go:
    """What one go decided. If it has not decided about all pictures, the next go begins with the first one left."""

    verdicts: Verdicts
    later: Sequence[ImageHashed] = ()
    """The later copies that have to make way for the first picture that is left; each as its next generation."""


class Judge:
    """Compares pictures by their hashes, by their keys, and by their pixels if there is a gallery."""

    def __init__(self, max_distance: int, gallery: Gallery | None) -> None:
        self.max_distance = max_distance
        self.gallery = gallery
        self.finder = Finder()

    def decide(self, connection: Connection, part: Sequence[Asked]) -> Verdicts:
        """Decide about a part (see `in_parts`), keep the verdicts, and claim what is accepted.

        If later copies make way for one of the pictures, it ends with that picture. Its `made_way` is set, and its
        verdict is kept but not returned: the release may have led to verdicts on pictures behind it, and the caller
        must read all of these back (`verdicts.answers_to`).
        """
        verdicts = Verdicts()
        while rest := part[len(verdicts) :]:
            go = self._go(connection, rest)
            verdicts |= go.verdicts
            if go.later:
                self._make_way(connection, go.later, rest[len(go.verdicts)])
                break
        return verdicts

    def release(self, connection: Connection, tenant_id: UUID, release: Release) -> None:
        """Give up a claim, and decide anew, in order of upload, what was a duplicate of it.

        The first of them usually becomes the original and the rest its duplicates. Nothing if there is no such claim.
        """
        if give_up(connection, tenant_id, release):
            self._decide_all(connection, self._waiting(connection, tenant_id, [release.item_id]), release)

    def sight(self, canonical: Blob | None) -> Sight | None:
        """The picture to compare by, if pixels are."""
        return self.gallery.sight(canonical) if self.gallery and canonical else None

    def _make_way(self, connection: Connection, later: Sequence[ImageHashed], earlier: Asked) -> None:
        """Give up the later ones' claims; decide about the earlier one, them, and what was a duplicate of them.

        All of that counts as what the first of these releases led to.
        """
        tenant_id = earlier.event.tenant_id
        releases = [Release(copy.item_id, copy.generation - 1) for copy in later]
        for release in releases:
            give_up(connection, tenant_id, release)
        earlier.made_way = releases[0]
        copies = [Asked(copy, self.sight(copy.canonical)) for copy in sorted(later, key=lambda copy: copy.index)]
        waiting = self._waiting(connection, tenant_id, [copy.item_id for copy in later])
        self._decide_all(connection, chain([earlier], copies, waiting), earlier.made_way)
        fill_instead_of(connection, earlier.event)

    def _waiting(self, connection: Connection, tenant_id: UUID, item_ids: Sequence[UUID]) -> Iterator[Asked]:
        return (Asked(event, self.sight(event.canonical)) for event in dependants(connection, tenant_id, item_ids))

    def _decide_all(self, connection: Connection, asked: Iterable[Asked], because: Release) -> None:
        """Decide about all of these, as this claim has ended. Nothing more makes way."""
        place = 0
        for part in in_parts(asked):
            rest = part
            while rest:
                decided = self._go(connection, rest, because, place).verdicts
                place += len(decided)
                rest = rest[len(decided) :]

    def _go(self, connection: Connection, part: Sequence[Asked], because: Release | None = None, place: int = 0) -> _Go:
        """Decide about the pictures of the part in their order, and stop early in two cases. Keep verdicts and claims.

        It stops after an accepted picture that has a row from an earlier try: what that row says (the stored name, or
        that the design is out of use) counts for the pictures behind, and can be read only once the claim is written.
        It stops before a picture for which later copies have to make way, unless these verdicts are made `because` of a
        release already: then nothing more makes way. `place` counts the verdicts that this release led to so far.

        Example: of the part [a, b, c, d], b is accepted and had been tried before: the go decides about a and b, and
        the next go about c and d.
        """
        decided: list[tuple[ImageHashed, Verdict]] = []
        accepted: list[Asked] = []
        later: Sequence[ImageHashed] = ()
        for case in cases(connection, self.finder, self.max_distance, part):
            if because:
                verdict = case.verdict(accepted, self.gallery)
            else:
                verdict, later = self._without_later(connection, case, accepted)
            if later:
                break
            event = case.asked.event
            anew = bool(because and event.generation)  # not the first verdict of one that copies make way for
            decided.append((event, verdict.model_copy(update={"anew": anew})))
            if isinstance(verdict, ImageAccepted):
                accepted.append(case.asked)
                if case.has_row:
                    break
        if decided:
            remember(connection, decided, because, place)
        self._claim(connection, part[0].event.tenant_id, accepted)
        return _Go({event.item_id: verdict for event, verdict in decided}, later)

    def _without_later(
        self, connection: Connection, case: Case, accepted: Sequence[Asked]
    ) -> tuple[Verdict, Sequence[ImageHashed]]:
        """The verdict on a picture as if the later copies that can make way were not there.

        And these copies, if it is accepted so. If it is a duplicate all the same, none of them has to make way.
        """
        later: list[ImageHashed] = []
        verdict = case.verdict(accepted, self.gallery)
        while copy := _later(connection, case, verdict):
            later.append(copy)
            case = case.without(copy.item_id)
            verdict = case.verdict(accepted, self.gallery)
        return verdict, later if isinstance(verdict, ImageAccepted) else ()

    def _claim(self, connection: Connection, tenant_id: UUID, accepted: Sequence[Asked]) -> None:
        claims = claim(connection, [each.event for each in accepted])
        claimed = [(claims[each.event.item_id], each.keys) for each in accepted if each.sight]
        self.finder.remember(connection, tenant_id, claimed)


def _later(connection: Connection, case: Case, verdict: Verdict) -> ImageHashed | None:
    """The picture that this one is a duplicate of, if it comes later in the same upload and can make way.

    As its next generation, as which it is decided about then.
    """
    if not isinstance(verdict, DuplicateFound):
        return None
    event = case.asked.event
    for other in case.known:
        is_claimed = not other.stored and other.session_id == event.session_id
        if is_claimed and other.item_id and other.item_id == verdict.match.item_id:
            return later_copy(connection, event, other.item_id)
    return None
