"""Verdicts on several of a tenant's pictures in one go, each as if it came alone. Used inside a transaction.

Of two copies in one upload the earlier one is the original. Where the later one was hashed sooner it has its claim
already, and makes way: then these two, and what else was a duplicate of the later one, are decided about by themselves.
So it is for all later copies, unless the earlier one is a duplicate without them, too: then they stay.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import Connection

from services.dedup.cases import Asked, Case, cases, in_parts
from services.dedup.claims import claim, give_up
from services.dedup.finding import Finder
from services.dedup.looking import Gallery, Sight
from services.dedup.matching import Verdict
from services.dedup.verdicts import Release, dependants, fill_instead_of, later_copy, remember
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed

Verdicts = dict[UUID, Verdict]
"""By item."""


@dataclass(frozen=True)
class _Go:
    """How far one go came: the next begins with the first picture that has no verdict yet."""

    verdicts: Verdicts
    later: Sequence[ImageHashed] = ()
    """The copies, as next generations, that have to make way for that picture."""


class Judge:
    """Compares pictures by their hashes, by their keys, and by their pixels if there is a gallery."""

    def __init__(self, max_distance: int, gallery: Gallery | None) -> None:
        self.max_distance = max_distance
        self.gallery = gallery
        self.finder = Finder()

    def decide(self, connection: Connection, part: Sequence[Asked]) -> Verdicts:
        """Decide about a part (see `in_parts`), keep the verdicts, and claim what is accepted.

        If later copies make way for one of them, it ends there: that one's `made_way` is set, and its verdict is kept
        but not returned, as what it led to may be verdicts on those behind it, too.
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

    def sight(self, event: ImageHashed) -> Sight | None:
        """The picture to compare by, if pixels are."""
        return self.gallery.sight(event.canonical) if self.gallery else None

    def _make_way(self, connection: Connection, later: Sequence[ImageHashed], earlier: Asked) -> None:
        """Give up the later ones' claims; decide about the earlier one, them, and what was a duplicate of them.

        All of that counts as what the first of these releases led to.
        """
        tenant_id = earlier.event.tenant_id
        releases = [Release(copy.item_id, copy.generation - 1) for copy in later]
        for release in releases:
            give_up(connection, tenant_id, release)
        earlier.made_way = releases[0]
        copies = [Asked(copy, self.sight(copy)) for copy in sorted(later, key=lambda copy: copy.index)]
        waiting = self._waiting(connection, tenant_id, [copy.item_id for copy in later])
        self._decide_all(connection, chain([earlier], copies, waiting), earlier.made_way)
        fill_instead_of(connection, earlier.event)

    def _waiting(self, connection: Connection, tenant_id: UUID, item_ids: Sequence[UUID]) -> Iterator[Asked]:
        return (Asked(event, self.sight(event)) for event in dependants(connection, tenant_id, item_ids))

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
        """Decide about as many of the part as can be in one go, in their order.

        One that is accepted and has a row from an earlier try is the last, as what that row says (its stored name, say,
        or that it is out of use) counts for those behind it. Without `because` it ends before one that later copies
        have to make way for. `place`: of the first verdict among those that `because` led to.
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
        """The verdict without the later copies that can make way; and these, if it is accepted then."""
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
    """What this one is a duplicate of, as next generation, if that comes later in its upload and can make way."""
    if not isinstance(verdict, DuplicateFound):
        return None
    event = case.asked.event
    for other in case.known:
        is_claimed = not other.stored and other.session_id == event.session_id
        if is_claimed and other.item_id and other.item_id == verdict.match.item_id:
            return later_copy(connection, event, other.item_id)
    return None
