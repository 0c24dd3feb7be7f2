"""Streams of a session's events: frames for the existing frontend, numbered events for everybody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from services.ingest.sessions.lifecycle.records import Event, Session
from services.ingest.sessions.progress.time_left import TimeLeft
from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.watching import Watcher

KEEPALIVE_S = 30.0
QUIET_S = 15.0
"""After which a stream of numbered events says that it is still there: half of what proxies commonly wait."""
LOOK_S = 2.0
"""How often a stream asks whether its session's work waits for something, for a NAS that is away, say.

All streams ask at the same moments (multiples of it), so that those of one session share one question.
"""
NEARLY = 0.8
"""The share of LOOK_S that must have passed since a stream last asked. Less than 1: a stream that was woken late, and
asked late, must not skip the next common moment for that."""
LINGER_S = 5.0
"""How long a stream stays open after its last frame: the old system's clients close it themselves after 2 s."""


class EventStream(StreamingResponse):
    """Server-sent events. FastAPI's own `EventSourceResponse` has four tasks and two queues for each stream; thousands
    of streams may be open, and all want to hear of the same event within a second.
    """

    media_type = "text/event-stream"

    def __init__(
        self, told: AsyncIterator[bytes], status_code: int = 200
    ) -> None:  # FastAPI's pages read the code here
        # Neither a cache nor a proxy may keep them back.
        super().__init__(told, status_code, {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


async def as_frames(told: AsyncIterator[dict[str, Any]] | None) -> AsyncIterator[bytes]:
    """Frames for the existing frontend, on the wire; None: there is nothing to tell."""
    if told is not None:
        async for frame in told:
            yield format_sse_event(data_str=json.dumps(frame))


async def as_events(told: AsyncIterator[Event | None]) -> AsyncIterator[bytes]:
    """Numbered events on the wire; a silence is a comment, so that nothing on the way takes the line for dead."""
    async for event in told:
        if event is None:
            yield format_sse_event(comment="still here")
        else:
            data = json.dumps(jsonable_encoder(event_body(event)))
            yield format_sse_event(data_str=data, id=str(event.seq), event=event.type)


def event_body(event: Event) -> dict[str, Any]:
    """An event as clients read it, in a list and in a stream."""
    # As text here: as a list and as a stream the moment would be written in two ways.
    at = event.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"seq": event.seq, "type": event.type, "item_id": event.item_id, "at": at, **event.payload}


async def frames(
    sessions: Sessions,
    watcher: Watcher,
    session: Session,
    *,
    trouble: Callable[[Session, Totals], str | None] = lambda *_: None,
    left: Callable[[Session, str | None], TimeLeft | None] = lambda *_: None,
    keepalive_s: float = KEEPALIVE_S,
) -> AsyncIterator[dict[str, Any]]:
    """The latest frame at once, then one for each change; after each silence a keepalive; ends after the end.

    When `trouble` has other words than before for what the work waits for, the latest frame is told again with them.
    `left` says how long the upload still takes, given these words.
    """
    clock = asyncio.get_running_loop().time
    event: Event | None = None
    seen, cause, looked, spoke = 0, None, float("-inf"), clock()
    told_at = session.announced_at  # no frame is of a moment before the last one's, however late its event is heard of
    with watcher.watch(session.id, shows=True) as watch:
        while not watcher.stopping.is_set():
            if event is None or watcher.newest(session.id) != event.seq:
                event = await watcher.ask_together(session.id, sessions.last_event, session.id)
            cause_before, ended = cause, event is not None and event.payload["finished"]
            if event is not None and ended is not session.finished:  # it has ended, or goes on after its end
                now = await watcher.ask_together(session.id, sessions.get, session.user_id, session.id)
                session = now or session
            state = (session.id, session.lane, session.finished)
            if event is not None and not ended and clock() >= looked + NEARLY * min(LOOK_S, keepalive_s):
                looked, about = clock(), (*state, event.seq)
                cause = await watcher.ask_together(about, trouble, session, views.totals_at(event))
            is_news = event is not None and event.seq > seen
            cause = None if is_news and ended else cause
            if event is not None and (is_news or (cause != cause_before and not ended)):
                seen, spoke = max(seen, event.seq), clock()
                time_left = await watcher.ask_together((*state, cause), left, session, cause)
                told_at = max(told_at, event.created_at if is_news else datetime.now(UTC))
                yield views.progress_frame(session, event, cause, told_at, time_left)
            elif clock() >= spoke + keepalive_s:
                spoke = clock()
                told_at = max(told_at, datetime.now(UTC))
                yield {"type": "keepalive", "timestamp": str(told_at.astimezone(UTC).replace(tzinfo=None))}
            if ended:
                watch.ended.set()
            # all at the same moments, so that those of one session ask once
            look_s = min(LOOK_S - clock() % LOOK_S, keepalive_s)
            changed = await watch.wait(LINGER_S if ended else look_s)
            if ended and not changed:
                return


async def events(sessions: Sessions, watcher: Watcher, session: Session, after: int) -> AsyncIterator[Event | None]:
    """Every event after a sequence number, in order and without gap; ends when the session has. None: a silence."""
    with watcher.watch(session.id) as watch:
        while not watcher.stopping.is_set():
            batch = await watcher.ask_together((session.id, after), sessions.events, session.id, after)
            for event in batch:
                after = event.seq
                yield event
            if batch:
                continue
            now = await watcher.ask_together(session.id, sessions.get, session.user_id, session.id)
            if now is None or (now.finished and now.last_seq <= after):
                return
            if not await watch.wait(QUIET_S):
                yield None
