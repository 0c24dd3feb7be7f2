"""A TCP proxy on loopback whose far end can move, vanish, fall silent, crawl or drop the line, as tests command."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
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
        self._bytes_per_s: int | None = None
        self._bytes_left: int | None = None
        self.cuts = 0
        """How often it cut all lines after so many bytes."""
        self._flowing = asyncio.Event()
        self._flowing.set()
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
            self.release()  # what is held back would wait for ever
            self._call(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LIMIT_S)
            self._loop.close()

    @property
    def connections(self) -> int:
        """How many pass through it now."""
        return len(self._writers) // 2

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

    def swallow(self) -> None:
        """Nothing passes in either direction, and nobody is told: no answer, no end, no error."""
        self._call(self._set_flowing(flowing=False))

    def release(self) -> None:
        """What was held back passes, as after a cable was plugged in again."""
        self._call(self._set_flowing(flowing=True))

    def crawl(self, bytes_per_s: int | None) -> None:
        """So slow in each direction of each connection; None: as fast as it can."""
        self._bytes_per_s = bytes_per_s

    def cut_after(self, count: int) -> None:
        """Let so many more bytes of the clients pass, all connections together, then cut them all, once."""
        self._bytes_left = count

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

    async def _set_flowing(self, *, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _end(self) -> None:
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        if self._server is None:  # refused since we began
            await self._drop()
        await asyncio.gather(self._pass(reader, far_writer, self._spend), self._pass(far_reader, writer, _free))
        self._writers -= ends

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, spend: Callable[[bytes], bytes]
    ) -> None:
        """Until either end is closed or breaks; the other is then closed as well."""
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(self._at_once()):
                await self._flowing.wait()
                if self._bytes_per_s:
                    await asyncio.sleep(len(piece) / self._bytes_per_s)
                writer.write(spend(piece))
                await writer.drain()
        await self._flowing.wait()  # not even that it has ended
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _at_once(self) -> int:
        return max(1, self._bytes_per_s // 10) if self._bytes_per_s else PIECE_BYTES

    def _spend(self, piece: bytes) -> bytes:
        """What may still pass of a client's piece."""
        if self._bytes_left is None:
            return piece
        piece = piece[: self._bytes_left]
        self._bytes_left -= len(piece)
        if self._bytes_left == 0:
            self._bytes_left = None
            self.cuts += 1
            asyncio.get_running_loop().call_later(0.01, asyncio.ensure_future, self._drop())  # the piece goes out first
        return piece


def _free(piece: bytes) -> bytes:
    return piece
