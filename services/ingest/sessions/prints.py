"""Print files of stored designs, brought back from the NAS where `presswork spool sweep` has taken them away."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import Engine, select

from services.ingest.sessions.tables import items
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.database import transaction
from shared.nas import Nas
from shared.nas.errors import FileGone

log = structlog.get_logger()


@dataclass(frozen=True)
class Prints:
    """The blob store, and the NAS that has what it has no more."""

    engine: Engine
    blobs: Blobs
    nas: Nas

    def bring_back(self, user_id: UUID, design_ids: Sequence[UUID]) -> None:
        """See that mockups can be made of these designs, however long ago they were stored.

        What is gone from the NAS too fails later, where its mockups are made, and says so.

        Raises:
            Unavailable: blob store, NAS or database are away.
        """
        stored = select(items.c.path, items.c.print_sha256, items.c.print_size)
        mine = stored.where(items.c.user_id == user_id, items.c.id.in_(design_ids), items.c.state == "stored")
        with transaction(self.engine) as connection:
            rows = connection.execute(mine).all()
        for row in rows:
            blob = Blob(sha256=row.print_sha256, size=row.print_size)
            if not self.blobs.path(blob).is_file():
                self._copy(row.path, blob)

    def _copy(self, path: str, blob: Blob) -> None:
        try:
            with self.blobs.writer() as writer:
                for piece in self.nas.read(path):
                    writer.write(piece)
        except FileGone as error:
            log.warning("a design can't be listed anew", path=path, cause=str(error))
        else:
            if writer.blob != blob:
                log.warning("a design was changed on the NAS, and can't be listed anew", path=path)
