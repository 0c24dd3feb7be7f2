"""Does in one call what several threads ask for at a time: of the threads that wait, the first does it for all.

Each thread returns when its own wish is done, and not before: so a message is acked after the commit, as ever. Example:
A's wish is begun at once, alone; B, C and D ask meanwhile and wait. When A's is done, A returns and wakes B. That does
the wishes of B, C and D in one call. Who asks during that call waits for the next one.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, get_ident
from typing import Generic, TypeVar

from shared.errors import Busy, Unavailable

T = TypeVar("T")


@dataclass(eq=False)
class _Wish(Generic[T]):
    one: T
    called: Event = field(default_factory=Event)  # set when the wish is over, or its thread is to do all that waits
    over: bool = False
    error: BaseException | None = None


@dataclass(eq=False)
class _Line(Generic[T]):
    at_work: int | None = None  # the thread that does wishes of this key just now
    wishes: list[_Wish[T]] = field(default_factory=list)  # those that wait, in the order in which they came


class Together(Generic[T]):
    """`work` gets one or more wishes of one key, in order. It does them all, or raises and has done none of them."""

    def __init__(self, work: Callable[[Sequence[T]], None]) -> None:
        self._work = work
        self._lines: dict[Hashable, _Line[T]] = {}
        self._lock = Lock()

    def do(self, key: Hashable, one: T) -> None:
        """Do this wish, together with those of the same key that wait by then. Raises what `work` raised for it."""
        mine = _Wish(one)
        with self._lock:
            first = key not in self._lines
            line = self._lines.setdefault(key, _Line())
            nested = line.at_work == get_ident()  # `work` itself asks: to wait for its own end would be for ever
            if not nested:
                line.wishes.append(mine)
        if nested:
            self._do_all([mine])
        elif first or (mine.called.wait() and not mine.over):
            self._do_what_waits(key, line)
        if mine.error is not None:
            raise mine.error

    def _do_what_waits(self, key: Hashable, line: _Line[T]) -> None:
        """Do all that waits by now. If more came meanwhile, wake the first of those threads to do it, and return."""
        with self._lock:
            line.at_work, wishes, line.wishes = get_ident(), line.wishes, []
        self._do_all(wishes)
        with self._lock:
            line.at_work = None
            if line.wishes:
                line.wishes[0].called.set()
            else:
                del self._lines[key]

    def _do_all(self, wishes: Sequence[_Wish[T]]) -> None:
        failed = self._try(wishes)
        # One of them alone may be at fault. An outage is everybody's, and asking for each would only take longer.
        alone = failed and len(wishes) > 1 and (isinstance(failed, Busy) or not isinstance(failed, Unavailable))
        for wish in wishes:
            wish.error = self._try([wish]) if alone else failed
            wish.over = True
            wish.called.set()

    def _try(self, wishes: Sequence[_Wish[T]]) -> BaseException | None:
        try:
            self._work([wish.one for wish in wishes])
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody else would tell those who asked
            return error
        return None
