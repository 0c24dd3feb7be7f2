"""Replays one dead letter: status, what is owed for it and the audit are one transaction.

A letter about a file that failed takes the file up again (`sessions/actions/reopening.py`). One whose file ended well
is resolved, unless other files may wait for it; one whose file is in work is refused, but for news to ingest. Any other
goes back to the inbox that it died in, byte for byte. Crash it anywhere, or do it twice at once: each letter is owed
once, because the status that allows it is what the same transaction takes away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, and_, exists, select, update
from tenacity import Retrying, retry_if_exception, stop_after_attempt

from services.ingest.dead_letter_tables import OPEN, audit, dead_letters
from services.ingest.dead_letters.auditing import Run
from services.ingest.sessions import states
from services.ingest.sessions.actions.reopening import reopen
from services.ingest.sessions.outgoing.outbox import owe_redelivery
from services.ingest.sessions.tables import items, listings
from services.ingest.tables import CLOCK
from shared.contracts import Stage
from shared.database import transaction
from shared.errors import Retryable, Unavailable

SENT = ("reopened", "redelivered")
IN_WORK = (*states.IN_WORK, *states.LISTING_IN_WORK)

OTHERS = items.alias("others")
OTHERS_WAIT = and_(
    dead_letters.c.service == "storage",
    dead_letters.c.mockup_id.is_(None),
    exists().where(OTHERS.c.session_id == dead_letters.c.session_id, OTHERS.c.state.in_(states.IN_WORK)),
)
"""Whether files may wait for a letter whose own file has ended: a message of storage stores the files behind it too."""

# They tell of the death that is over. `x-death` and its kin must never be published again: a broker reads a cycle.
OF_DEATH = ("x-attempt", "x-cause", "x-service", "x-dead-at", "x-stack", "x-version", "x-host", "x-session")
KIN = ("x-death", "x-delivery-count", "x-first-death-", "x-last-death-", "x-opt-")


@dataclass(frozen=True)
class Result:
    """What came of one letter."""

    letter_id: UUID
    result: str
    """reopened, redelivered, resolved; or, with nothing done, refused."""
    words: str
    would: str = ""
    """The words for a result that is only foreseen, where they differ."""

    @property
    def sent(self) -> bool:
        return self.result in SENT


@dataclass(frozen=True)
class Replays:
    """Replays letters on a database; whoever relays the outbox sends them."""

    engine: Engine
    hashers: int
    to: Stage | None = None
    """The service that gets the messages as they are, instead of who gave them up."""

    def replay(self, letter_id: UUID, run: Run, cutoff: datetime | None = None) -> Result:
        """Replay one letter, once, unless it came after the cut-off.

        Raises:
            Unavailable: the database went away, perhaps after it was done: say it again.
        """
        for attempt in Retrying(retry=retry_if_exception(_lost), stop=stop_after_attempt(5), reraise=True):
            with attempt, transaction(self.engine) as connection:
                result = self._replay(connection, letter_id, run.who, cutoff)
                run.note(connection, letter_id, result.result, result.words)
        return result

    def foresee(self, letter_id: UUID, who: str, cutoff: datetime | None = None) -> Result:
        """What `replay` would do now; nothing is done."""
        with transaction(self.engine) as connection:
            tried = connection.begin_nested()
            result = self._replay(connection, letter_id, who, cutoff)
            tried.rollback()
            return replace(result, words=result.would or result.words)

    def _replay(self, connection: Connection, letter_id: UUID, who: str, cutoff: datetime | None) -> Result:
        letter = connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).one_or_none()
        if letter is None or (refusal := why_not(connection, letter, cutoff)):
            return Result(letter_id, "refused", "there is no such letter" if letter is None else refusal)
        state = state_of(connection, letter)
        if state is None or (state == "failed" and self.to is not None):
            return self._redeliver(connection, letter, who)
        if state == "failed":
            return self._reopen(connection, letter, who)
        if _waited_for(connection, letter, state):
            return self._redeliver(connection, letter, who)
        if state in IN_WORK:
            return Result(letter_id, "refused", f"its file is in work just now ({state}); see how that ends")
        return _resolve(connection, letter, who, f"nothing is left to do: the file is {state} meanwhile")

    def _reopen(self, connection: Connection, letter: Row[Any], who: str) -> Result:
        opened = reopen(
            connection,
            letter.session_id,
            self.hashers,
            who,
            item_ids=[letter.item_id],
            mockup_id=letter.mockup_id,
        )
        if not opened:
            return Result(letter.id, "refused", "somebody else has taken its file up again just now")
        file = letter.files[0]["filename"]
        what = f"a listing of {file}" if letter.mockup_id else file
        return Result(letter.id, "reopened", f"{what} is being worked on again", f"{what} would be worked on again")

    def _redeliver(self, connection: Connection, letter: Row[Any], who: str) -> Result:
        replay_id = uuid4()
        target = self.to or letter.service
        words = f"sent to {target}, where it did not die" if self.to else f"sent to {target} again"
        taken = {"status": "replaying", "outcome": words, "status_by": who, "replay_id": replay_id}
        if not change(connection, letter.id, target_generation=None, **taken):
            return Result(letter.id, "refused", "somebody else has replayed it just now")
        headers = replayed_headers(letter.headers, replay_id, next_life(letter))
        owe_redelivery(connection, letter.lane, target, body_of(letter), headers, replay_id)
        return Result(letter.id, "redelivered", words, f"it would be {words}")


def _lost(error: BaseException) -> bool:
    """Whether another transaction was in the way: a deadlock, say."""
    return isinstance(error, Retryable) and not isinstance(error, Unavailable)


def next_life(letter: Row[Any]) -> int:
    """Which life a replay is, 0 being the first; the column is called generation. Its file's generation is another."""
    return int(letter.generation) + 1


