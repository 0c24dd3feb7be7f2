"""A NAS that the operating system has mounted, or a plain folder.

Mount it so that a call fails in the end instead of hanging for ever: NFS with `softerr,timeo=50`, SMB with
`soft,echo_interval=15`. There is no list of files on the NAS itself: appending to one file from several machines is not
safe on NFS or SMB, and the storage service's tables hold the same.
"""

import io
import os
import secrets
import stat as modes
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay, wait_exponential, wait_random

from shared.errors import Permanent
from shared.nas import verified
from shared.nas.errors import BadPath, FileGone, NasFull, NasRefused, NasUnavailable, in_words, passes
from shared.nas.files import CHUNK_BYTES, Files
from shared.nas.listing import abandoned, entries
from shared.nas.marker import MARKER, Marker
from shared.nas.names import checked, collision_key
from shared.nas.protocol import Stat

T = TypeVar("T")
A = TypeVar("A")
TRIES, TRYING_SECONDS = 5, 20


class PathNas:
    """See `Nas`. Threads, processes and machines may share one root."""

    def __init__(
        self,
        root: Path,
        *,
        require_mount: bool = False,
        spare_bytes: int = 64 << 20,
        files: Files | None = None,
        first_wait_s: float = 0.5,
    ) -> None:
        """`require_mount`: the root itself must be a mount point. `spare_bytes` stay free on the NAS."""
        self.root = root.absolute()
        self.files = files or Files()
        self.marker = Marker(self.root, self.files, require_mount=require_mount)
        self.spare_bytes = spare_bytes
        self.first_wait_s = first_wait_s

    def initialise(self, *, adopt: bool = False) -> str:
        return self._do("initialise the folder", partial(self.marker.initialise, adopt=adopt))

    def check(self) -> str:
        return self._do("work", self._check)

    def put(self, path: str, source: Path, sha256: str, size: int) -> Stat:
        target = self._inside(path, new=True)
        return self._do(f"store '{path}'", partial(self._put, path, target, source, sha256, size))

    def move(self, source_path: str, target_path: str, sha256: str) -> Stat:
        if collision_key(source_path) == collision_key(target_path):
            raise BadPath(f"'{source_path}' can't be renamed to '{target_path}': to some NAS they are one file")
        source, target = self._inside(source_path), self._inside(target_path, new=True)
        return self._do(f"rename a file to '{target_path}'", partial(self._move, target_path, source, target, sha256))

    def stat(self, path: str) -> Stat | None:
        look = partial(self._stat, path, self._inside(path))
        return self._do(f"look up '{path}'", partial(self._present, look, None))

    def read(self, path: str) -> Iterator[bytes]:
        what, target = f"read '{path}'", self._inside(path)
        found = self._do(what, partial(self._open, target))
        if found is None:
            raise FileGone(f"can't {what} on the NAS {self.root}: there is no such file")
        with found as reader:
            while chunk := self._do(what, partial(reader.read, CHUNK_BYTES)):
                yield chunk

    def list(self, directory: str = "") -> tuple[Stat, ...]:
        folder = self._inside(directory) if directory else Path(os.path.realpath(self.root))
        return self._do(f"list '{directory}'", partial(self._present, partial(entries, folder, directory), ()))

    def delete(self, path: str) -> None:
        self._do(f"delete '{path}'", partial(self._present, partial(self._delete, self._inside(path)), None))

    def verify(self, path: str, sha256: str, size: int) -> bool:
        look = partial(verified.equals, self.files, self._inside(path), sha256, size)
        return self._do(f"verify '{path}'", partial(self._present, look, absent=False))

    def sweep(self, older_than_s: float) -> tuple[str, ...]:
        return self._do("sweep up part files", partial(self._sweep, older_than_s))

    def _check(self) -> str:
        found = self.marker.require()
        self._now_ns()
        return found

    def _put(self, path: str, target: Path, source: Path, sha256: str, size: int) -> Stat:
        self.marker.require()
        if not verified.holds(self.files, target, sha256):
            self.files.make_directory(target.parent, Path(os.path.realpath(self.root)))
            self._require_space(target, size)
            verified.write(self.files, source, target, sha256, size)
        self.marker.require()  # unmounted meanwhile, the file would lie in the mount point
        return self._stat(path, target)

    def _move(self, path: str, source: Path, target: Path, sha256: str) -> Stat:
        self.marker.require()
        self.files.make_directory(target.parent, Path(os.path.realpath(self.root)))
        try:
            verified.rename(self.files, source, target, sha256)
        except FileNotFoundError as error:  # done before, or never there
            self.marker.require()
            if not verified.holds(self.files, target, sha256):
                raise FileGone(f"there is no file {source} to rename to '{target.name}': store it again") from error
        self.marker.require()
        return self._stat(path, target)

    def _require_space(self, target: Path, size: int) -> None:
        free = self.files.free_bytes(target.parent)
        if free is not None and free < size + self.spare_bytes:
            raise NasFull(
                f"can't store '{target.name}' ({size} bytes) on the NAS {self.root}: the NAS is full ({free} bytes are "
                f"free, {self.spare_bytes} of them kept in reserve); free some space, the work goes on by itself"
            )

    def _stat(self, path: str, target: Path) -> Stat:
        found = target.stat()
        return Stat(path, found.st_size, found.st_mtime_ns, modes.S_ISDIR(found.st_mode))

    def _open(self, target: Path) -> io.FileIO | None:
        self.marker.require()
        try:
            return io.FileIO(target)  # unbuffered: a read that failed has not moved on, and can be repeated
        except verified.MISSING:
            self.marker.require()
            return None

    def _delete(self, target: Path) -> None:
        self.marker.require()
        target.unlink()
        self.files.sync(target.parent)

    def _sweep(self, older_than_s: float) -> tuple[str, ...]:
        self.marker.require()
        swept = []
        for part in abandoned(self.root, self._now_ns() - int(older_than_s * 1e9)):
            part.unlink(missing_ok=True)
            swept.append(part.relative_to(self.root).as_posix())
        return tuple(swept)

    def _now_ns(self) -> int:
        """The clock that stamps the NAS's files, by a file that is made and removed: a proof that it can be written."""
        probe = self.root / f".presswork.{secrets.token_hex(4)}.part"
        try:
            self.files.write([], probe)
            return probe.stat().st_mtime_ns
        finally:
            probe.unlink(missing_ok=True)

    def _present(self, look: Callable[[], T], absent: A) -> T | A:
        """What `look` finds. It counts only if the mark is there too: an empty mount point has no files either."""
        try:
            found: T | A = look()
        except verified.MISSING:
            found = absent
        self.marker.require()
        return found

    def _inside(self, path: str, *, new: bool = False) -> Path:
        """The real path, links followed."""
        root = Path(os.path.realpath(self.root))
        target = Path(os.path.realpath(root / checked(path, new=new)))
        if not target.is_relative_to(root) or target in (root, root / MARKER):
            raise BadPath(f"'{path}' leads out of the NAS folder, or to its mark: it is not touched")
        return target

    def _do(self, what: str, action: Callable[[], T]) -> T:
        """Do it, again while it fails in passing; then say in words what is wrong."""
        retrying = Retrying(
            retry=retry_if_exception(passes),
            wait=wait_exponential(self.first_wait_s, max=5) + wait_random(0, self.first_wait_s),
            stop=stop_after_attempt(TRIES) | stop_before_delay(TRYING_SECONDS),
            reraise=True,
        )
        try:
            return retrying(action)
        except OSError as error:
            raise self._verdict(error, f"{what} on the NAS {self.root}") from error

    def _verdict(self, error: OSError, what: str) -> Exception:
        """What the error means, with a second look: is it the whole NAS, or only this path?"""
        verdict = in_words(error, what)
        if isinstance(verdict, (NasFull, Permanent)):
            return verdict
        away = isinstance(verdict, NasUnavailable)
        try:
            self._check()
        except NasUnavailable as gone:
            return verdict if away else gone
        except OSError:
            return verdict
        # one shop's locked folder or one damaged file must not hold up all the others
        return NasRefused(f"{verdict} (only there: the NAS itself can be written)") if away else verdict
