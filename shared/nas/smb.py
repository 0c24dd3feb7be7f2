"""A NAS over SMB: Windows shares, Samba, and most of what a NAS calls a shared folder."""

import contextlib
import errno
import hashlib
import re
import stat as modes
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from io import RawIOBase
from pathlib import PurePosixPath
from typing import TypeVar

import smbclient

from shared.nas.backend import Backend
from shared.nas.errors import BadPath
from shared.nas.protocol import Stat
from shared.nas.smb_pool import Lease, Pool, SmbLogin

T = TypeVar("T")
PIECE_BYTES = 1 << 20
# ':' would open a stream of another file. Samba stores a last dot or blank, and no Windows client gets at it again.
UNSPEAKABLE = re.compile(r'[<>:"|?*]|[. ](?:/|$)')
# servers say it in many ways, most of which have no number of their own
NO_HARD_LINKS = frozenset({errno.EACCES, errno.EIO})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Smb(Backend[PurePosixPath]):
    """See `Backend`. A path begins with the share's name."""

    def __init__(self, login: SmbLogin, connections: int) -> None:
        self.host = login.host
        self.pool = Pool(login, connections)

    def resolved(self, path: PurePosixPath) -> PurePosixPath:
        """Links are the server's business: it follows none that lead out of the share."""
        if found := UNSPEAKABLE.search(str(path)):
            raise BadPath(f"'{path}' is no path on the NAS: '{found[0]}' can't stand there over SMB; rename it")
        return path

    def make_directory(self, new: PurePosixPath) -> None:
        self._call(smbclient.mkdir, new)

    def write(self, content: Iterable[bytes], target: PurePosixPath) -> None:
        with self._opened(target, "xb") as (lease, file):
            for piece in content:
                with lease.call():
                    _write(file, piece)
            with lease.call():
                file.flush()

    def digest(self, path: PurePosixPath) -> str:
        found = hashlib.sha256()
        with self._opened(path, "rb") as (lease, file):
            while True:
                with lease.call():
                    piece = file.read(PIECE_BYTES)
                if not piece:
                    return found.hexdigest()
                found.update(piece)

    def read(self, path: PurePosixPath, offset: int, size: int) -> bytes:
        with self._opened(path, "rb") as (lease, file), lease.call():
            file.seek(offset)
            piece: bytes = file.read(size)
            return piece

    def rename_new(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """By a hard link, as on a mounted NAS: Samba looks first and renames then, and two at once overwrite."""
        try:
            self._call(smbclient.link, source, self._unc(target))
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            self._call(smbclient.rename, source, self._unc(target))
        else:
            self.remove(source)

    def remove(self, path: PurePosixPath) -> None:
        self._call(smbclient.remove, path)

    def stat(self, path: PurePosixPath) -> Stat:
        found = self._call(smbclient.stat, path)
        modified_ns = found.st_mtime_ns // 1000 * 1000  # lists tell it so
        return Stat(path.name, found.st_size, modified_ns, not modes.S_ISREG(found.st_mode))

    def scan(self, folder: PurePosixPath) -> Iterator[Stat]:
        yield from self._call(_entries, folder)

    def free_bytes(self, directory: PurePosixPath) -> int | None:
        return int(self._call(smbclient.stat_volume, directory).caller_available_size)

    def close(self) -> None:
        self.pool.close()

    def _call(self, function: Callable[..., T], path: PurePosixPath, *arguments: str) -> T:
        with self.pool.lease() as lease, lease.call() as options:
            return function(self._unc(path), *arguments, **options)

    def _unc(self, path: PurePosixPath) -> str:
        return "\\\\" + "\\".join((self.host, *path.parts))

    @contextlib.contextmanager
    def _opened(self, path: PurePosixPath, mode: str) -> Iterator[tuple[Lease, RawIOBase]]:
        """A file, and the connection that it belongs to. Others may read, rename and remove it meanwhile."""
        with self.pool.lease() as lease:
            with lease.call() as options:
                file = smbclient.open_file(self._unc(path), mode, buffering=0, share_access="rd", **options)
            try:
                yield lease, file
            except BaseException:
                with contextlib.suppress(OSError), lease.call():  # what went wrong before matters more
                    file.close()
                raise
            with lease.call():
                file.close()


def _write(file: RawIOBase, piece: bytes) -> None:
    """All of it: as many requests as the server wants."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _entries(folder: str, **options: str) -> list[Stat]:
    found = []
    with smbclient.scandir(folder, **options) as entries:
        for entry in entries:
            if not entry.is_symlink():
                modified_us = (entry.smb_info.last_write_time - EPOCH) // timedelta(microseconds=1)
                found.append(Stat(entry.name, entry.smb_info.end_of_file, modified_us * 1000, entry.is_dir()))
    return found
