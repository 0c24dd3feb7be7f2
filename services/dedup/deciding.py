"""Verdicts on several of a tenant's pictures in one go, each as if it came alone. Used inside a transaction.

The database is asked, and written to, as often for sixteen pictures as for one. Only those that are accepted in the
same go are not there to be found yet: they are compared here. One that has a row from an earlier try is the last of its
go, as what that row says (its stored name, say, or that it is out of use) counts for those behind it.

Of two copies in one upload the earlier one is the original. Where the later one was hashed sooner it has its claim
already, and makes way: then these two, and what else was a duplicate of the later one, are decided about by themselves.
So it is for all later copies, unless the earlier one is a duplicate without them, too: then they stay.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from uuid import UUID

from sqlalchemy import Connection, select

from services.dedup.claims import claim, give_up
from services.dedup.finding import Finder, Found, ways_between
from services.dedup.keys import NO_KEYS, Keys
from services.dedup.looking import Gallery, Look, Sight
from services.dedup.lookup import Question, candidates, held
from services.dedup.matching import NOTHING_SAID, Known, Said, Verdict, decide, is_candidate
from services.dedup.pairs import said_of
from services.dedup.verdicts import Release, dependants, later_copy, name_those_that_made_way, remember
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed

AT_ONCE = 16
QUIET_S = 5.0
"""PostgreSQL ends a transaction that idles a minute (`shared/database.py`). Where disks are slow, looking at the
candidates of one picture may take half of that, so it hears of us between two of them."""
AWAKE = select(1)

Verdicts = dict[UUID, Verdict]
"""By item."""


@dataclass(eq=False)
class Asked:
    """A picture that is to be decided about, and what it gets. Without a sight its hashes alone count."""

    event: ImageHashed
    sight: Sight | None
    made_way: Release | None = None
    """Whose claim ended so that this one could have it."""
    answers: list[Verdict] = field(default_factory=list)

    @property
    def keys(self) -> Keys:
        return self.sight.keys if self.sight else NO_KEYS


def in_parts(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """In their order, at most `AT_ONCE` in a part, none twice: its second message asks what the first one led to."""
    part: dict[UUID, Asked] = {}
    for each in asked:
        if len(part) == AT_ONCE or each.event.item_id in part:
            yield list(part.values())
            part = {}
        part[each.event.item_id] = each
    if part:
        yield list(part.values())


@dataclass(frozen=True)
class _Case:
    """All that a verdict hangs on, but for what is accepted beside it."""

    asked: Asked
    found: Found
    known: Sequence[Known]
    said: Said
    has_row: bool
    holding: bool

    @property
    def event(self) -> ImageHashed:
        """Twins that came after its claim are there as somebody wants both: they bar it no more than it did them."""
        event = self.asked.event
        return event.model_copy(update={"duplicates": "keep_all"}) if self.holding else event


class Judge:
    """Compares pictures by their hashes, by their keys, and by their pixels if there is a gallery."""

    def __init__(self, max_distance: int, gallery: Gallery | None) -> None:
        self.max_distance = max_distance
        self.gallery = gallery
        self.finder = Finder()

    def decide(self, connection: Connection, part: Sequence[Asked]) -> Verdicts:
        """Decide about a part (see `in_parts`), keep the verdicts, and claim what is accepted.

        Not about those behind the first that a later copy makes way for: what that led to may be their verdicts.
        """
        verdicts = Verdicts()
        while rest := part[len(verdicts) :]:
            decided, copies = self._decide(connection, rest)
            verdicts |= decided
            if copies:
                return verdicts | self._instead(connection, rest[len(decided)], copies)
        return verdicts

    def release(self, connection: Connection, tenant_id: UUID, release: Release) -> None:
        """Give up a claim, and decide anew, in order of upload, what was a duplicate of it.

        The first of them usually becomes the original and the rest its duplicates. Nothing if there is no such claim.
        """
        if give_up(connection, tenant_id, release):
            self._anew(connection, self._waiting(connection, tenant_id, [release.item_id]), release)

    def sight(self, event: ImageHashed) -> Sight | None:
        """The picture to compare by, if pixels are."""
        return self.gallery.sight(event.canonical) if self.gallery else None

    def _instead(self, connection: Connection, asked: Asked, copies: Sequence[ImageHashed]) -> Verdicts:
        """The verdict on a picture that these make way for. They are its duplicates, and what was a duplicate of them.

        All of that counts as what came of the first one's release.
        """
        tenant_id = asked.event.tenant_id
        releases = [Release(copy.item_id, copy.generation - 1) for copy in copies]
        for release in releases:
            give_up(connection, tenant_id, release)
        asked.made_way = releases[0]
        late = [Asked(copy, self.sight(copy)) for copy in sorted(copies, key=lambda copy: copy.index)]
        waiting = self._waiting(connection, tenant_id, [copy.item_id for copy in copies])
        verdicts = self._anew(connection, chain([asked], late, waiting), asked.made_way)
        name_those_that_made_way(connection, asked.event)
        return {asked.event.item_id: verdicts[asked.event.item_id]}

    def _waiting(self, connection: Connection, tenant_id: UUID, item_ids: Sequence[UUID]) -> Iterator[Asked]:
        return (Asked(event, self.sight(event)) for event in dependants(connection, tenant_id, item_ids))

    def _anew(self, connection: Connection, asked: Iterable[Asked], because: Release) -> Verdicts:
        """Decide about all of these, whatever came later, as a claim has ended."""
        verdicts = Verdicts()
        for part in in_parts(asked):
            rest = part
            while rest:
                decided, _ = self._decide(connection, rest, because, len(verdicts))
                verdicts |= decided
                rest = rest[len(decided) :]
        return verdicts

    def _decide(
        self, connection: Connection, part: Sequence[Asked], because: Release | None = None, place: int = 0
    ) -> tuple[Verdicts, list[ImageHashed]]:
        """On all of the part, or on those up to the first accepted one that has a row.

        Or on those before the first that later copies have to make way for: they are returned, too. `because`: what led
        to these verdicts, and at which place of its own they begin; then nothing makes way.
        """
        decided: list[tuple[ImageHashed, Verdict]] = []
        accepted: list[Asked] = []
        copies: list[ImageHashed] = []
        heard = time.monotonic()
        for case in self._cases(connection, part):
            if time.monotonic() > heard + QUIET_S:
                connection.execute(AWAKE)
                heard = time.monotonic()
            verdict = self._verdict(case, accepted)
            if because is None:
                verdict, copies = self._without_later(connection, case, accepted, verdict)
                if copies:
                    break
            anew = {"anew": bool(because and case.asked.event.generation)}
            decided.append((case.asked.event, verdict.model_copy(update=anew)))
            if isinstance(verdict, ImageAccepted):
                accepted.append(case.asked)
                if case.has_row:
                    break
        if decided:
            remember(connection, decided, because, place)
        self._claim(connection, part[0].event.tenant_id, accepted)
        return {event.item_id: verdict for event, verdict in decided}, copies

    def _cases(self, connection: Connection, part: Sequence[Asked]) -> Iterator[_Case]:
        events = [each.event for each in part]
        tenant_id = events[0].tenant_id
        seen = any(each.sight for each in part)  # else nobody asks for the keys, which take a second to read
        found = self.finder.found(connection, tenant_id, [each.keys for each in part]) if seen else [{} for _ in part]
        questions = [Question(event, self._distance(event), rows) for event, rows in zip(events, found, strict=True)]
        known = candidates(connection, tenant_id, questions)
        said, holding = said_of(connection, tenant_id, events), held(connection, events)
        for each, rows, others in zip(part, found, known, strict=True):
            event = each.event
            told, stands = said.get(event.upload.sha256, NOTHING_SAID), holding.get(event.item_id)
            yield _Case(each, rows, others, told, has_row=stands is not None, holding=bool(stands))

    def _without_later(
        self, connection: Connection, case: _Case, accepted: Sequence[Asked], verdict: Verdict
    ) -> tuple[Verdict, list[ImageHashed]]:
        """The verdict without the later copies that can make way; and these, if it is accepted then."""
        copies: list[ImageHashed] = []
        while late := _late(connection, case.event, verdict):
            copies.append(late)
            away = {copy.item_id for copy in copies}
            others = replace(case, known=[other for other in case.known if other.item_id not in away])
            verdict = self._verdict(others, accepted)
        return verdict, copies if isinstance(verdict, ImageAccepted) else []

    def _verdict(self, case: _Case, accepted: Sequence[Asked]) -> Verdict:
        distance, known, found = self._distance(case.event), list(case.known), dict(case.found)
        for number, beside in enumerate(accepted, 1):
            other = _claimed(beside.event, -number)  # rows of the table are numbered from 1 on
            ways = ways_between(case.asked.keys, beside.keys)
            if ways or is_candidate(case.event, other, distance):
                known.append(other)
                found[other.row] = ways
        sight = case.asked.sight
        look = Look(sight.picture if sight else None, found, self.gallery.see) if self.gallery else None
        return decide(case.event, known, distance, look, case.said)

    def _claim(self, connection: Connection, tenant_id: UUID, accepted: Sequence[Asked]) -> None:
        claims = claim(connection, [each.event for each in accepted])
        claimed = [(claims[each.event.item_id], each.keys) for each in accepted if each.sight]
        self.finder.remember(connection, tenant_id, claimed)

    def _distance(self, event: ImageHashed) -> int:
        return self.max_distance if event.duplicate_distance is None else event.duplicate_distance


def _late(connection: Connection, event: ImageHashed, verdict: Verdict) -> ImageHashed | None:
    """The picture that this one equals, if that can make way for it."""
    if not isinstance(verdict, DuplicateFound) or verdict.match.source != "session" or not verdict.match.item_id:
        return None
    return later_copy(connection, event, verdict.match.item_id)


def _claimed(event: ImageHashed, row: int) -> Known:
    """As the table will have it."""
    return Known(
        source="session",
        algorithm=event.algorithm,
        phash=event.phash,
        dhash=event.dhash,
        item_id=event.item_id,
        session_id=event.session_id,
        stored=False,
        upload_sha256=event.upload.sha256,
        print_sha256=event.print_file.sha256,
        filename=event.filename,
        row=row,
        canonical=event.canonical,
    )
