"""The hash index: what each tenant has, and every verdict. The truth about duplicates is here, in PostgreSQL."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Executable, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from services.dedup.finding import Finder
from services.dedup.learning import forget, forget_print, learn, let_go
from services.dedup.looking import Gallery, Look, Sight
from services.dedup.lookup import as_bits, candidates, holds
from services.dedup.matching import Known, Said, Verdict
from services.dedup.pairs import remember as remember_pair
from services.dedup.pairs import said_of
from services.dedup.tables import NOW, hashes, metadata
from services.dedup.verdicts import Release, answers_to, cancel, decided, dependants, is_cancelled, remember
from shared.blobs import Blobs
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageHashed,
    PairJudged,
    StorageFailed,
    WorkCancelled,
)
from shared.database import transaction

__all__ = ["HashIndex", "metadata"]

LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
CLAIMED = (
    *("session_id", "generation", "algorithm", "phash", "dhash", "upload_sha256", "print_sha256"),
    *("canonical_sha256", "canonical_size", "filename"),
)


def _claiming() -> Executable:
    new = insert(hashes).values(source="session", state="claimed", changed_at=NOW)
    facts: dict[str, Any] = {name: new.excluded[name] for name in CLAIMED}
    # A design that is stored stays known, whatever becomes of its later generations.
    facts |= {"state": func.coalesce(func.nullif(hashes.c.state, "released"), "claimed"), "changed_at": NOW}
    changing = new.on_conflict_do_update(index_elements=["item_id"], set_=facts)
    return changing.returning(hashes.c.id, literal_column("xmax = 0").label("new"))  # else a row was there to change


CLAIM = _claiming()
STORED = (
    update(hashes)
    .where(hashes.c.item_id == bindparam("item"), hashes.c.generation <= bindparam("of"))
    .values(
        state="known",
        name=bindparam("called"),
        path=bindparam("lies"),
        print_sha256=bindparam("print"),
        changed_at=NOW,
    )
)
"""These are made once: making one takes longer than its answer."""

Decide = Callable[[ImageHashed, Sequence[Known], int, Look | None, Said], Verdict]


class HashIndex:
    """One decision at a time per tenant, so any number of processes decide as one would. Every method is idempotent.

    Each raises `Unavailable` when the database is away, and `Retryable` when a transaction lost against another.
    """

    def __init__(self, engine: Engine, max_distance: int, blobs: Blobs | None = None) -> None:
        """Without blobs the hashes alone decide."""
        self.engine = engine
        self.max_distance = max_distance
        self.gallery = Gallery(blobs) if blobs else None
        self.finder = Finder()

    def decide_once(self, event: ImageHashed, decide: Decide) -> Verdict:
        """The verdict on this picture: the one that stands, else the one that `decide` gives now and that then stands.

        Verdict and claim are one transaction: a twin that comes a moment later sees the claim, and this picture, when
        its message is delivered again, is not taken for a duplicate of that twin.

        A file that is to be kept may have got another verdict meanwhile, when what it matched failed, say: then it gets
        one more, as its next generation.
        """
        sight = self._sight(event)  # before anybody waits for us
        with self._alone(event.tenant_id) as connection:
            standing = decided(connection, event)
            if standing is not None and _overruled(event, standing) and not is_cancelled(connection, event):
                event = event.model_copy(update={"generation": standing.generation + 1})
                standing = None
            return standing or self._judge(connection, event, sight, decide)

    def judged(self, event: PairJudged) -> None:
        """Somebody saw both pictures and said what they want: from now on nobody is asked about this pair."""
        with self._alone(event.tenant_id) as connection:
            remember_pair(connection, event)

    def stored(self, event: DesignStored) -> None:
        """The design is on the NAS: it is known from now on, under its stored name."""
        with self._alone(event.tenant_id) as connection:
            which = {"item": event.item_id, "of": event.generation, "print": event.print_file.sha256}
            connection.execute(STORED, which | {"called": event.name, "lies": event.path})
            # A scan of the NAS may have met the file before we heard that it is this item's.
            forget_print(connection, event.tenant_id, event.path, event.print_file.sha256)

    def release(self, event: StorageFailed, decide: Decide) -> list[Verdict]:
        """Give up a failed picture's claim, and decide anew, in order of upload, what was a duplicate of it.

        The first of them usually becomes the original and the rest its duplicates. All of it is one transaction; a
        repeat only reads what it led to. A picture that was stored stays known.
        """
        with self._alone(event.tenant_id) as connection:
            return self._released(connection, event.tenant_id, Release(event.item_id, event.generation), decide)

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
                .values(is_active=event.is_active, revision=event.revision, changed_at=NOW)
            )

    def learn(self, tenant_id: UUID, picture: Known) -> None:
        """Add a picture that no upload of ours brought: found on the NAS, or listed in a database. It needs a path.

        One learnt again at the same path replaces the one before.
        """
        with self._alone(tenant_id) as connection:
            learn(connection, tenant_id, picture)

    def forget(self, tenant_id: UUID, paths: Sequence[str], designs: Sequence[str] = ()) -> None:
        """What lay at these paths is there no more: what was learnt from the NAS, the old system's, these of ours."""
        with self._alone(tenant_id) as connection:
            forget(connection, tenant_id, paths)
            let_go(connection, tenant_id, paths, "database")
            let_go(connection, tenant_id, designs, "session")

    @contextlib.contextmanager
    def _alone(self, tenant_id: UUID) -> Iterator[Connection]:
        """A transaction that is the tenant's only one here, in whichever process."""
        with transaction(self.engine) as connection:
            connection.execute(LOCK, {"key": f"dedup:{tenant_id}"})
            yield connection

    def _released(self, connection: Connection, tenant_id: UUID, release: Release, decide: Decide) -> list[Verdict]:
        freed = connection.execute(
            update(hashes)
            .where(
                hashes.c.item_id == release.item_id,
                hashes.c.tenant_id == tenant_id,
                hashes.c.generation <= release.generation,
                hashes.c.state == "claimed",
            )
            .values(state="released", changed_at=NOW)
        )
        if freed.rowcount:
            for place, hashed in enumerate(dependants(connection, tenant_id, release.item_id)):
                self._judge(connection, hashed, self._sight(hashed), decide, release, place)
        return answers_to(connection, release)

    def _judge(
        self,
        connection: Connection,
        event: ImageHashed,
        sight: Sight | None,
        decide: Decide,
        because: Release | None = None,
        place: int = 0,
    ) -> Verdict:
        found = self.finder.found(connection, event.tenant_id, sight.keys) if sight else {}
        look = Look(sight.picture if sight else None, found, self.gallery.see) if self.gallery else None
        distance = self.max_distance if event.duplicate_distance is None else event.duplicate_distance
        known = candidates(connection, event, distance, found)
        said = said_of(connection, event.tenant_id, event.upload.sha256)
        # Twins that came after its claim are there because somebody wants both: they bar it no more than it did them.
        asked = event.model_copy(update={"duplicates": "keep_all"}) if holds(connection, event) else event
        verdict = decide(asked, known, distance, look, said)
        verdict = verdict.model_copy(update={"anew": because is not None})
        remember(connection, event, verdict, because, place)
        if isinstance(verdict, ImageAccepted):
            row, new = self._claim(connection, event)
            if sight:
                self.finder.remember(connection, event.tenant_id, row, sight.keys, new=new)
        return verdict

    def _sight(self, event: ImageHashed) -> Sight | None:
        return self.gallery.sight(event.canonical) if self.gallery else None

    def _claim(self, connection: Connection, event: ImageHashed) -> tuple[int, bool]:
        """The row, and whether it is new."""
        facts = {
            "tenant_id": event.tenant_id,
            "item_id": event.item_id,
            "session_id": event.session_id,
            "generation": event.generation,
            "algorithm": event.algorithm,
            "phash": as_bits(event.phash),
            "dhash": as_bits(event.dhash),
            "upload_sha256": event.upload.sha256,
            "print_sha256": event.print_file.sha256,
            "canonical_sha256": event.canonical.sha256,
            "canonical_size": event.canonical.size,
            "filename": event.filename,
        }
        row = connection.execute(CLAIM, facts).one()
        return int(row.id), bool(row.new)


def _overruled(event: ImageHashed, standing: Verdict) -> bool:
    """Whether somebody wants to keep what stands there as a near duplicate: judged so before that was known."""
    return event.kept and isinstance(standing, DuplicateFound) and standing.kind == "near"
