"""Wakes whoever waits for a session, in any replica: one query a quarter of a second, for all of them together.

The poll is the whole mechanism: no wake-up can be lost, and it works the same without a broker.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import structlog

from services.ingest.sessions.serving.store import HowFar, Sessions
from shared.errors import Retryable

log = structlog.get_logger()

POLL_S = 0.25
PATIENCE_S = 120.0
FRAMES_OUT_S = 2.0

About = ParamSpec("About")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class Watch:
    """One who waits for changes of one session."""

    stopping: asyncio.Event
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Whoever shows a session has shown its end, or shows nothing, or is gone."""
    settled: bool = False
    """Whether all files of the session had their end at its last change."""
    closed: bool = False
    """Whether the session's account is disabled: whoever watches in its name hears no more."""

    async def wait(self, seconds: float) -> bool:
        """True at the next change; False when the time is over. A stopping server ends the wait as well."""
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except TimeoutError:
            return False
        self.changed.clear()
        return True


class Watcher:
    """All the watches of this process."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.stopping = asyncio.Event()
        self._watches: dict[UUID, set[Watch]] = {}
        self._seen: dict[UUID, HowFar] = {}
        self._asked: dict[Hashable, asyncio.Future[Any]] = {}
        self._next: dict[Hashable, asyncio.Future[Any]] = {}

    @contextlib.contextmanager
    def watch(self, session_id: UUID, *, shows: bool = False) -> Iterator[Watch]:
        """Be woken at each change of a session; the first wait returns at once if it changed since its last look."""
        watch = Watch(self.stopping)
        if not shows:
            watch.ended.set()
        self._watches.setdefault(session_id, set()).add(watch)
        try:
            yield watch
        finally:
            watch.ended.set()
            self._watches[session_id].discard(watch)
            if not self._watches[session_id]:
                del self._watches[session_id]
                self._seen.pop(session_id, None)

    async def ask(self, question: Callable[About, Answer], *about: About.args, **more: About.kwargs) -> Answer:
        """Ask the database. While it is away, what is waited for waits as well, so it is asked again.

        Raises:
            Retryable: it is away for long.
        """
        patience = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(question, *about, **more)
            except Retryable as error:
                if self.stopping.is_set() or asyncio.get_running_loop().time() > patience:
                    raise
                log.warning("waiting goes on", cause=str(error))
                await asyncio.sleep(POLL_S)

    def newest(self, session_id: UUID) -> int | None:
        """The last entry of a session's timeline, as of the last look; None: nobody has looked yet."""
        seen = self._seen.get(session_id)
        return seen.seq if seen else None

    async def ask_together(
        self, about: Hashable, question: Callable[About, Answer], *given: About.args, **more: About.kwargs
    ) -> Answer:
        """Ask, but once for all who ask the same at a time. Nobody gets an answer that is older than their question.

        Who asks while it is being asked hears of what was there before, perhaps; so it is asked once more for them.
        """
        key = (question, about)
        if (answer := self._next.get(key)) is None:
            asking = self.ask(question, *given, **more)
            answer = self._next[key] = asyncio.ensure_future(self._after(self._asked.get(key), key, asking))
        return cast("Answer", await asyncio.shield(answer))  # who leaves does not end it for the others

    async def _after(self, before: asyncio.Future[Any] | None, key: Hashable, asking: Awaitable[Answer]) -> Answer:
        if before is not None:
            await asyncio.wait([before])
        mine = self._asked[key] = self._next.pop(key)
        try:
            return await asking
        finally:
            if self._asked.get(key) is mine:
                del self._asked[key]

    async def ended(self, session_id: UUID, limit_s: float) -> None:
        """Return when everybody here who shows a session has shown its end, or the time is over."""
        showing = [asyncio.create_task(watch.ended.wait()) for watch in self._watches.get(session_id, ())]
        if showing:
            _, late = await asyncio.wait(showing, timeout=limit_s)
            for task in late:
                task.cancel()

    async def let_frames_out(self, session_ids: Sequence[UUID]) -> None:
        """The client closes its stream as soon as the last call answers, so the last frame goes first.

        It may be connected to another replica: give that one's next look the time it takes.
        """
        await asyncio.sleep(POLL_S * 1.5)
        for session_id in session_ids:
            await self.ended(session_id, FRAMES_OUT_S)

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            if not self._watches:
                continue
            try:
                now = await asyncio.to_thread(self.sessions.how_far, list(self._watches))
            except Retryable as error:
                log.warning("progress waits", cause=str(error))
                continue
            except Exception:  # nobody awaits this task: raised, every wait would go on without news
                log.exception("progress could not be read; it is tried again")
                continue
            for session_id, how_far in now.items():
                if session_id in self._watches and self._seen.get(session_id) != how_far:
                    self._seen[session_id] = how_far
                    for watch in self._watches[session_id]:
                        watch.settled, watch.closed = how_far.settled, how_far.closed
                        watch.changed.set()

    def stop(self) -> None:
        """End every wait."""
        self.stopping.set()
        for watches in self._watches.values():
            for watch in watches:
                watch.changed.set()
