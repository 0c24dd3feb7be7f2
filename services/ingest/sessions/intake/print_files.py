"""Print files of stored designs, brought back from the NAS where `presswork spool sweep` has taken them away."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import Engine, select, update

from services.ingest.sessions.tables import items
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.database import transaction
from shared.errors import Permanent, Unavailable
from shared.nas import Nas
from shared.nas.errors import FileGone

log = structlog.get_logger()


def has(blobs: Blobs, blob: Blob) -> bool:
    """Whether the blob store has these bytes. They are wanted then, and count as new: a sweep leaves them alone.

    Raises:
        Unavailable: the store is not there at all, so nobody knows; or what it has may go at any moment.
    """
    if not blobs.root.is_dir():
        raise Unavailable(f"the blob store {blobs.root} is not there (not mounted? see BLOB_DIR)")
    try:
        os.utime(blobs.path(blob))  # a sweep that goes on may have found before that nobody needs them
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unavailable(f"the blob store at {blobs.root} can't be written: {error}") from error
    return True


@dataclass(frozen=True)
class Prints:
    """The blob store, and the NAS that has what it has no more."""

    engine: Engine
    blobs: Blobs
    nas: Nas

    def bring_back(self, user_id: UUID, design_ids: Sequence[UUID], *, damaged: bool = False) -> None:
        """See that mockups can be made of these designs, however long ago they were stored.

        With `damaged` each print is read, and one that the disk has changed counts as gone. What is gone from the NAS
        too fails later, where its mockups are made, and says so.

        Raises:
            Unavailable: blob store, NAS or database are away.
        """
        stored = select(items.c.id, items.c.path, items.c.print_sha256, items.c.print_size)
        mine = stored.where(items.c.user_id == user_id, items.c.id.in_(design_ids), items.c.state == "stored")
        with transaction(self.engine) as connection:
            rows = connection.execute(mine).all()
        for row in rows:
            if row.print_sha256 is None:
                self._fetch(row.id, row.path)
                continue
            blob = Blob(sha256=row.print_sha256, size=row.print_size)
            if not has(self.blobs, blob) or (damaged and not self.sound(blob)):
                self._copy(row.path, blob)

    def sound(self, blob: Blob) -> bool:
        """Whether the blob store has these bytes as they were. Unavailable: it is not there at all."""
        try:
            return len(self.blobs.get(blob)) == blob.size
        except Permanent:
            return False

    def _fetch(self, design_id: UUID, path: str | None) -> None:
        """The print of a design that the old system stored: whatever file lies at its path on the NAS."""
        blob = self._read(path) if path else None
        if blob is not None:
            new = update(items).where(items.c.id == design_id, items.c.print_sha256.is_(None))
            with transaction(self.engine) as connection:
                connection.execute(new.values(print_sha256=blob.sha256, print_size=blob.size))

    def _copy(self, path: str, blob: Blob) -> None:
        if self._read(path) not in (None, blob):
            log.warning("a design was changed on the NAS, and can't be listed anew", path=path)

    def _read(self, path: str) -> Blob | None:
        try:
            with self.blobs.writer() as writer:
                for piece in self.nas.read(path):
                    writer.write(piece)
        except FileGone as error:
            log.warning("a design can't be listed anew", path=path, cause=str(error))
            return None
        return writer.blob
