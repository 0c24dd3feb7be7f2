"""Files that are written once, synced at once and read once go past the page cache, as databases' do.

Filling its pages takes a core longer than the disk takes for the bytes. Where a file system knows no direct writing
(tmpfs, some network ones), and for what fills no block of the disk, files are written as ever.
"""

import contextlib
import errno
import fcntl
import mmap
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait

BLOCK_BYTES = 4096  # of a disk: that many or 512
BUFFER_BYTES = 2 << 20
SMALL_BYTES = 256 << 10
"""A file of no more goes through the page cache: it is one write to the disk then."""

O_DIRECT = getattr(os, "O_DIRECT", 0)  # Linux has it
_buffers: deque[mmap.mmap] = deque(maxlen=8)
"""For the next files: direct writing wants memory at the start of a page, and fresh memory is slow."""
_disk = ThreadPoolExecutor(8, thread_name_prefix="disk")


class DirectWriter:
    """Writes a new file, and nobody else does. It takes the descriptor over.

    One buffer is on its way to the disk while the next one is filled.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.direct = False
        self.buffer = _buffer()
        self.held = 0
        self.on_its_way: tuple[mmap.mmap, Future[None]] | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes. OSError: what the disk says, also of bytes that came before."""
        view = memoryview(data)
        while view:
            taken = min(len(view), BUFFER_BYTES - self.held)
            self.buffer[self.held : self.held + taken] = view[:taken]
            self.held += taken
            view = view[taken:]
            if self.held == BUFFER_BYTES:
                self._send_on()

    def sync(self) -> None:
        """Write what is left, and have all of it on the disk. Nothing may come after it."""
        whole = 0
        self._arrived()
        if self.direct or self.held > SMALL_BYTES:
            self._set_direct(True)
            whole = self.held - self.held % BLOCK_BYTES
            self._write_out(self.buffer, 0, whole)
            self._set_direct(False)
        self._write_out(self.buffer, whole, self.held)
        os.fsync(self.descriptor)

    def close(self) -> None:
        """What was not synced may be lost."""
        with contextlib.suppress(OSError):  # of a file that is given up
            self._arrived()
        os.close(self.descriptor)
        _buffers.append(self.buffer)

    def _send_on(self) -> None:
        self._arrived()
        self._set_direct(True)
        self.on_its_way = self.buffer, _disk.submit(self._write_out, self.buffer, 0, self.held)
        self.buffer, self.held = _buffer(), 0

    def _arrived(self) -> None:
        if self.on_its_way is not None:
            (buffer, writing), self.on_its_way = self.on_its_way, None
            wait([writing])
            _buffers.append(buffer)
            writing.result()

    def _write_out(self, buffer: mmap.mmap, start: int, end: int) -> None:
        with memoryview(buffer) as view:
            while start < end:
                try:
                    start += os.write(self.descriptor, view[start:end])
                except OSError as error:
                    if error.errno != errno.EINVAL or not self.direct:
                        raise
                    self._set_direct(False)  # its blocks are wider than ours, or it was full within one

    def _set_direct(self, on: bool) -> None:
        if on != self.direct:
            flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL)
            with contextlib.suppress(OSError):  # a file system that takes none
                fcntl.fcntl(self.descriptor, fcntl.F_SETFL, flags ^ O_DIRECT)
                self.direct = on


def _buffer() -> mmap.mmap:
    try:
        return _buffers.pop()
    except IndexError:
        return mmap.mmap(-1, BUFFER_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
