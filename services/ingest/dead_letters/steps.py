"""Replays letters one after the other: at a rate, and with a canary that stops the rest when the first fail again."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from services.ingest.dead_letters.outcomes import Tally
from services.ingest.dead_letters.replaying import Result

CANARY = (1, 5)
LOOK_S = 0.5
SIGN_S = 5.0
"""A slow replay gives a sign of life at least so often."""

End = Literal["ended", "stopped", "cancelled"]


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Ctrl-C takes effect behind the block, or after `SIGN_S` when it is said again: the database may never answer.

    In the middle of a statement it leaves a connection with which nothing can be done, not even to give it back.
    """
    if threading.current_thread() is not threading.main_thread():  # the API's: no Ctrl-C comes here
        yield
        return
    came: list[float] = []

    def note(*_: object) -> None:
        came.append(time.monotonic())
        if came[-1] - came[0] > SIGN_S:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


@dataclass(frozen=True)
class ReplayPace:
    """How fast, how carefully, and whether to wait for the end."""

    canary: bool = False
    wait: bool = False
    pause_s: float = 0.0
    patience_s: float = 600.0
    tolerance: float = 0.0
    """The share of a canary's step that may fail again."""


@dataclass
class Steps:
    """One run. `stopped` says why the rest was left alone, if it was."""

    replay: Callable[[UUID], Result]
    tally: Callable[[Sequence[UUID]], Tally]
    cancelled_by: Callable[[], str | None]
    say: Callable[[str], None]
    pace: ReplayPace
    waits_for: Callable[[], Sequence[str]] = tuple
    """What services wait for just now, in words."""
    results: list[Result] = field(default_factory=list)
    stopped: str | None = None
    end: End = "ended"

    def run(self, ids: Sequence[UUID]) -> None:
        """Replay all of them, or as many as go well. What needs nothing sent tells a canary nothing."""
        left = iter(ids)
        for size in CANARY if self.pace.canary else ():
            sent = self._send(left, size)
            if self.stopped or (sent and not self._went_well(sent)):
                return
        sent = self._send(left, len(ids))
        if self.pace.wait and sent and not self.stopped:
            self._went_well(sent)

    def stop(self, end: End, words: str) -> None:
        """Leave the rest alone."""
        self.end, self.stopped = end, words

    def _send(self, left: Iterator[UUID], most: int) -> list[UUID]:
        """Replay until so many were sent, or somebody wants it to stop."""
        sent: list[UUID] = []
        while len(sent) < most and (letter_id := next(left, None)) is not None and self._may_go_on():
            with ctrl_c_waits():
                result = self.replay(letter_id)
                self.results.append(result)
                self.say(f"{letter_id}  {result.result}: {result.words}")
                if result.sent:
                    sent.append(letter_id)
        return sent

    def _went_well(self, sent: Sequence[UUID]) -> bool:
        """Wait until the rows say how these ended; False, with words in `stopped`, unless they ended well."""
        deadline, bearable = time.monotonic() + self.pace.patience_s, self.pace.tolerance * len(sent)
        self.say(f"waiting for the end of {len(sent)}")
        told: set[str] = set()
        while (now := self._now(sent)).open and now.again <= bearable and time.monotonic() < deadline:
            if self._cancelled():
                return False
            with ctrl_c_waits():
                waits = self.waits_for()
            for words in waits:
                if words not in told:
                    told.add(words)
                    self.say(f"  it waits: {words}")
            time.sleep(LOOK_S)
        if now.again > bearable:
            self.stop("stopped", f"{now.again} of {len(sent)} failed again: mend the cause first")
        elif now.open:
            self.stop("stopped", f"{now.open} of {len(sent)} have not ended within {self.pace.patience_s:.0f} s")
        return self.stopped is None

    def _now(self, sent: Sequence[UUID]) -> Tally:
        with ctrl_c_waits():
            return self.tally(sent)

    def _may_go_on(self) -> bool:
        """Once it is time for the next letter: unless somebody has cancelled it by then."""
        pause_s = self.pace.pause_s if self.results else 0.0
        while pause_s > 0 and not self._cancelled():
            time.sleep(min(pause_s, SIGN_S))
            pause_s -= SIGN_S
        return not (self.stopped or self._cancelled())

    def _cancelled(self) -> bool:
        with ctrl_c_waits():
            who = self.cancelled_by()
        if who:
            self.stop("cancelled", f"cancelled by {who}")
        return bool(who)