def replayed_headers(headers: Mapping[str, Any], replay_id: UUID, life: int) -> dict[str, Any]:
    """A dead letter's headers for its next life: its own, without those of its death."""
    kept = {
        name: value
        for name, value in headers.items()
        if name not in OF_DEATH and not name.startswith(KIN) and isinstance(value, str | int | float)
    }
    return kept | {"x-generation": life, "x-replay-id": str(replay_id)}


def body_of(letter: Row[Any]) -> bytes:
    """The bytes that died."""
    return bytes(letter.raw) if letter.raw is not None else str(letter.body).encode()


def state_of(connection: Connection, letter: Row[Any]) -> str | None:
    """How the file or listing stands that failed with the letter. None: none did, or it isn't known here."""
    if letter.item_id is None or letter.session_id is None:
        return None
    if letter.mockup_id is None:
        found = select(items.c.state).where(items.c.id == letter.item_id)
    else:
        found = select(listings.c.state).where(
            listings.c.item_id == letter.item_id, listings.c.mockup_id == letter.mockup_id
        )
    return connection.execute(found).scalar_one_or_none()


def _waited_for(connection: Connection, letter: Row[Any], state: str) -> bool:
    """Whether its file may wait for this very letter, or others do when its own has ended."""
    if state in IN_WORK:
        return bool(letter.service == "ingest")  # told too late, it changes nothing (`lifecycle/projection.py`)
    waited_for = select(OTHERS_WAIT).select_from(dead_letters).where(dead_letters.c.id == letter.id)
    return bool(connection.execute(waited_for).scalar_one())


def _resolve(connection: Connection, letter: Row[Any], who: str, words: str) -> Result:
    if not change(connection, letter.id, status="resolved", outcome=words, status_by=who):
        return Result(letter.id, "refused", "somebody else has dealt with it just now")
    return Result(letter.id, "resolved", words)


def change(connection: Connection, letter_id: UUID, **values: object) -> bool:
    """Whether this was the one that took the letter. The guard against doing it twice is in this condition."""
    waiting = (dead_letters.c.id == letter_id, dead_letters.c.status.in_(OPEN))
    return bool(connection.execute(update(dead_letters).where(*waiting).values(**values, status_at=CLOCK)).rowcount)


def why_not(connection: Connection, letter: Row[Any], cutoff: datetime | None = None) -> str:
    """Why a letter can't be replayed; empty if it can. Of one that is being replayed: by which run."""
    if letter.status not in OPEN:
        who = f" by {letter.status_by}" if letter.status_by else ""
        since = f"{letter.status_at:%Y-%m-%d %H:%M:%S}"
        words = f"it is {letter.status} since {since}{who}: {letter.outcome or ''}".rstrip(": ")
        run_id = _last_run(connection, letter.id) if letter.status == "replaying" else None
        return f"{words}; run {run_id}" if run_id else words
    if cutoff is not None and letter.kept_at > cutoff:
        return "it died after this replay was confirmed"
    return ""


def _last_run(connection: Connection, letter_id: UUID) -> UUID | None:
    sent = select(audit.c.run_id).where(audit.c.letter_id == letter_id, audit.c.result.in_(SENT))
    return connection.execute(sent.order_by(audit.c.at.desc()).limit(1)).scalar_one_or_none()
