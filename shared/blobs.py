"""Image bytes by their SHA-256, in a directory that every process can reach. Messages carry the reference."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from shared.contracts import Blob
from shared.errors import Permanent, Unavailable
from shared.nas.files import Files

AHEAD_BYTES = 8 << 20


class Blobs:
    """A content-addressed folder: `<root>/ab/abcdef...`. Writing the same bytes twice is writing them once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, blob: Blob) -> Path:
        """Where the bytes lie, for readers that want a file."""
        return self.root / blob.sha256[:2] / blob.sha256

    def put(self, data: bytes) -> Blob:
        """Store bytes; return their reference once they are on disk under their final name."""
        with self.writer() as writer:
            writer.write(data)
        return writer.blob

    @contextlib.contextmanager
    def writer(self) -> Iterator["BlobWriter"]:
        """Write a stream in constant memory; its `blob` is known when the block ends well."""
        incoming = self.root / "incoming"
        with self._store_errors():
            incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=incoming)
        temporary, file = Path(name), os.fdopen(descriptor, "wb")
        try:
            writer = BlobWriter(file, self._store_errors)
            yield writer
            with self._store_errors():
                file.flush()
                os.fsync(file.fileno())
                file.close()
                blob = Blob(sha256=writer.digest.hexdigest(), size=writer.size)
                final = self.path(blob)
                final.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(final)
                Files().sync(final.parent)  # the name must survive a crash as well as the bytes
            writer.blob = blob
        finally:
            for tidy in (file.close, temporary.unlink):  # no file is left, or the store is away, as was told
                with contextlib.suppress(OSError):
                    tidy()

    def get(self, blob: Blob) -> bytes:
        """Read the bytes back and check them. Permanent: gone, or not what its name says; Unavailable: no store."""
        if not self.root.is_dir():
            raise Unavailable(f"the blob store {self.root} is not there (not mounted?)")
        try:
            data = self.path(blob).read_bytes()
        except FileNotFoundError as error:
            raise Permanent(f"blob {blob.sha256[:12]} is gone from the blob store") from error
        except OSError as error:
            raise Unavailable(f"blob {blob.sha256[:12]} can't be read: {error}") from error
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise Permanent(f"blob {blob.sha256[:12]} in the blob store is damaged")
        return data

    @contextlib.contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"the blob store at {self.root} can't be written: {error}") from error


class BlobWriter:
    """Counts and hashes what passes through it, and has the disk at work on it meanwhile."""

    blob: Blob

    def __init__(self, file: BinaryIO, store_errors: Callable[[], AbstractContextManager[None]]) -> None:
        self.file = file
        self.store_errors = store_errors
        self.digest = hashlib.sha256()
        self.size = 0
        self.on_its_way = 0

    def write(self, data: bytes | memoryview) -> None:
        self.digest.update(data)
        self.size += len(data)
        with self.store_errors():  # the disk may be full
            self.file.write(data)
            if self.size - self.on_its_way >= AHEAD_BYTES:
                self._send_on()

    def _send_on(self) -> None:
        """Let the kernel begin to write, or all of a large file would still be in memory when it is synced."""
        with contextlib.suppress(OSError, AttributeError):  # no advice that a file needs: not every system takes it
            os.posix_fadvise(self.file.fileno(), self.on_its_way, 0, os.POSIX_FADV_DONTNEED)
        self.on_its_way = self.size
