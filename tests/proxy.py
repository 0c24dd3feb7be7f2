"""A TCP proxy on loopback whose far end can move, vanish or drop the line: an outage that tests command."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

from services.local.process import free_ports

HOST = "127.0.0.1"
PIECE_BYTES = 1 << 16
LIMIT_S = 10


class Proxy:
    """Forwards what comes to its own `port`, which never changes, to `target`, a port of this machine."""

    def __init__(self, target: int = 0) -> None:
        self.target = target
        (self.port,) = free_ports(1)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="proxy")

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Listen for the length of the block."""
        self._thread.start()
        try:
            self.accept()
            yield self
        finally:
            self.refuse()
            self._call(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LIMIT_S)
            self._loop.close()

    def accept(self) -> None:
        """Take connections."""
        self._call(self._listen())

    def refuse(self) -> None:
        """Nobody listens any more, and what was connected is cut."""
        self._call(self._close())
        self.cut()

    def cut(self) -> None:
        """Drop every connection in the middle of whatever it carries; new ones are taken."""
        self._call(self._drop())

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._forward, HOST, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _end(self) -> None:
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        if self._server is None:  # refused since we began
            await self._drop()
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        self._writers -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end is closed or breaks; the other is then closed as well."""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
