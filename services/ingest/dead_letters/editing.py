"""Sends an edited copy of a dead letter in its place: a new message that names the old one as its cause.

The copy is read as its service reads it, so it can't be worse than what anybody may send. Whose it is can't be edited.
The letter is superseded in the same transaction: the original is never sent too.
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, select, update

from services.ingest.catalog.duplicates import DEFAULT
from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.replaying import (
    IN_WORK,
    Result,
    body_of,
    change,
    next_life,
    replayed_headers,
    state_of,
    why_not,
)
from services.ingest.sessions.actions.reopening import reopen
from services.ingest.sessions.outgoing.outbox import owe_redelivery
from services.ingest.sessions.states import KEEP
from services.ingest.sessions.tables import items, sessions
from shared.bus.envelope import Envelope, Undecodable, seal, unseal
from shared.contracts import (
    BatchSubmitted,
    ImageAccepted,
    ImageHashed,
    Message,
    MockupsRendered,
    MockupsRequested,
    Stage,
)
from shared.database import transaction

WHOSE = {"tenant_id", "session_id", "item_id", "index", "mockup_id", "revision"}
BEGINS = (BatchSubmitted, ImageHashed, ImageAccepted, MockupsRequested, MockupsRendered)
"""With these a file or a listing can be taken up again in the middle."""


class NotSent(Exception):  # noqa: N818 - reads as what happened
    """The edited copy was refused, and nothing was done; in words."""


def edit(engine: Engine, letter_id: UUID, edited: Mapping[str, Any], run: Run) -> Result:
    """Send the edited message instead of the letter, once.

    Raises:
        NotSent: it can't be, and why.
        Unavailable: the database went away.
    """
    with transaction(engine) as connection:
        letter = connection.execute(select(dead_letters).where(dead_letters.c.id == letter_id)).one_or_none()
        if letter is None or (refusal := why_not(connection, letter)):
            raise NotSent("there is no such letter" if letter is None else refusal)
        message = _checked(letter, edited)
        run.begin(connection, {"ids": [str(letter_id)]}, 1)
        result = _send(connection, letter, message, run.who)
        run.note(connection, letter_id, result.result, f"{result.words}\n{_difference(letter.body, edited)}")
        run.end(connection, {result.result: 1})
    return result


def _checked(letter: Row[Any], edited: Mapping[str, Any]) -> Message:
    """The message, if its service can read it and it is still about the same."""
    try:
        message = unseal(json.dumps(edited).encode()).message
    except Undecodable as error:
        raise NotSent(f"the edited message is none: {error}") from error
    if unknown := _unknown(edited["data"], message.model_dump(mode="json")):
        raise NotSent(f"{type(message).__name__} has no field {unknown}; is it misspelt?")
    try:
        old = unseal(body_of(letter)).message
    except Undecodable:
        return message  # whose it was could not be read
    if type(old) is not type(message):
        raise NotSent(f"it is {type(old).__name__} and stays so")
    if changed := [name for name in sorted(WHOSE) if _named(old, name) != _named(message, name)]:
        raise NotSent(f"whose it is can't be edited: {', '.join(changed)}")
    if old == message:
        raise NotSent("nothing is edited; replay it")
    return message


def _send(connection: Connection, letter: Row[Any], message: Message, who: str) -> Result:
    replay_id, message_id, service = uuid4(), uuid4(), letter.service
    words = f"sent edited, as message {message_id}"
    taken = {"status": "superseded", "outcome": words, "status_by": who, "replay_id": replay_id}
    state = state_of(connection, letter)
    if state is None:
        is_ours = change(connection, letter.id, target_generation=None, **taken)
    elif state == "failed":
        message, service = _as_beginning(connection, message, letter)
        is_ours, message = _taken_up(connection, letter, message, who)
        connection.execute(update(dead_letters).where(dead_letters.c.id == letter.id).values(**taken))
    else:
        at_work = "in work just now" if state in IN_WORK else "over meanwhile, so nothing is left to do"
        raise NotSent(f"what it is about is {at_work} ({state})")
    if not is_ours:
        raise NotSent("somebody else has dealt with it just now")
    sealed = seal(Envelope(message_id, message, "ingest", str(letter.session_id or "") or None, letter.message_id))
    headers = replayed_headers(letter.headers, replay_id, next_life(letter))
    owe_redelivery(connection, letter.lane, service, sealed, headers, replay_id)
    return Result(letter.id, "edited", words)


def _as_beginning(connection: Connection, message: Message, letter: Row[Any]) -> tuple[Message, Stage]:
    """What a failed file or listing goes on with. What was accepted passes duplicate detection again."""
    if isinstance(message, ImageAccepted):
        return ImageHashed.model_validate(message.model_dump() | _policy(connection, letter)), "dedup"
    if not isinstance(message, BEGINS):
        raise NotSent(f"a file can't be taken up with {type(message).__name__}; replay it: it begins anew")
    return message, letter.service


def _policy(connection: Connection, letter: Row[Any]) -> dict[str, Any]:
    """How the letter's file and its upload want duplicates dealt with, which no acceptance says."""
    settings = select(sessions.c.duplicates, sessions.c.duplicate_distance, items.c.review).join(items)
    row = connection.execute(settings.where(items.c.id == letter.item_id)).one()
    wanted = {"duplicates": row.duplicates or DEFAULT, "duplicate_distance": row.duplicate_distance}
    return wanted | {"kept": row.review == KEEP}


def _taken_up(connection: Connection, letter: Row[Any], message: Message, who: str) -> tuple[bool, Message]:
    """Reopen the file or listing for this message alone."""
    opened = reopen(connection, letter.session_id, None, who, item_ids=[letter.item_id], mockup_id=letter.mockup_id)
    rows = opened.listings if letter.mockup_id else opened.files
    if not rows:
        return False, message
    generation = {"generation": rows[0].generation}
    if isinstance(message, BatchSubmitted):
        files = tuple(file.model_copy(update=generation) for file in message.files)
        return True, message.model_copy(update={"files": files})
    return True, message.model_copy(update=generation)


def _named(message: Message, name: str) -> object:
    """A field; of a batch that of each file."""
    if isinstance(message, BatchSubmitted) and name in ("item_id", "index"):
        return [getattr(file, name) for file in message.files]
    return getattr(message, name, None)


def _unknown(given: object, known: object, place: str = "") -> str:
    """The first field that the contract does not have: reading ignores it, and somebody meant it."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for name, value in given.items():
            if name not in known:
                return f"{place}{name}"
            if found := _unknown(value, known[name], f"{place}{name}."):
                return found
    if isinstance(given, list) and isinstance(known, list):
        return next((found for pair in zip(given, known, strict=False) if (found := _unknown(*pair, place))), "")
    return ""


def _difference(body: str, edited: Mapping[str, Any]) -> str:
    """What was edited, line by line."""
    try:
        before = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        before = body
    after = json.dumps(edited, indent=2, ensure_ascii=False)
    return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "died", "sent", lineterm="", n=1))
