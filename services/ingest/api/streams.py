"""Streams of a session's events: frames for the existing frontend, numbered events for everybody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from services.ingest.sessions import reading
from services.ingest.sessions.records import Event, Session
from services.ingest.sessions.store import Sessions
from services.ingest.sessions.watching import Watcher

KEEPALIVE_S = 30.0
LINGER_S = 5.0
"""How long a stream stays open after its last frame: the old system's clients close it themselves after 2 s."""


async def frames(
    sessions: Sessions,
    watcher: Watcher,
    session: Session,
    *,
    trouble: Callable[[], str | None] = lambda: None,
    keepalive_s: float = KEEPALIVE_S,
) -> AsyncIterator[dict[str, Any]]:
    """The latest frame at once, then one for each change; after each silence a keepalive; ends after the end.

    While `trouble` has words for why the NAS can't be used, the latest frame is told again with them instead.
    """
    seen, latest = 0, {}
    with watcher.watch(session.id, shows=True) as watch:
        while not watcher.stopping.is_set():
            event = await watcher.ask(sessions.last_event, session.id)
            if event is not None and event.seq > seen:
                seen, latest = event.seq, reading.progress_frame(session, event)
                yield latest
            ended = event is not None and event.payload["finished"]
            if ended:
                watch.ended.set()
            changed = await watch.wait(LINGER_S if ended else keepalive_s)
            if ended and not changed:
                return
            cause = None if changed or not latest else await asyncio.to_thread(trouble)
            if cause:
                yield latest | {"message": f"{latest['message']} - waiting for the NAS: {cause}"}
            elif not changed:
                yield {"type": "keepalive", "timestamp": str(datetime.now(UTC).replace(tzinfo=None))}


async def events(sessions: Sessions, watcher: Watcher, session: Session, after: int) -> AsyncIterator[Event]:
    """Every event after a sequence number, in order and without gap; ends when the session has."""
    with watcher.watch(session.id) as watch:
        while not watcher.stopping.is_set():
            batch = await watcher.ask(sessions.events, session.id, after)
            for event in batch:
                after = event.seq
                yield event
            if batch:
                continue
            now = await watcher.ask(sessions.get, session.user_id, session.id)
            if now is None or (now.finished and now.last_seq <= after):
                return
            await watch.wait(KEEPALIVE_S)
