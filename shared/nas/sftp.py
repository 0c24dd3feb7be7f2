"""A NAS over SFTP. Of the server's extensions it uses fsync and statvfs where they are, and never a shell."""

import contextlib
import errno
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import PurePosixPath

import asyncssh
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR

from shared.nas.backend import Backend
from shared.nas.protocol import Stat
from shared.nas.ssh import Line, SshLogin

PIECE_BYTES = 4 << 20  # asked for in many small requests at once
FULL_BELOW_BYTES, FULL_BELOW_NAMES = 1 << 20, 8
READ_ONLY = 1  # of statvfs's flags
# the server lacks the request or forbids it; or the file system has none, which OpenSSH calls by many names
NO_HARD_LINKS = frozenset({errno.ENOTSUP, errno.EACCES, errno.EIO})


class Sftp(Backend[PurePosixPath]):
    """See `Backend`."""

    def __init__(self, login: SshLogin) -> None:
        self.line = Line(login)

    def resolved(self, path: PurePosixPath) -> PurePosixPath:
        return PurePosixPath(self.line.call(lambda client: _real(client, str(path))))

    def make_directory(self, new: PurePosixPath) -> None:
        self._make(new, lambda client: client.mkdir(str(new)))

    def write(self, content: Iterable[bytes], target: PurePosixPath) -> None:
        try:
            with self._opened(target, "xb") as (client, file):
                for piece in content:
                    self.line.run(client, _written(file, piece))
                self.line.run(client, _flushed(file))
        except OSError as error:
            raise self._meant(error, target.parent) from error

    def digest(self, path: PurePosixPath) -> str:
        found = hashlib.sha256()
        with self._opened(path, "rb") as (client, file):
            while piece := self.line.run(client, _read(file, PIECE_BYTES)):
                found.update(piece)
        return found.hexdigest()

    def read(self, path: PurePosixPath, offset: int, size: int) -> bytes:
        with self._opened(path, "rb") as (client, file):
            return self.line.run(client, _read(file, size, offset))

    def rename_new(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """By a hard link, as on a mounted NAS; else by the protocol's rename (`posix-rename` would overwrite).

        OpenSSH's rename is a link, too, but removes the target if somebody else removes the source meanwhile: when two
        give a file its name at once, none would be left.
        """
        try:
            self._make(target, lambda client: client.link(str(source), str(target)))
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            self._make(target, lambda client: client.rename(str(source), str(target)))
        else:
            self.remove(source)

    def remove(self, path: PurePosixPath) -> None:
        try:
            self.line.call(lambda client: client.remove(str(path)))
        except OSError as error:
            raise self._meant(error, path.parent) from error

    def stat(self, path: PurePosixPath) -> Stat:
        found = self.line.call(lambda client: client.stat(str(path)))
        return _stat(path.name, found)

    def scan(self, folder: PurePosixPath) -> Iterator[Stat]:
        for entry in self.line.call(lambda client: client.readdir(str(folder))):
            name = str(entry.filename)
            if name not in (".", "..") and entry.attrs.type in (FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_DIRECTORY):
                yield _stat(name, entry.attrs)

    def free_bytes(self, directory: PurePosixPath) -> int | None:
        found = self._disk(directory)
        return None if found is None else found.bavail * found.frsize

    def close(self) -> None:
        self.line.close()

    def _disk(self, directory: PurePosixPath) -> asyncssh.SFTPVFSAttrs | None:
        try:
            return self.line.call(lambda client: client.statvfs(str(directory)))
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return None
            raise

    @contextlib.contextmanager
    def _opened(self, path: PurePosixPath, mode: str) -> Iterator[tuple[asyncssh.SFTPClient, asyncssh.SFTPClientFile]]:
        client = self.line.client()
        file = self.line.run(client, client.open(str(path), mode))
        try:
            yield client, file
        except BaseException:
            with contextlib.suppress(OSError):  # what went wrong before matters more
                self.line.run(client, file.close())
            raise
        self.line.run(client, file.close())

    def _is_there(self, path: PurePosixPath) -> bool:
        try:
            self.line.call(lambda client: client.lstat(str(path)))
        except FileNotFoundError:
            return False
        return True

    def _make(self, new: PurePosixPath, request: Callable[[asyncssh.SFTPClient], Awaitable[None]]) -> None:
        """Make a name. A mere "Failure" is a taken one, if it is taken."""
        try:
            self.line.call(request)
        except OSError as error:
            if error.errno == errno.EIO and self._is_there(new):
                raise FileExistsError(errno.EEXIST, "the name is taken", str(new)) from error
            raise self._meant(error, new.parent) from error

    def _meant(self, error: OSError, folder: PurePosixPath) -> OSError:
        """A mere "Failure" is a read-only or full disk, if it is one: without room for data, or for names."""
        found = self._disk(folder) if error.errno == errno.EIO else None
        if found is None:
            return error
        if found.flags & READ_ONLY:
            return OSError(errno.EROFS, "read-only file system")
        names = found.favail if found.files else FULL_BELOW_NAMES  # file systems without such a limit tell 0 of 0
        full = found.bavail * found.frsize < FULL_BELOW_BYTES or names < FULL_BELOW_NAMES
        return OSError(errno.ENOSPC, "no space left on device") if full else error


async def _real(client: asyncssh.SFTPClient, path: str) -> str:
    """The path without links. What is missing at its end stays as it is."""
    try:
        return str(await client.realpath(path))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure):
        above, _, name = path.rpartition("/")
        if not above:
            raise
        return f"{await _real(client, above)}/{name}"


async def _read(file: asyncssh.SFTPClientFile, size: int, offset: int | None = None) -> bytes:
    piece: bytes = await file.read(size, offset)
    return piece


async def _written(file: asyncssh.SFTPClientFile, piece: bytes) -> None:
    """A server that takes a new file and then not its content has no room for it, whatever it calls that."""
    try:
        await file.write(piece)
    except asyncssh.SFTPFailure as error:
        raise asyncssh.SFTPNoSpaceOnFilesystem(error.reason or "it takes no more data") from error


async def _flushed(file: asyncssh.SFTPClientFile) -> None:
    with contextlib.suppress(asyncssh.SFTPOpUnsupported):
        await file.fsync()


def _stat(name: str, found: asyncssh.SFTPAttrs) -> Stat:
    return Stat(name, found.size or 0, (found.mtime or 0) * 1_000_000_000, found.type != FILEXFER_TYPE_REGULAR)
