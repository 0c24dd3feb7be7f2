"""What a dead letter's headers and body tell, as a row of the archive. Never refuses: people write letters too."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.ingest.dead_letters.fingerprint import fingerprint
from shared.bus.dead_letter import DeadLetter, storable
from shared.bus.envelope import attempt_of
from shared.contracts import (
    BatchSubmitted,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    ListingFailed,
    ListingPublished,
    Message,
    MockupFailed,
    MockupsRendered,
    MockupsRequested,
    Stage,
    StorageFailed,
    WorkCancelled,
)

IDENTITY = {"item_id", "index", "generation", "filename"}
DEEPEST = 6

# What each service is there to do for a file, or for those behind it. Giving up anything else leaves the file where it
# is: a stored design does not fail because a copy of its mockups could not be kept.
WORK: Mapping[Stage, tuple[type[Message], ...]] = {
    "ingest": (
        ImageHashed, ImageRejected, ImageAccepted, DuplicateFound, DesignStored, StorageFailed, ImageFailed,
        MockupsRendered, MockupFailed, ListingPublished, ListingFailed,
    ),
    "hasher": (BatchSubmitted,),
    "dedup": (ImageHashed,),
    "storage": (ImageAccepted, DuplicateFound, ImageRejected, ImageFailed, WorkCancelled),
    "mockup": (MockupsRequested,),
    "publisher": (MockupsRendered,),
}  # fmt: skip


def row_of(letter: DeadLetter, message: Message | None = None) -> dict[str, Any]:
    """The columns of `ingest.dead_letters`. `message` is what the body says, where it can be read."""
    now = datetime.now(UTC)
    raw = _fields(letter.body)
    stack = storable(letter.headers.get("x-stack", ""))
    about = _about(letter.service, message)
    mark = fingerprint(letter.cause, stack, [file["filename"] for file in about["files"]])
    return {
        "id": letter.id,
        "service": letter.service,
        "message_type": storable(raw["type"]) if isinstance(raw.get("type"), str) else None,
        "message_id": uuid_of(raw.get("id")),
        "session_id": uuid_of(raw.get("correlationid")) or uuid_of(letter.headers.get("x-session")),
        "cause": letter.cause,
        "error": mark.error,
        "frame": mark.frame,
        "fingerprint": mark.value,
        "attempts": attempt_of(letter.headers),
        "stack": stack,
        "headers": kept(letter.headers),
        "body": letter.body,
        "raw": letter.raw,
        "version": _word(letter.headers.get("x-version")),
        "host": _word(letter.headers.get("x-host")),
        "first_failed_at": _time(letter.headers.get("x-first-failed-at"), now),
        "dead_at": _time(letter.headers.get("x-dead-at"), now),
        **about,
    }


def files_of(message: Message) -> Iterator[dict[str, Any]]:
    """Who each file is that a message is about, and which of its listings; its name as the database takes it."""
    found = []
    if isinstance(message, BatchSubmitted | WorkCancelled):
        session = {"tenant_id": message.tenant_id, "session_id": message.session_id}
        found = [{**session, **file.model_dump(include=IDENTITY)} for file in message.files]
    elif "item_id" in type(message).model_fields and "index" in type(message).model_fields:
        found = [message.model_dump(include=IDENTITY | {"tenant_id", "session_id", "mockup_id"})]
    for file in found:
        yield file | {"filename": storable(file["filename"])}


def kept(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers as JSON, `x-death` and all: for reading."""
    return {storable(name): _json(value, DEEPEST) for name, value in headers.items()}


def _about(service: Stage, message: Message | None) -> dict[str, Any]:
    files = [] if message is None else list(files_of(message))
    told = [{"item_id": str(f["item_id"]), "filename": f["filename"], "generation": f["generation"]} for f in files]
    about: dict[str, Any] = {"tenant_id": getattr(message, "tenant_id", None), "files": told}
    if files:
        about["session_id"] = files[0]["session_id"]
    cancels = isinstance(message, WorkCancelled)  # replayed, it is sent again; its file is not taken up again
    if isinstance(message, WORK[service]) and len(files) == 1 and not cancels:
        about |= {"item_id": files[0]["item_id"], "item_generation": files[0]["generation"]}
        about["mockup_id"] = files[0].get("mockup_id")
    return about


def _json(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if depth and isinstance(value, Mapping):
        return {storable(name): _json(entry, depth - 1) for name, entry in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_json(entry, depth - 1) for entry in value]
    return storable(value)


def _word(value: object) -> str | None:
    return None if value is None else storable(value)[:200]


def _time(value: object, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one so near the ends of the calendar that it is none in UTC
        return otherwise


def _fields(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}


def uuid_of(value: object) -> UUID | None:
    """The id that it says, or none."""
    try:
        return UUID(str(value))
    except ValueError:
        return None
