"""All that verdicts depend on, read for several pictures with as many queries as for one. Inside a transaction."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import Connection, select

from services.dedup.candidates.hash_search import Question, candidates, held
from services.dedup.candidates.key_search import Finder, Found, ways_between
from services.dedup.candidates.keys import NO_KEYS, Keys
from services.dedup.deciding.second_look import Gallery, Look, Sight
from services.dedup.records.judged_pairs import said_of
from services.dedup.records.verdicts import Release
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import NOTHING_SAID, Said, Verdict, decide, is_candidate
from shared.contracts import ImageHashed

AT_ONCE = 16
"""Pictures that are decided about with one round of queries. With fewer, rounds are more; with many more, those behind
a picture that ends a go early (`judge.Judge`) were read in vain, and are read again."""
QUIET_S = 5.0
"""PostgreSQL ends a transaction that idles a minute (`shared/database.py`). Where disks are slow, looking at the
candidates of one picture may take half of that, so it hears of us between two of them."""
AWAKE = select(1)


@dataclass(eq=False)
class Asked:
    """A picture that is to be decided about, and what is told of it. Without a sight its hashes alone count."""

    event: ImageHashed
    sight: Sight | None
    made_way: Release | None = None
    """The claim that ended so that this picture could be accepted; the first of them, if several did."""
    answers: list[Verdict] = field(default_factory=list)

    @property
    def keys(self) -> Keys:
        return self.sight.keys if self.sight else NO_KEYS


def in_parts(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """The pictures in their order, at most `AT_ONCE` in a part, and no picture twice in one.

    The second message about a picture must find the verdict that the first one led to, so it is in a later part.
    """
    part: dict[UUID, Asked] = {}
    for each in asked:
        if len(part) == AT_ONCE or each.event.item_id in part:
            yield list(part.values())
            part = {}
        part[each.event.item_id] = each
    if part:
        yield list(part.values())


@dataclass(frozen=True)
class Case:
    """All that the verdict on one picture depends on, but for the pictures accepted in the same go.

    Those are not in the table yet, so `verdict` is given them.
    """

    asked: Asked
    max_distance: int
    found: Found
    known: Sequence[Known]
    said: Said
    has_row: bool
    """Whether the table has a row of this picture from an earlier try."""
    holding: bool
    """Whether that row still is the picture's claim, or its design."""

    @property
    def under_policy(self) -> ImageHashed:
        """The event under the policy that holds for it: its own, or `keep_all` if it has its claim or design already.

        Twins of a picture that has its claim were let in beside it, as somebody wants both. So decided about once more,
        it is barred by them no more than they were by it. For all but the policy, `asked.event` is the same.
        """
        event = self.asked.event
        return event.model_copy(update={"duplicates": "keep_all"}) if self.holding else event

    def without(self, item_id: UUID) -> "Case":
        """The same case as if this item were not known."""
        return replace(self, known=[other for other in self.known if other.item_id != item_id])

    def verdict(self, accepted: Sequence[Asked], gallery: Gallery | None) -> Verdict:
        """What the rule says of the picture, also beside those that were `accepted` before it in the same go."""
        known, found = list(self.known), dict(self.found)
        for number, beside in enumerate(accepted, 1):
            other = _claimed(beside.event, -number)  # rows of the table are numbered from 1 on
            ways = ways_between(self.asked.keys, beside.keys)
            if ways or is_candidate(self.under_policy, other, self.max_distance):
                known.append(other)
                found[other.row] = ways
        sight = self.asked.sight
        if gallery is None:
            return decide(self.under_policy, known, self.max_distance, None, self.said)
        look = Look(sight.picture if sight else None, found, gallery.see, gallery.thumbnails)
        return decide(self.under_policy, look.worth_it(known), self.max_distance, look, self.said)


def cases(connection: Connection, finder: Finder, max_distance: int, part: Sequence[Asked]) -> Iterator[Case]:
    """The cases of one tenant's pictures, in their order. `max_distance` is for uploads that have none of their own."""
    events = [each.event for each in part]
    tenant_id = events[0].tenant_id
    heard = time.monotonic()
    distances = [max_distance if event.duplicate_distance is None else event.duplicate_distance for event in events]
    seen = any(each.sight for each in part)  # else nobody asks for the keys, which take a second to read
    found = finder.found(connection, tenant_id, [each.keys for each in part]) if seen else [{} for _ in part]
    questions = [Question(*asked) for asked in zip(events, distances, found, strict=True)]
    known = candidates(connection, tenant_id, questions)
    said, holding = said_of(connection, tenant_id, events), held(connection, events)
    for each, distance, rows, others in zip(part, distances, found, known, strict=True):
        if time.monotonic() > heard + QUIET_S:
            connection.execute(AWAKE)
            heard = time.monotonic()
        said_of_it, stands = said.get(each.event.upload.sha256, NOTHING_SAID), holding.get(each.event.item_id)
        yield Case(each, distance, rows, others, said_of_it, has_row=stands is not None, holding=bool(stands))


def _claimed(event: ImageHashed, row: int) -> Known:
    """The picture of this event as the table will have it once its claim is written."""
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
        artwork=event.artwork,
        row=row,
        canonical=event.canonical,
    )
