"""A replay from its order to its end, as commands and API both do it: chosen, foreseen, begun, carried out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters import auditing, finding, outcomes
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.finding import Filter
from services.ingest.dead_letters.replaying import Replays, Result
from services.ingest.dead_letters.steps import ReplayPace, Steps, ctrl_c_waits
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.many_ids import any_of
from services.ingest.sessions.progress.delays import current
from shared.contracts import Stage
from shared.database import transaction

SAMPLE = 5
CALM_S = 20.0
"""How long nothing must come back of a message that is about no file, for a canary to call it well."""

Obstacles = Callable[[Collection[str]], list[str]]
"""Says in words why these services can't take anything now; nothing if they can."""


@dataclass(frozen=True)
class Job:
    """These letters, as they were when it was confirmed."""

    engine: Engine
    hashers: int
    run: Run
    wanted: Filter
    ids: Sequence[UUID]
    cutoff: datetime
    to: Stage | None = None
    """Another service's inbox than theirs."""
    pace: ReplayPace = field(default_factory=ReplayPace)
    limit: int | None = None
    """How many were asked for at most: for the audit."""

    def foreseen(self) -> dict[str, Any]:
        """How many letters of which service, and what would become of the first few. Nothing is done."""
        replays = Replays(self.engine, self.hashers, self.to)
        sample = [replays.foresee(letter_id, self.run.who, self.cutoff) for letter_id in self.ids[:SAMPLE]]
        with transaction(self.engine) as connection:
            count = _services(connection, self.ids)
        return {"matched": len(self.ids), "services": count, "sample": _as_json(sample), "warnings": self.warnings()}

    def warnings(self) -> list[str]:
        """What somebody should know before they say yes."""
        waits = [f"it would wait now: {words}" for words in self._waits_for()]
        if self.to is None:
            return waits
        words = f"the messages go to {self.to}, not to who gave them up: what it can't read dies there"
        return [f"{words}, and files that failed with them stay failed until it says otherwise", *waits]

    def takers(self) -> set[str]:
        """The services that must be there for it over the broker: who relays it, and who works on it."""
        letter = dead_letters.c
        of_files, listing = letter.item_id.is_not(None), letter.mockup_id.is_not(None)
        over_broker = select(letter.service, of_files, listing).distinct()
        over_broker = over_broker.where(any_of(letter.id, self.ids), letter.lane == COMPREHENSIVE)
        with transaction(self.engine) as connection:
            rows = connection.execute(over_broker).all()
        found = {name for row in rows for name in (_ways(*row) if self.to is None else (self.to,))}
        return found | {"ingest"} if found else found

    def begin(self) -> UUID:
        """Write down that it begins: from now on it can be watched and cancelled."""
        how = {"cutoff": self.cutoff.isoformat(), "canary": self.pace.canary, "to": self.to, "limit": self.limit}
        how = {name: value for name, value in how.items() if value is not None}
        with transaction(self.engine) as connection:
            self.run.begin(connection, self.wanted.given() | how, len(self.ids))
        return self.run.id

    def carry_out(self, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
        """Replay the letters, and tell what came of it; Ctrl-C stops it between two of them."""
        steps = self._steps(say)
        try:
            steps.run(self.ids)
        except KeyboardInterrupt:
            steps.stop("cancelled", "you stopped it")
        except BaseException as error:
            steps.stop("stopped", f"it broke: {error}")
            raise
        finally:
            with ctrl_c_waits(), transaction(self.engine) as connection:
                count = auditing.counts(connection, self.run.id)
                became = self._became(connection, steps)
                self.run.end(connection, count, steps.stopped or "", steps.end)
        left = len(self.ids) - sum(count.values())
        done = {"run_id": self.run.id, "matched": len(self.ids), "counts": count, "left": left, **became}
        return done | {"stopped": steps.stopped, "results": _as_json(steps.results)}

    def _became(self, connection: Connection, steps: Steps) -> dict[str, Any]:
        """What came of it, if somebody waited: of what each letter was about, and how many letters wait for others."""
        sent = [each.letter_id for each in steps.results if each.sent]
        if not sent or not (self.pace.canary or self.pace.wait):
            return {}
        return {"became": outcomes.became(connection, sent), "held": outcomes.held(connection, sent)}

    def _waits_for(self) -> list[str]:
        """What services wait for just now, with all their work or with that of these uploads."""
        mine = select(dead_letters.c.session_id).where(any_of(dead_letters.c.id, self.ids)).distinct()
        with transaction(self.engine) as connection:
            return current(connection, connection.execute(mine).scalars().all())

    def _steps(self, say: Callable[[str], None]) -> Steps:
        replays = Replays(self.engine, self.hashers, self.to)

        def tally(sent: Sequence[UUID]) -> outcomes.Tally:
            outcomes.settle(self.engine)
            with transaction(self.engine) as connection:
                found = outcomes.tally(connection, sent, CALM_S)
            if not found.open:  # the last may have ended in between: who is told so finds their letters so
                outcomes.settle(self.engine)
            return found

        def cancelled_by() -> str | None:
            with transaction(self.engine) as connection:
                return self.run.going_on(connection)

        def replay(each: UUID) -> Result:
            return replays.replay(each, self.run, self.cutoff)

        return Steps(replay, tally, cancelled_by, say, self.pace, self._waits_for)


def chosen(
    engine: Engine, wanted: Filter, limit: int | None = None, cutoff: datetime | None = None
) -> tuple[list[UUID], datetime]:
    """The letters to replay, oldest first, and the moment after which nothing more is taken in."""
    with transaction(engine) as connection:
        moment = cutoff or finding.clock(connection)
        return finding.targets(connection, wanted, moment, limit), moment


def _as_json(results: Sequence[Result]) -> list[Mapping[str, Any]]:
    """Results for programs."""
    return [{"letter_id": each.letter_id, "result": each.result, "words": each.words} for each in results]


def _services(connection: Connection, ids: Sequence[UUID]) -> dict[str, int]:
    letter = dead_letters.c
    counted = select(letter.service, func.count()).where(any_of(letter.id, ids)).group_by(letter.service)
    return {row[0]: row[1] for row in connection.execute(counted.order_by(letter.service)).all()}


def _ways(service: str, of_file: bool, listing: bool) -> tuple[str, ...]:
    if listing:
        return ("mockup", "publisher")
    return ("hasher", "dedup", "storage") if of_file else (service,)
