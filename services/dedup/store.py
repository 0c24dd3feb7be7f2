"""The hash index: what each tenant has, and every verdict. The truth about duplicates is here, in PostgreSQL."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Engine, update

from services.dedup.candidates.keys import NO_KEYS
from services.dedup.deciding.cases import Asked, in_parts
from services.dedup.deciding.judge import Judge, Verdicts
from services.dedup.deciding.second_look import Gallery
from services.dedup.records.claims import lock, mark_known
from services.dedup.records.judged_pairs import remember as remember_pair
from services.dedup.records.scanned_files import forget, forget_prints, learn, let_go
from services.dedup.records.verdicts import Release, answers_to, cancel, decided, is_cancelled
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import Verdict
from services.dedup.tables import CLOCK, hashes
from shared.blobs import Blobs
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageHashed,
    PairJudged,
    StorageFailed,
    WorkCancelled,
)
from shared.database import transaction
from shared.together import Together


class HashIndex:
    """One decision at a time per tenant, so any number of processes decide as one would. Every method is idempotent.

    Each raises `Unavailable` when the database is away, and `Retryable` when a transaction lost against another.
    """

    def __init__(self, engine: Engine, max_distance: int, blobs: Blobs | None = None) -> None:
        """Without blobs, as in tests and benchmarks of the rest, the hashes alone decide.

        The service has blobs, and comes to that for single pictures: those whose pixels are gone.
        """
        self.engine = engine
        self.judge = Judge(max_distance, Gallery(blobs) if blobs else None)
        self._deciding = Together(self._decide)
        self._storing = Together(self._store)

    def decide_once(self, event: ImageHashed) -> list[Verdict]:
        """What to tell of this picture: its verdict that stands, else the one that the rule gives now and stands then.

        If later copies in its upload made way for it, all that came of that (see `answers_to`).

        Verdict and claim are one transaction: a twin that comes a moment later sees the claim, and this picture, when
        its message is delivered again, is not taken for a duplicate of that twin. What several threads ask for about
        one tenant's pictures meanwhile is the next transaction.

        A file that is to be kept may have got another verdict meanwhile, when what it matched failed, say: then it gets
        one more, as its next generation.
        """
        asked = Asked(event, self.judge.sight(event.canonical))  # seen before anybody waits for us
        self._deciding.do(event.tenant_id, asked)
        return asked.answers

    def judged(self, event: PairJudged) -> None:
        """Somebody saw both pictures and said what they want: from now on nobody is asked about this pair."""
        with self._alone(event.tenant_id) as connection:
            remember_pair(connection, event)

    def stored(self, event: DesignStored) -> None:
        """The design is on the NAS: it is known from now on, under its stored name."""
        self._storing.do(event.tenant_id, event)

    def release(self, event: StorageFailed) -> list[Verdict]:
        """Give up a failed picture's claim, and decide anew, in order of upload, what was a duplicate of it.

        The first of them usually becomes the original and the rest its duplicates. All of it is one transaction; a
        repeat only reads what it led to. A picture that was stored stays known.
        """
        with self._alone(event.tenant_id) as connection:
            release = Release(event.item_id, event.generation)
            self.judge.release(connection, event.tenant_id, release)
            return answers_to(connection, release)

    def cancelled(self, event: WorkCancelled) -> None:
        """Nobody wants these files: none is decided anew. Who cancels tells us before storage, which lets them go."""
        with self._alone(event.tenant_id) as connection:
            cancel(connection, event)

    def activity_changed(self, event: DesignActivityChanged) -> None:
        """The design matches nothing while it is out of use. The newest revision counts, in whatever order they come.

        Nobody can change a design that was not claimed here first, so its row is there, stored or not.
        """
        with self._alone(event.tenant_id) as connection:
            connection.execute(
                update(hashes)
                .where(
                    hashes.c.tenant_id == event.tenant_id,
                    hashes.c.item_id == event.item_id,
                    hashes.c.revision < event.revision,
                )
                .values(is_active=event.is_active, revision=event.revision, changed_at=CLOCK)
            )

    def learn(self, tenant_id: UUID, picture: Known) -> None:
        """Add a picture that no upload of ours brought: a scan found it on the NAS. It needs a path.

        One learnt again at the same path replaces the one before.
        """
        sight = self.judge.sight(picture.canonical)  # seen before anybody waits for us
        with self._alone(tenant_id) as connection:
            if row := learn(connection, tenant_id, picture):
                self.judge.finder.remember(connection, tenant_id, [(row, sight.keys if sight else NO_KEYS)])

    def forget(self, tenant_id: UUID, paths: Sequence[str], designs: Sequence[str] = ()) -> None:
        """What lay at these paths is there no more: what was learnt from the NAS, the old system's, these of ours."""
        with self._alone(tenant_id) as connection:
            forget(connection, tenant_id, paths)
            let_go(connection, tenant_id, paths, "database")
            let_go(connection, tenant_id, designs, "session")

    @contextlib.contextmanager
    def _alone(self, tenant_id: UUID) -> Iterator[Connection]:
        """A transaction that is the tenant's only one here, in whichever process."""
        is_ours = False
        try:
            with transaction(self.engine) as connection:
                lock(connection, tenant_id)
                is_ours = True
                yield connection
        except BaseException:
            if is_ours:  # without the lock nothing was read: those who only waited for it cost nobody the memory
                self.judge.finder.forget(tenant_id)
            raise

    def _decide(self, asked: Sequence[Asked]) -> None:
        with self._alone(asked[0].event.tenant_id) as connection:
            for part in in_parts(sorted(asked, key=_sent)):
                verdicts = self._verdicts(connection, part)
                for each in part:
                    each.answers = _answers(connection, each, verdicts[each.event.item_id])

    def _verdicts(self, connection: Connection, part: Sequence[Asked]) -> Verdicts:
        """The verdicts on these pictures: those that stand, and on the others those that the rule gives now."""
        standing = _standing(connection, part)
        undecided = _undecided(connection, part, standing)
        verdicts = self.judge.decide(connection, undecided)
        if any(each.made_way for each in undecided):  # what that led to may be verdicts on others of these
            return self._verdicts(connection, part)
        return standing | verdicts

    def _store(self, events: Sequence[DesignStored]) -> None:
        with self._alone(events[0].tenant_id) as connection:
            mark_known(connection, events)
            # A scan of the NAS may have met a file before we heard that it is that item's.
            forget_prints(connection, events)


