"""Replays letters one after the other: at a rate, and with a canary that stops the rest when the first fail again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.ingest.ops.outcomes import Tally
from services.ingest.ops.replaying import Result

CANARY = (1, 5)
LOOK_S = 0.5


@dataclass
class Steps:
    """One run. `stopped` says why the rest was left alone, if it was."""

    replay: Callable[[UUID], Result]
    tally: Callable[[Sequence[UUID]], Tally]
    say: Callable[[str], None]
    pause_s: float = 0.0
    patience_s: float = 600.0
    results: list[Result] = field(default_factory=list)
    stopped: str | None = None

    def run(self, ids: Sequence[UUID], *, canary: bool, wait: bool) -> None:
        """Replay all of them, or as many as go well. What needs nothing sent tells a canary nothing."""
        left = iter(ids)
        for size in CANARY if canary else ():
            sent = self._send(left, size)
            if sent and not self._went_well(sent):
                return
        sent = self._send(left, len(ids))
        if wait and sent:
            self._went_well(sent)

    def counts(self) -> dict[str, int]:
        """How many letters came to which result."""
        return dict(Counter(result.result for result in self.results))

    def _send(self, left: Iterator[UUID], most: int) -> list[UUID]:
        """Replay until so many were sent."""
        sent: list[UUID] = []
        while len(sent) < most and (letter_id := next(left, None)) is not None:
            if self.pause_s and self.results:
                time.sleep(self.pause_s)
            result = self.replay(letter_id)
            self.results.append(result)
            self.say(f"{letter_id}  {result.result}: {result.words}")
            if result.sent:
                sent.append(letter_id)
        return sent

    def _went_well(self, sent: Sequence[UUID]) -> bool:
        """Wait until the rows say how these ended; False, with words in `stopped`, unless all of them ended well."""
        deadline = time.monotonic() + self.patience_s
        self.say(f"waiting for the end of {len(sent)}")
        while (now := self.tally(sent)).open and not now.again and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        if now.again:
            self.stopped = f"{now.again} of {len(sent)} failed again: mend the cause first"
        elif now.open:
            self.stopped = f"{now.open} of {len(sent)} have not ended within {self.patience_s:.0f} s"
        return self.stopped is None
