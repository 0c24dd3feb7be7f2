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
from services.ingest.sessions.serving import progress_frames
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


TroubleOf = Callable[[Session, Totals], str | None]
"""What the work of a session waits for, in words."""
TimeLeftOf = Callable[[Session, str | None], TimeLeft | None]
"""How long a session still takes, given these words."""


async def frames(
    sessions: Sessions,
    watcher: Watcher,
    session: Session,
    *,
    trouble: TroubleOf = lambda *_: None,
    left: TimeLeftOf = lambda *_: None,
    keepalive_s: float = KEEPALIVE_S,
) -> AsyncIterator[dict[str, Any]]:
    """The latest frame at once, then one for each change; after each silence a keepalive; ends after the end, and with
    its account.

    When `trouble` has other words than before for what the work waits for, the latest frame is told again with them.
    """
    stream = _Frames(sessions, watcher, session, trouble, left, keepalive_s)
    with watcher.watch(session.id, shows=True) as watch:
        while not (watcher.stopping.is_set() or watch.closed):
            if event := await stream.to_tell():
                yield await stream.frame(event)
            elif stream.is_silent:
                yield stream.keepalive()
            if not stream.ended:
                await watch.wait(stream.until_next_look_s)
                continue
            watch.ended.set()
            if not await watch.wait(LINGER_S):
                return


class _Frames:
    """What one stream knows of its session, and what it has told."""

    def __init__(
        self,
        sessions: Sessions,
        watcher: Watcher,
        session: Session,
        trouble: TroubleOf,
        left: TimeLeftOf,
        keepalive_s: float,
    ) -> None:
        self.sessions, self.watcher, self.session = sessions, watcher, session
        self.trouble, self.left, self.keepalive_s = trouble, left, keepalive_s
        self.clock = asyncio.get_running_loop().time
        self.event: Event | None = None
        self.cause: str | None = None
        self.asked_at = float("-inf")
        self.spoke_at = self.clock()
        self.told = 0
        """The last event that was told, by its number."""
        self.told_at = session.announced_at
        """No frame is of a moment before the last one's, however late its event is heard of."""

    @property
    def ended(self) -> bool:
        return self.event is not None and bool(self.event.payload["finished"])

    async def to_tell(self) -> Event | None:
        """The latest event, if it is news, or what the work waits for has changed since it was told."""
        if self.event is None or self.watcher.newest(self.session.id) != self.event.seq:
            self.event = await self.watcher.ask_together(self.session.id, self.sessions.last_event, self.session)
        if self.event is None:
            return None
        if self.ended is not self.session.finished:  # it has ended, or goes on after its end
            user_id, session_id = self.session.user_id, self.session.id
            now = await self.watcher.ask_together(session_id, self.sessions.get, user_id, session_id)
            self.session = now or self.session
        waits_otherwise = not self.ended and await self._waits_otherwise(self.event)
        return self.event if self.event.seq > self.told or waits_otherwise else None

    async def frame(self, event: Event) -> dict[str, Any]:
        """The frame of this event, as it stands now."""
        is_news, self.told, self.spoke_at = event.seq > self.told, max(self.told, event.seq), self.clock()
        cause = self.cause = None if self.ended else self.cause
        about = (*self._state, cause)
        time_left = await self.watcher.ask_together(about, self.left, self.session, cause)
        self.told_at = max(self.told_at, event.created_at if is_news else datetime.now(UTC))
        return progress_frames.frame(self.session, event, self.told_at, cause, time_left)

    @property
    def is_silent(self) -> bool:
        return self.clock() >= self.spoke_at + self.keepalive_s

    def keepalive(self) -> dict[str, Any]:
        self.spoke_at = self.clock()
        self.told_at = max(self.told_at, datetime.now(UTC))
        return {"type": "keepalive", "timestamp": str(self.told_at.astimezone(UTC).replace(tzinfo=None))}

    @property
    def until_next_look_s(self) -> float:
        """All streams look at the same moments, so that those of one session ask once."""
        return min(LOOK_S - self.clock() % LOOK_S, self.keepalive_s)

    @property
    def _state(self) -> tuple[object, ...]:
        return (self.session.id, self.session.lane, self.session.finished)

    async def _waits_otherwise(self, event: Event) -> bool:
        """Ask what the work waits for, if it is time to; whether that is another than before."""
        if self.clock() < self.asked_at + NEARLY * min(LOOK_S, self.keepalive_s):
            return False
        before, self.asked_at, about = self.cause, self.clock(), (*self._state, event.seq)
        self.cause = await self.watcher.ask_together(about, self.trouble, self.session, event.totals)
        return self.cause != before


async def events(sessions: Sessions, watcher: Watcher, session: Session, after: int) -> AsyncIterator[Event | None]:
    """Every event after a sequence number, in order and without gap; None: a silence. Ends when the session has, or
    its account is disabled.
    """
    with watcher.watch(session.id) as watch:
        while not (watcher.stopping.is_set() or watch.closed):
            batch = await watcher.ask_together((session.id, after), sessions.events, session, after)
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
