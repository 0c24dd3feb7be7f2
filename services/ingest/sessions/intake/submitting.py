"""How an upload becomes a session's own: rows and the messages that start the work, in one commit, once."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.ingest.catalog.duplicates import DEFAULT, current
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.records import Choice, Received, Session
from services.ingest.sessions.lifecycle.rows import session_of
from services.ingest.sessions.outgoing.batching import batches
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress import earlier_uploads
from services.ingest.sessions.progress.workload import weight
from services.ingest.sessions.states import KEEP, is_cancelled
from services.ingest.sessions.tables import NOW, items, sessions
from shared.contracts import (
    BatchSubmitted,
    Blob,
    Destination,
    ImageFailed,
    ImageRejected,
    PrintSpec,
    Stage,
    UploadedFile,
)


class SessionTaken(Exception):  # noqa: N818
    """The session id was used before, for other files or other choices."""


class SessionCancelled(Exception):  # noqa: N818
    """It was cancelled before its files were there."""


def create(connection: Connection, session_id: UUID, user_id: UUID, key: str, files: int, size: int) -> Row[Any]:
    """The user's session of this key, made now unless it is there, and locked. `size` in bytes."""
    new = upsert(sessions).values(
        id=session_id, user_id=user_id, client_key=key, state="announced", announced_files=files, announced_bytes=size
    )
    made = connection.execute(new.on_conflict_do_nothing().returning(sessions.c.id)).one_or_none()
    if made:
        timeline.append(connection, session_id, "announced", {}, facts={"files": files, "bytes": size})
    mine = select(sessions).where(sessions.c.user_id == user_id, sessions.c.client_key == key)
    return connection.execute(mine.with_for_update()).one()


def submit(
    connection: Connection,
    hashers: int,
    user_id: UUID,
    key: str,
    choice: Choice,
    files: Sequence[Received],
    lane: str,
    lane_reason: str | None = None,
) -> tuple[Session, bool]:
    """Take the files in, once. True: this call did; False: an equal call had done so before.

    Raises:
        SessionTaken: the key was used for something else.
        SessionCancelled: nobody wants these files any more.
    """
    row = create(connection, uuid4(), user_id, key, len(files), sum(file.upload.size for file in files))
    if row.submitted_at is not None:
        if row.manifest != _manifest(_as_taken_in(choice, row.choice), files):
            raise SessionTaken(key)
        return session_of(row), False
    if row.cancelled_at is not None:
        raise SessionCancelled(key)
    weighs = sum(weight(file.upload.size) for file in files)
    chosen = {"lane": lane, "lane_reason": lane_reason} | _settings(connection, user_id, choice)
    costs = earlier_uploads.costs(connection, user_id, lane, weighs).as_json()
    choice_json = choice.as_json()
    once = {"manifest": _manifest(choice_json, files), "submitted_at": NOW, "choice": choice_json, "costs": costs}
    this_session = sessions.c.id == row.id
    connection.execute(update(sessions).where(this_session).values(**chosen, **once))
    connection.execute(insert(items), [_item(row, index, file, choice) for index, file in enumerate(files)])
    facts = {name: chosen[name] for name in ("lane", "lane_reason", "duplicates")}
    timeline.append(connection, row.id, "submitted", {"received": len(files)}, facts=facts, weighs=weighs)
    row = connection.execute(select(sessions).where(this_session)).one()
    of_session = select(items).where(items.c.session_id == row.id).order_by(items.c.index)
    owe_files(connection, row, connection.execute(of_session).all(), hashers)
    return session_of(row), True


def _settings(connection: Connection, user_id: UUID, choice: Choice) -> dict[str, Any]:
    """How near copies are dealt with in this upload: as it says itself, else as its user has set it just now."""
    setting = current(connection, user_id)
    return {"duplicates": choice.duplicates or setting.policy, "duplicate_distance": setting.distance}


