"""Dead letters go into the database, and the files that they were about fail in words: no session waits for ever."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters.letters import WORK, files_of, row_of, uuid_of
from services.ingest.dead_letters.replaying import next_life
from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.error_words import cause_in_words, for_seller
from services.ingest.sessions.tables import sessions
from services.ingest.tables import CLOCK
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Undecodable, unseal
from shared.contracts import BatchSubmitted, ImageFailed, Message, Stage
from shared.database import transaction

DONE: Mapping[Stage, str] = {
    "ingest": "could not be worked on",
    "hasher": "could not be prepared",
    "dedup": "could not be compared",
    "storage": "could not be stored",
    "mockup": "got no mockups",
    "publisher": "could not be listed",
}
NUMBER_CHARS = 8
"""How much of a letter's id people are told: that is enough to find it by."""
MOST_REPLAYS = 1_000_000


@dataclass(frozen=True)
class Archive:
    """The dead letters of every service. `loose_lane` is where what belongs to no session is worked on."""

    engine: Engine
    loose_lane: str = COMPREHENSIVE

    def keep(self, letter: DeadLetter, message: Message | None = None) -> None:
        """Store a letter, once; if a replay ended in it, the replayed letter says so from now on."""
        row = row_of(letter, message)
        with transaction(self.engine) as connection:
            replayed = _replayed(connection, row)
            row |= {"lane": self._lane(connection, row["session_id"])} | _lineage(row, replayed)
            if _is_shared_out(message):
                row |= {"status": "resolved", "outcome": f"its {len(row['files'])} files were sent again one by one"}
            new = insert(dead_letters).values(**row).on_conflict_do_nothing().returning(dead_letters.c.id)
            if connection.execute(new).one_or_none() and replayed:
                ended = {"status": "superseded", "outcome": f"it died again, as {letter.id}", "status_at": CLOCK}
                earlier = dead_letters.c.id.in_([each.id for each in replayed])
                connection.execute(update(dead_letters).where(earlier).values(**ended))

    def _lane(self, connection: Connection, session_id: UUID | None) -> str:
        lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == session_id)).scalar_one_or_none()
        return lane or self.loose_lane


def on_dead_letter(letter: DeadLetter, archive: Archive) -> Iterator[ImageFailed | BatchSubmitted]:
    """Keep it, then see to the files that it was about."""
    try:
        message = unseal(letter.raw or letter.body.encode()).message
    except Undecodable:
        archive.keep(letter)  # for a person; whose it was can't be read
        return
    try:
        archive.keep(letter, message)
    except DataError:  # no row can hold what it says: a generation beyond all bounds, say
        archive.keep(letter)
        return
    if isinstance(message, BatchSubmitted) and _is_shared_out(message):
        # One of them may have killed its hasher, again and again: alone, it takes nobody with it.
        yield from (message.model_copy(update={"files": (file,)}) for file in message.files)
    else:
        number = str(letter.id)[:NUMBER_CHARS]
        cause = for_seller(cause_in_words(letter.cause))
        words = f"{cause}; try it again later, or tell your operator the number {number}"
        yield from failures(message, letter.service, words)


def failures(message: Message, service: Stage, words: str) -> Iterator[ImageFailed]:
    """One failure for each file whose work a service gave up: what its seller reads, so no SQL, stack or ids."""
    if not isinstance(message, WORK[service]):
        return
    if isinstance(message, ImageFailed) and message.failed_stage == service:
        return  # said already: it would die of its own news again and again
    for file in files_of(message):
        yield ImageFailed(failed_stage=service, reason=f"{file['filename']} {DONE[service]}: {words}", **file)


def _is_shared_out(message: Message | None) -> bool:
    return isinstance(message, BatchSubmitted) and len(message.files) > 1


def _replayed(connection: Connection, row: dict[str, Any]) -> list[Any]:
    """The letters whose replay ended in this one: its own header names one, or the file was reopened for them."""
    which: list[ColumnElement[bool]] = []
    if replay_id := uuid_of(row["headers"].get("x-replay-id")):
        # A replay that nothing came back from for a while counts as resolved or dead again; this came back after all.
        # One that was sent edited has been superseded since.
        still = dead_letters.c.status.in_(("replaying", "resolved", "dead_again", "superseded"))
        which.append(and_(still, dead_letters.c.replay_id == replay_id))
    if item_id := row.get("item_id"):
        about_it = and_(
            dead_letters.c.status == "replaying",
            dead_letters.c.item_id == item_id,
            dead_letters.c.mockup_id.is_not_distinct_from(row["mockup_id"]),
            dead_letters.c.target_generation <= row["item_generation"],
        )
        which.append(about_it)
    if not which:
        return []
    found = select(dead_letters).where(or_(*which), dead_letters.c.id != row["id"])
    rows = connection.execute(found.order_by(dead_letters.c.id).with_for_update()).all()
    return sorted(rows, key=lambda row: row.kept_at, reverse=True)


def _lineage(row: dict[str, Any], replayed: list[Any]) -> dict[str, Any]:
    """Which life of the message this was, and the letter that it had died as before."""
    header = row["headers"].get("x-generation")
    life = header if isinstance(header, int) and 0 < header < MOST_REPLAYS else 0
    if not replayed:
        return {"generation": life}
    return {"status": "dead_again", "replay_of": replayed[0].id, "generation": next_life(replayed[0])}
