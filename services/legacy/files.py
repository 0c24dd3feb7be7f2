"""The old system's photographs and watermarks: from a folder with what lay on its disk, else from the NAS."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.pictures import Picture, Pictures
from shared.errors import Permanent
from shared.nas import Nas
from shared.nas.errors import FileGone, NasRefused
from shared.nas.names import checked

IN_MEMORY = 8 << 20


class NoFile(Exception):  # noqa: N818
    """There is no such file, or it is none that can be used; the text says which."""


@dataclass(frozen=True)
class Kept:
    """A picture, and whether it lies on the NAS under its path already."""

    picture: Picture
    on_nas: bool


@dataclass(frozen=True)
class Files:
    """Where to look. `folder` has the shops' folders, or is one shop's."""

    folder: Path | None
    nas: Nas
    pictures: Pictures

    def keep(self, paths: Sequence[str], *, dry_run: bool) -> Kept | None:
        """Put the first of these (below the NAS root) that is there into the blob store; with `dry_run` only look.

        Raises:
            NoFile: none of them is there, or it is no picture.
            Unavailable: the NAS or the blob store is away.
        """
        for path in paths:
            local = self._local(path)
            if dry_run and (local or self._is_on_nas(path)):
                return None
            with self._opened(path, local) as file:
                if file is not None:
                    return Kept(self._kept(path, cast("BinaryIO", file)), on_nas=local is None)
        raise NoFile("no such file")

    def _kept(self, path: str, file: BinaryIO) -> Picture:
        name = path.rpartition("/")[2]
        try:
            return self.pictures.keep(name, file, self.pictures.check(name, file))
        except Unusable as error:
            raise NoFile(str(error)) from error

    def _is_on_nas(self, path: str) -> bool:
        try:
            return self.nas.stat(path) is not None
        except (Permanent, NasRefused) as error:
            raise NoFile(str(error)) from error

    def _local(self, path: str) -> Path | None:
        if self.folder is None:
            return None
        inside = (self.folder / checked(path), self.folder / path.partition("/")[2])
        return next((found for found in inside if found.is_file()), None)

    @contextmanager
    def _opened(self, path: str, local: Path | None) -> Iterator[IO[bytes] | None]:
        if local is not None:
            with local.open("rb") as file:
                yield file
            return
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as copy:
            yield copy if self._fetched(path, copy) else None

    def _fetched(self, path: str, copy: "tempfile.SpooledTemporaryFile[bytes]") -> bool:
        size = 0
        try:
            for piece in self.nas.read(path):
                size += copy.write(piece)
                if size > self.pictures.max_bytes:
                    break  # its check says so
        except FileGone:
            return False
        except (Permanent, NasRefused) as error:
            raise NoFile(str(error)) from error
        copy.seek(0, io.SEEK_SET)
        return True