def refusal(item: Row[Any]) -> ImageRejected:
    """The rejection of a file that was refused on receipt."""
    return ImageRejected(**_file(item), code="too_large", reason=item.facts["refused"])


def failure(item: Row[Any], stage: Stage, reason: str, mockup_id: UUID | None = None) -> ImageFailed:
    """The word that a file has failed; with a mockup id, that this listing of it has."""
    return ImageFailed(**_file(item), failed_stage=stage, reason=reason, mockup_id=mockup_id)


def failed_before(item: Row[Any]) -> ImageFailed:
    """The word once more that a file has failed, which has no design, for services that may not have heard it.

    When ingest itself gave it up, or somebody cancelled it, the others went on with it, and may have stored it;
    whatever they had in hand is over now.
    """
    stage = item.facts.get("failed_stage", "storage")
    went_on = stage == "ingest" or is_cancelled(item.state, item.facts)
    return failure(item, "storage" if went_on else stage, item.reason)


def work(session: Row[Any], rows: Sequence[Row[Any]], hashers: int) -> Iterator[BatchSubmitted]:
    """The batches that these files of a session make, but for those that were refused."""
    files = [uploaded_file(row) for row in rows if "refused" not in row.facts]
    for number, batch in enumerate(batches(files, hashers)):
        yield BatchSubmitted(
            tenant_id=session.user_id,
            session_id=session.id,
            batch=number,
            files=batch,
            print_spec=PrintSpec.model_validate(session.choice["print_spec"]),
            destination=Destination.model_validate(session.choice["destination"]),
            duplicates=session.duplicates or DEFAULT,  # one that an older release took in has none
            duplicate_distance=session.duplicate_distance,
        )


def uploaded_file(row: Row[Any]) -> UploadedFile:
    """A file as it was received."""
    return UploadedFile(
        item_id=row.id,
        index=row.index,
        generation=row.generation,
        filename=row.filename,
        upload=Blob(sha256=row.sha256, size=row.size),
        kept=row.review == KEEP,
    )


def owe_files(connection: Connection, session: Row[Any], rows: Sequence[Row[Any]], hashers: int) -> None:
    """Owe the work on these files of a session, and of those that were refused their rejection."""
    for row in rows:
        if "refused" in row.facts:
            owe(connection, session.lane, refusal(row))
    for batch in work(session, rows, hashers):
        owe(connection, session.lane, batch)


def _file(item: Row[Any]) -> dict[str, Any]:
    """Which file an event is about."""
    return {
        "tenant_id": item.user_id,
        "session_id": item.session_id,
        "item_id": item.id,
        "index": item.index,
        "generation": item.generation,
        "filename": item.filename,
    }


def _item(session: Row[Any], index: int, file: Received, choice: Choice) -> dict[str, Any]:
    return {
        # The id follows from the place in the session: the same upload sent again means the same designs.
        "id": uuid5(session.id, f"item:{index}"),
        "session_id": session.id,
        "user_id": session.user_id,
        "index": index,
        "filename": file.filename,
        "sha256": file.upload.sha256,
        "size": file.upload.size,
        "state": "received",
        "template_id": choice.template_id,
        "canvas_config_id": choice.canvas_config_id,
        "description": choice.description,
        "is_digital": choice.destination.digital,
        "facts": {"refused": file.refused} if file.refused else {},
    }


def _as_taken_in(choice: Choice, before: dict[str, Any]) -> dict[str, Any]:
    """The choice, with what the catalog said of it when it came first.

    Who sends again after a broken line asks for the same, though a size or a name was changed in another tab meanwhile.
    """
    destination = {name: before["destination"][name] for name in ("shop", "template")}
    asked = choice.as_json()
    return asked | {"print_spec": before["print_spec"], "destination": asked["destination"] | destination}


def _manifest(choice: dict[str, Any], files: Sequence[Received]) -> str:
    """A digest of what was chosen and sent, in order."""
    content = [choice, [[file.filename, file.upload.sha256] for file in files]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
