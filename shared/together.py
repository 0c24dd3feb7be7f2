"""What several threads ask for at a time, done as one: whoever comes first does it for all that wait behind the lock.

Each returns when its own is done, and not before, so a message whose handler asks for something here is acked after
the commit as ever.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Generic, TypeVar

from shared.errors import Unavailable

T = TypeVar("T")


@dataclass(eq=False)
class _Wish(Generic[T]):
    one: T
    over: bool = False
    error: BaseException | None = None


@dataclass(eq=False)
class _Line(Generic[T]):
    """Those who ask about the same, in the order in which they came."""

    turn: RLock = field(default_factory=RLock)  # what one thread does in the middle of its work is work of its own
    wishes: list[_Wish[T]] = field(default_factory=list)
    inside: int = 0


class Together(Generic[T]):
    """`work` does some or all of what was asked, in order; what it raises concerns all of that, and nothing is done."""

    def __init__(self, work: Callable[[Sequence[T]], None]) -> None:
        self._work = work
        self._lines: dict[Hashable, _Line[T]] = {}
        self._lock = Lock()

    def do(self, key: Hashable, one: T) -> None:
        """Do this one, with whatever else of this key waits for its turn by then. Raises what doing it raised."""
        mine = _Wish(one)
        with self._lock:
            line = self._lines.setdefault(key, _Line())
            line.wishes.append(mine)
            line.inside += 1
        try:
            with line.turn:
                if not mine.over:
                    self._do_all(line)
        finally:
            with self._lock:
                line.inside -= 1
                if not line.inside:
                    del self._lines[key]
        if mine.error is not None:
            raise mine.error

    def _do_all(self, line: _Line[T]) -> None:
        with self._lock:
            wishes, line.wishes = line.wishes, []
        failed = self._try(wishes)
        # One of them alone may be at fault. An outage is everybody's, and asking for each would only take longer.
        if failed and len(wishes) > 1 and not isinstance(failed, Unavailable):
            for wish in wishes:
                wish.error = self._try([wish])
        else:
            for wish in wishes:
                wish.error = failed
        for wish in wishes:
            wish.over = True

    def _try(self, wishes: Sequence[_Wish[T]]) -> BaseException | None:
        """What it raised, whatever that is: it is for those who wait, and nobody else would tell them."""
        try:
            self._work([wish.one for wish in wishes])
        except BaseException as error:  # noqa: BLE001 - raised in each thread that asked
            return error
        return None
