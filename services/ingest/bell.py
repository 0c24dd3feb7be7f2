"""What wakes the loops that send what ingest owes (`lanes.py`)."""

import asyncio
import contextlib
from collections.abc import Callable

MOMENT_S = 0.15
"""From the news that something is done to the look for what may be sent now, and so the least time between two such
looks. With one look for each piece of news, looking cost ingest as much as hearing the news."""


class Bell:
    """Wakes the relays of this process. It may be rung from any thread.

    A relay is a loop that sends what is owed (`Lanes._relay`). Between two rounds it waits for the event that `listen`
    gave it, half a second at most. There are two ways to ring, for two kinds of news:

    `ring`: something is owed now, as an upload was just committed. Every relay wakes at once.
    `ring_soon`: something that was sent earlier is done, so a place in a window may be free. That happens for every
    file, and a look costs several queries. So only a relay that has something waiting for its turn wakes, and
    MOMENT_S later, once for all that is done until then.
    """

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []

    def ring(self) -> None:
        """Wake every relay at once."""
        for listener in self._listeners:
            listener.on_its_loop(listener.rung.set)

    def ring_soon(self) -> None:
        """Wake the relays that have something waiting for its turn, in a moment."""
        for listener in self._listeners:
            listener.on_its_loop(listener.ring_soon)

    def listen(self, waits: Callable[[], bool] = lambda: True) -> asyncio.Event:
        """The event by which a relay on the running loop is woken. `waits`: whether anything waits for its turn there.

        The relay clears the event itself, before it looks.
        """
        self._listeners.append(_Listener(waits))
        return self._listeners[-1].rung


class _Listener:
    """One relay's event, and the loop on which it may be set."""

    def __init__(self, waits: Callable[[], bool]) -> None:
        self.waits = waits
        self.loop = asyncio.get_running_loop()
        self.rung = asyncio.Event()
        self.rings_at = 0.0
        """When the last `ring_soon` sets the event, by the loop's clock: until then others have no need to."""

    def on_its_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the relay with it
            self.loop.call_soon_threadsafe(call)

    def ring_soon(self) -> None:
        if self.rings_at <= self.loop.time() and self.waits():
            self.rings_at = self.loop.time() + MOMENT_S
            self.loop.call_at(self.rings_at, self.rung.set)
