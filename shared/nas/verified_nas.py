"""The one `Nas`: what is safe, what is tried again and what is said, over whatever backend."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from shared.nas import verified
from shared.nas.backend import Backend, P
from shared.nas.errors import BadPath, FileGone, NameTaken, NasFull, NasRefused, NasUnavailable
from shared.nas.files import CHUNK_BYTES
from shared.nas.folders import make_folders
from shared.nas.listing import abandoned, entries
from shared.nas.marker import MARKER, Marker
from shared.nas.names import checked, collision_key
from shared.nas.persistence import Persistence
from shared.nas.protocol import Stat

T = TypeVar("T")
A = TypeVar("A")
FIRST_WAIT_S = 0.5
SPARE_BYTES = 64_000_000


class VerifiedNas(Generic[P]):
    """See `Nas`. Threads, processes and machines may share one root."""

    def __init__(
        self,
        root: P,
        files: Backend[P],
        name: str,
        *,
        require_mount: bool = False,
        spare_bytes: int = SPARE_BYTES,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        """`name` is for people. `require_mount`: the root must be a mount point. `spare_bytes` stay free on the NAS."""
        self.root = root
        self.files = files
        self.name = name
        self.marker = Marker(root, files, name, require_mount=require_mount)
        self.spare_bytes = spare_bytes
        self._do = Persistence(name, self._check, first_wait_s).do

    def initialise(self, *, adopt: bool = False) -> str:
        return self._do("initialise the folder", partial(self.marker.initialise, adopt=adopt))

    def check(self, *, thorough: bool = False) -> str:
        return self._do("work", self._check_thoroughly if thorough else self._check)

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self._do(f"store '{path}'", partial(self._put, path, source, sha256, size))

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        if collision_key(source_path) == collision_key(target_path):
            raise BadPath(f"'{source_path}' can't be renamed to '{target_path}': to some NAS they are one file")
        self._do(f"rename a file to '{target_path}'", partial(self._move, source_path, target_path, sha256))

    def stat(self, path: str) -> Stat | None:
        return self._do(f"look up '{path}'", partial(self._present, partial(self._stat, path), None))

    def read(self, path: str) -> Iterator[bytes]:
        what, offset = f"read '{path}'", 0
        chunk = self._do(what, partial(self._present, partial(self._read, path, 0), None))
        if chunk is None:
            raise FileGone(f"can't {what} on the NAS {self.name}: there is no such file")
        while chunk:
            yield chunk
            offset += len(chunk)
            chunk = self._do(what, partial(self._read, path, offset))

    def list(self, directory: str = "") -> tuple[Stat, ...]:
        return self._do(f"list '{directory}'", partial(self._present, partial(self._list, directory), ()))

    def delete(self, path: str) -> None:
        self._do(f"delete '{path}'", partial(self._present, partial(self._delete, path), None))

    def verify(self, path: str, sha256: str, size: int) -> bool:
        look = partial(self._verify, path, sha256, size)
        return self._do(f"verify '{path}'", partial(self._present, look, absent=False))

    def sweep(self, older_than_s: float) -> tuple[str, ...]:
        return self._do("sweep up part files", partial(self._sweep, older_than_s))

    def free_bytes(self) -> int | None:
        return self._do("tell its free space", partial(self.files.free_bytes, self.root))

    def close(self) -> None:
        self.files.close()

    def _check(self) -> str:
        found = self.marker.require()
        self._now_ns()
        return found

    def _check_thoroughly(self) -> str:
        """Prove also that a name that somebody has is never taken from him: some servers overwrite when they rename."""
        found = self._check()
        probes = [self._probe() for _ in range(2)]
        try:
            for probe in probes:
                self.files.write([probe.name.encode()], probe)
            self.files.rename_new(*probes)
        except FileExistsError:
            return found
        finally:
            for probe in probes:
                with contextlib.suppress(FileNotFoundError):
                    self.files.remove(probe)
        raise NasUnavailable(f"the NAS {self.name} overwrites a file when another is renamed to it: it is not safe")

    def _put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self.marker.require()
        target = self._inside(path, new=True)
        if not verified.holds(self.files, target, sha256):
            make_folders(self.files, target.parent, self.files.resolved(self.root))
            self._require_space(path, target, size)
            verified.write(self.files, source, target, sha256, size)
        self.marker.require()  # unmounted meanwhile, the file would lie in the mount point

    def _move(self, source_path: str, target_path: str, sha256: str) -> None:
        self.marker.require()
        source, target = self._inside(source_path), self._inside(target_path, new=True)
        make_folders(self.files, target.parent, self.files.resolved(self.root))
        try:
            verified.rename(self.files, source, target, sha256)
        except FileNotFoundError as error:  # done before, or never there
            self.marker.require()
            if not verified.holds(self.files, target, sha256):
                raise FileGone(f"'{source_path}', to become '{target.name}', is gone: store it again") from error
        self.marker.require()

    def _require_space(self, path: str, target: P, size: int) -> None:
        """A folder may have a disk or a quota of its own. One shop's that is full must not hold up all the others."""
        needed, free = size + self.spare_bytes, self.files.free_bytes(target.parent)
        if free is None or free >= needed:
            return
        room = f"({free / 1e6:.0f} MB are free, {self.spare_bytes / 1e6:.0f} MB are kept in reserve)"
        whole = self.files.free_bytes(self.root)
        if whole is not None and whole >= needed:
            raise NasRefused(
                f"can't store '{path}' ({size / 1e6:.1f} MB) on the NAS {self.name}: this folder is full {room}; free "
                "some space in it or raise its quota (only there: the NAS itself has room)"
            )
        raise NasFull(
            f"can't store '{target.name}' ({size / 1e6:.1f} MB) on the NAS {self.name}: the NAS is full {room}; free "
            "some space, the work goes on by itself"
        )

    def _stat(self, path: str) -> Stat:
        return self.files.stat(self._inside(path))._replace(path=path)

    def _read(self, path: str, offset: int) -> bytes:
        return self.files.read(self._inside(path), offset, CHUNK_BYTES)

    def _list(self, directory: str) -> tuple[Stat, ...]:
        folder = self._inside(directory) if directory else self.files.resolved(self.root)
        return entries(self.files, folder, directory)

    def _delete(self, path: str) -> None:
        target = self._inside(path)
        self.marker.require()
        self.files.remove(target)

    def _verify(self, path: str, sha256: str, size: int) -> bool:
        return verified.equals(self.files, self._inside(path), sha256, size)

    def _sweep(self, older_than_s: float) -> tuple[str, ...]:
        self.marker.require()
        swept = []
        for part in abandoned(self.files, self.root, self._now_ns() - int(older_than_s * 1e9)):
            with contextlib.suppress(FileNotFoundError):
                self.files.remove(part)
            swept.append(part.relative_to(self.root).as_posix())
        return tuple(swept)

    def _probe(self) -> P:
        return self.root / f".presswork.{secrets.token_hex(4)}.part"

    def _now_ns(self) -> int:
        """The clock that stamps the NAS's files, by a file that is made and removed: a proof that it can be written."""
        probe = self._probe()
        try:
            self.files.write([], probe)
            return self.files.stat(probe).modified_ns
        finally:
            with contextlib.suppress(FileNotFoundError):
                self.files.remove(probe)

    def _present(self, look: Callable[[], T], absent: A) -> T | A:
        """What `look` finds. It counts only if the mark is there too: an empty mount point has no files either."""
        try:
            found: T | A = look()
        except verified.MISSING:
            found = absent
        self.marker.require()
        return found

    def _inside(self, path: str, *, new: bool = False) -> P:
        """The real path, links followed."""
        root = self.files.resolved(self.root)
        target = self.files.resolved(root / checked(path, new=new))
        if (within := target.is_relative_to(root)) and target not in (root, root / MARKER):
            return target
        if new and not within and self.files.resolved((root / path).parent).is_relative_to(root):  # the name is a link
            raise NameTaken(f"'{path}' is a link out of the NAS folder: take another name, or remove it")
        raise BadPath(f"can't use '{path}': it leads out of the NAS folder, or to its mark, and is not touched")
