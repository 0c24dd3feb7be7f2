"""The backend for a mounted NAS or a plain folder: the file system's calls. A test may override one of them."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat as modes
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from shared.errors import Retryable, Unavailable
from shared.nas.protocol import Stat

CHUNK_BYTES = 1 << 20
CLAIM_S = 60
# vfat and exFAT say EPERM, CIFS and some FUSE file systems one of the others
NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
# a network file system may not know fsync on a folder; its server orders names itself
NO_DIRECTORY_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})


class Files:
    """See `Backend`."""

    advice = "mount it, or correct its path in the settings"

    def mounted(self, root: Path) -> bool:
        return os.path.ismount(root)

    def resolved(self, path: Path) -> Path:
        return Path(os.path.realpath(path))

    def write(self, content: Iterable[bytes], target: Path) -> None:
        """Write a new file and flush it to the disk behind."""
        with target.open("xb") as writer:
            for piece in content:
                writer.write(piece)
            writer.flush()
            os.fsync(writer.fileno())

    def digest(self, path: Path) -> str:
        """SHA-256 of what the disk or the server holds, in hex."""
        with path.open("rb") as file:
            forget_cached(file)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, path: Path, offset: int, size: int) -> bytes:
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(size)

    def rename_new(self, source: Path, target: Path) -> None:
        """Give a file a name that nobody has; FileExistsError if somebody has it.

        `os.rename` would overwrite. A hard link refuses atomically, and a crash after it leaves both names.
        """
        try:
            self.link(source, target)
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            self.rename_claimed(source, target)
        else:
            source.unlink(missing_ok=True)
        for directory in {target.parent, source.parent}:
            self.sync(directory)

    def link(self, source: Path, target: Path) -> None:
        """A second name for a file; FileExistsError if somebody has it."""
        os.link(source, target)

    def rename_claimed(self, source: Path, target: Path) -> None:
        """The same where there are no hard links: whoever creates the hidden claim first may look and rename.

        All of Presswork takes turns that way. A foreign program that creates the very name between our look and our
        rename (microseconds) is the one case that is not excluded. A crash in between leaves the claim, and the name is
        busy for the next minute.
        """
        claim = target.with_name(f".{target.name}.00000000.part")
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):  # its owner has just removed it
                os.utime(source)  # to now, by the NAS's own clock
                if source.stat().st_mtime > claim.stat().st_mtime + CLAIM_S:
                    claim.unlink()
            raise BlockingIOError(errno.EAGAIN, "another process is giving a file this name", str(target)) from None
        try:
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            source.rename(target)
        finally:
            claim.unlink(missing_ok=True)

    def make_directory(self, new: Path) -> None:
        new.mkdir()
        self.sync(new.parent)

    def remove(self, path: Path) -> None:
        path.unlink()
        self.sync(path.parent)

    def stat(self, path: Path) -> Stat:
        found = path.stat()
        return Stat(path.name, found.st_size, found.st_mtime_ns, not modes.S_ISREG(found.st_mode))

    def scan(self, folder: Path) -> Iterator[Stat]:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_directory = entry.is_dir(follow_symlinks=False)
                if is_directory or entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):  # deleted since the folder was opened
                        status = entry.stat(follow_symlinks=False)
                        yield Stat(entry.name, status.st_size, status.st_mtime_ns, is_directory)

    def close(self) -> None:
        """Nothing is kept open."""

    def sync(self, directory: Path) -> None:
        """Make names survive a power cut, as `fsync` does for content."""
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in NO_DIRECTORY_SYNC:
                raise
        finally:
            os.close(descriptor)

    def free_bytes(self, directory: Path) -> int | None:
        """What an ordinary user may still write; None where the server does not tell."""
        usage = shutil.disk_usage(directory)
        return usage.free if usage.total else None


def forget_cached(file: BinaryIO) -> None:
    """Drop our own cached pages, so that reading back asks the disk or the server."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def pieces(source: Path) -> Iterator[bytes]:
    """A local file's bytes; its faults are not the NAS's, so they are told apart here."""
    try:
        with source.open("rb") as reader:
            while chunk := reader.read(CHUNK_BYTES):
                yield chunk
    except FileNotFoundError as error:
        raise Retryable(f"{source}, which is to be stored on the NAS, is gone") from error
    except OSError as error:
        raise Unavailable(f"{source}, which is to be stored on the NAS, can't be read: {error}") from error