def _sent(asked: Asked) -> tuple[UUID, int]:
    """Of two copies that are in hand at a time, the one that was sent first is stored."""
    return asked.event.session_id, asked.event.index


def _standing(connection: Connection, part: Sequence[Asked]) -> Verdicts:
    """The verdicts that stand on these pictures. Of each it is noted which copies made way for it."""
    standing, made_way = decided(connection, [each.event for each in part])
    for each in part:
        each.made_way = made_way.get(each.event.item_id)
    return standing


def _undecided(connection: Connection, part: Sequence[Asked], standing: Verdicts) -> list[Asked]:
    """Those without a verdict; and, each as its next generation, those whose verdict somebody has overruled."""
    undecided = []
    for each in part:
        verdict = standing.get(each.event.item_id)
        if verdict is None:
            undecided.append(each)
        elif _overruled(each.event, verdict) and not is_cancelled(connection, each.event):
            event = each.event.model_copy(update={"generation": verdict.generation + 1})
            undecided.append(replace(each, event=event))
    return undecided


def _answers(connection: Connection, asked: Asked, standing: Verdict) -> list[Verdict]:
    """If copies made way for this one, what came of that, with its own verdict; and if a newer one stands, that too."""
    led_to = answers_to(connection, asked.made_way) if asked.made_way else []
    is_among = (standing.item_id, standing.generation) in {(each.item_id, each.generation) for each in led_to}
    return led_to if is_among else [*led_to, standing]


def _overruled(event: ImageHashed, standing: Verdict) -> bool:
    """Whether somebody wants to keep what stands there as a near duplicate: judged so before that was known."""
    return event.kept and isinstance(standing, DuplicateFound) and standing.kind == "near"
