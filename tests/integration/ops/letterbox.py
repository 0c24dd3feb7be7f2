"""Sessions and dead letters as rows, without anything that works on them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine, select, text

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters.replaying import Replays
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving.store import Sessions
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import Envelope, seal
from shared.contracts import (
    BatchSubmitted,
    ImageAccepted,
    ImageFailed,
    Message,
    Stage,
    StoreFile,
    UploadedFile,
)
from tests.integration.uploads import BLOB, PREPARED, choice, project, received

_deaths = count()
PLACE = PREPARED["destination"]
STACK = """Traceback (most recent call last):
  File "/app/shared/bus/delivery.py", line 161, in work
    for index, message in enumerate(handler.call(envelope.message) or ()):
  File "/app/services/storage/filing.py", line 58, in place
    raise OSError
OSError: a disk
"""


@dataclass
class Letterbox:
    """What a test knows of one tenant's sessions, and the handlers of ingest on their rows."""

    engine: Engine
    tenant: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.engine, hashers=8)
        self.replays = Replays(self.engine, hashers=8)

    def submitted(self, *names: str, lane: str = "comprehensive") -> Session:
        chosen = replace(choice(), template_id=uuid4(), mockup_id=None, destination=PLACE)
        return self.sessions.submit(self.tenant, str(uuid4()), chosen, received(*names), lane)[0]

    def project(self, *events: Message) -> list[Message]:
        return project(self.engine, *events)

    def about(self, session: Session, index: int, generation: int = 0) -> dict[str, Any]:
        row = self.sessions.items(session)[index]
        same = {"tenant_id": self.tenant, "session_id": session.id, "item_id": row["id"], "index": index}
        return same | {"generation": generation, "filename": row["filename"]}

    def accepted(self, session: Session, index: int, generation: int = 0) -> ImageAccepted:
        return ImageAccepted(**self.about(session, index, generation), **PREPARED)

    def failed(self, session: Session, index: int, generation: int = 0) -> ImageFailed:
        return ImageFailed(**self.about(session, index, generation), failed_stage="hasher", reason="gave up")

    def batch(self, session: Session) -> BatchSubmitted:
        rows = self.sessions.items(session)
        files = [UploadedFile(item_id=r["id"], index=r["index"], filename=r["filename"], upload=BLOB) for r in rows]
        return BatchSubmitted(
            tenant_id=self.tenant,
            session_id=session.id,
            batch=0,
            files=tuple(files),
            print_spec=choice().print_spec,
            destination=PLACE,
        )

    def loose(self, path: str = "a.png", **headers: Any) -> UUID:
        """A letter about no file."""
        return self.dies("storage", StoreFile(tenant_id=self.tenant, shop="s", path=path, content=BLOB), **headers)

    def dies(self, service: Stage, message: Message | bytes, cause: str = "OSError: a disk", **headers: Any) -> UUID:
        """Have a message end in a service's dead-letter queue, with all that follows from it in ingest."""
        return self.dies_of(dead(service, message, cause, **headers))

    def dies_of(self, letter: DeadLetter) -> UUID:
        """The same of a letter as it is."""
        self.project(*(answer for answer in self.project(letter) if isinstance(answer, ImageFailed)))
        return letter.id

    def archived(self, service: Stage, message: Message, **headers: Any) -> UUID:
        """The letter alone: ingest has not heard yet that its files have failed."""
        letter = dead(service, message, **headers)
        self.project(letter)
        return letter.id

    def letter(self, letter_id: UUID) -> dict[str, Any]:
        with self.engine.connect() as connection:
            row = connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).mappings().one()
            return dict(row)

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), values))


def dead(service: Stage, message: Message | bytes, cause: str = "OSError: a disk", **headers: Any) -> DeadLetter:
    """A letter as the bus hands it over; every call is another death."""
    session = getattr(message, "session_id", None)
    body = message if isinstance(message, bytes) else seal(
        Envelope(uuid4(), message, "ingest", str(session) if session else None)
    )  # fmt: skip
    told = {
        "x-cause": cause,
        "x-stack": STACK,
        "x-service": service,
        "x-attempt": 6,
        "x-first-failed-at": "2026-01-02T03:04:05+00:00",
        "x-dead-at": datetime(2026, 1, 2, 4, 0, 0, next(_deaths), UTC).isoformat(),
    }
    return DeadLetter.of(service, body, told | {name.replace("_", "-"): value for name, value in headers.items()})
