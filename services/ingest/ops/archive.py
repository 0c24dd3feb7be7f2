"""Dead letters go into the database, and the files that they were about fail in words: no session waits for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from services.ingest.ops.letters import row_of
from services.ingest.sessions.tables import dead_letters
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Undecodable, unseal
from shared.contracts import (
    BatchSubmitted,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    Message,
    MockupsRendered,
    MockupsRequested,
    Stage,
    StorageFailed,
)
from shared.database import transaction

ADVICE = "The file itself may be fine: upload it again later, or tell your operator the number"
IDENTITY = {"item_id", "index", "generation", "filename"}

# What each service is there to do for a file. Giving up anything else leaves the file where it is: a stored design
# does not fail because a copy of its mockups could not be kept.
WORK: dict[Stage, tuple[type[Message], ...]] = {
    "ingest": (ImageHashed, ImageRejected, ImageAccepted, DuplicateFound, DesignStored, StorageFailed),
    "hasher": (BatchSubmitted,),
    "dedup": (ImageHashed,),
    "storage": (ImageAccepted, DuplicateFound, ImageRejected),
    "mockup": (MockupsRequested,),
    "publisher": (MockupsRendered,),
}


@dataclass(frozen=True)
class Archive:
    """The dead letters of every service."""

    engine: Engine

    def keep(self, letter: DeadLetter) -> None:
        """Store a letter, once."""
        with transaction(self.engine) as connection:
            connection.execute(insert(dead_letters).values(**row_of(letter)).on_conflict_do_nothing())


def on_dead_letter(letter: DeadLetter, archive: Archive) -> Iterator[ImageFailed | BatchSubmitted]:
    """Keep it, then see to the files that it was about."""
    archive.keep(letter)
    try:
        message = unseal(letter.body.encode()).message
    except Undecodable:
        return  # kept for a person; whose it was can't be read
    if isinstance(message, BatchSubmitted) and len(message.files) > 1:
        # One of them may have killed its hasher, again and again: alone, it takes nobody with it.
        yield from (message.model_copy(update={"files": (file,)}) for file in message.files)
    else:
        yield from failures(message, letter.service, f"{letter.cause}. {ADVICE} {letter.id}.")


def failures(message: Message, service: Stage, cause: str) -> Iterator[ImageFailed]:
    """One failure for each file whose work a service gave up."""
    if not isinstance(message, WORK[service]):
        return
    for file in _files(message):
        yield ImageFailed(failed_stage=service, reason=f"{service} gave up: {cause}", **file)


def _files(message: Message) -> Iterator[dict[str, Any]]:
    if isinstance(message, BatchSubmitted):
        session = {"tenant_id": message.tenant_id, "session_id": message.session_id}
        yield from ({**session, **file.model_dump(include=IDENTITY)} for file in message.files)
    else:
        yield message.model_dump(include=IDENTITY | {"tenant_id", "session_id", "mockup_id"})
