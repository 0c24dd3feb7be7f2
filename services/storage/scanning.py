"""A scan of a shop's folder: lists it, and brings what is new to the hashers, a few files at a time.

Each answer makes room for the next file, so however much lies there, a seller's upload never waits behind more than
`window` of them. All that is known of how far it has come is in the rows: whoever starts again goes on from there.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row

from services.storage.comparing import Listing, is_picture, is_wanted
from services.storage.scanned import AT_ONCE, Scanned
from shared.blobs import Blobs
from shared.contracts import Blob, PictureFound, PictureHashed, PicturesGone, ShopScanRequested
from shared.errors import Permanent
from shared.nas import Nas, Stat
from shared.nas.errors import FileGone, NasRefused

log = structlog.get_logger()

SCANNED = "scanned"
LEFT_BEHIND_S = 86_400.0


@dataclass(frozen=True)
class Scan:
    """The NAS, the rows of what was met there, and the blob store's folder for copies that only the hashers need.

    Each method raises `Unavailable` while NAS, blob store or database are away, and may be repeated.
    """

    rows: Scanned
    nas: Nas
    copies: Blobs

    def shop(self, event: ShopScanRequested) -> Iterator[PictureFound | PicturesGone]:
        """Compare the shop's folder with what is known of it, and begin with what is new."""
        self._sweep()
        gone = self.rows.note(event, listing_of(self.nas, event.shop))
        for start in range(0, len(gone), AT_ONCE):
            yield PicturesGone(tenant_id=event.tenant_id, paths=tuple(gone[start : start + AT_ONCE]))
        yield from self._send(event.scan_id)

    def next(self, event: PictureHashed) -> Iterator[PictureFound | PicturesGone]:
        """Note the hashers' answer, remove the copy, and send the next file in its place."""
        if not self.rows.answered(event):
            yield PicturesGone(tenant_id=event.tenant_id, paths=(event.path,))
        self._remove(event.content)
        yield from self._send(event.ticket)

    def _send(self, cause: UUID) -> Iterator[PictureFound | PicturesGone]:
        """Fill the window. What needs no hasher leaves room for another."""
        done: set[UUID] = set()
        while rows := [row for row in self.rows.take(cause) if row.ticket not in done]:
            for row in rows:
                done.add(row.ticket)
                if message := self._sent(row):
                    yield message

    def _sent(self, row: Row[Any]) -> PictureFound | PicturesGone | None:
        try:
            content = self._copy(row)
        except FileGone:
            self.rows.settle(row.ticket, "gone", sha256=None)
            return PicturesGone(tenant_id=row.tenant_id, paths=(row.path,))
        except (NasRefused, Permanent) as error:
            log.warning("a file can't be scanned", path=row.path, cause=str(error))
            self.rows.look_again(row.ticket, str(error))
            return None
        if content.size != row.size:
            self.rows.look_again(row.ticket, "it was being written when it was read")
        elif content.sha256 == row.sha256:  # only its time has changed
            self.rows.settle(row.ticket, "unusable" if row.reason else "known")
        else:
            return PictureFound(tenant_id=row.tenant_id, ticket=row.ticket, path=row.path, content=content)
        self._remove(content)
        return None

    def _copy(self, row: Row[Any]) -> Blob:
        with self.copies.writer() as writer:
            for piece in self.nas.read(row.path):
                writer.write(piece)
        self.rows.copied(row.ticket, writer.blob.sha256)
        return writer.blob

    def _remove(self, content: Blob) -> None:
        if not self.rows.is_needed(content.sha256):
            self.copies.path(content).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove copies that a crash has left behind."""
        for path in self.copies.root.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # its answer has just come
                if path.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                    path.unlink()


def listing_of(nas: Nas, shop: str) -> Listing:
    """The pictures in a shop's folder and all folders in it, without its mockups."""
    pictures: dict[str, Stat] = {}
    unread: dict[str, str] = {}
    folders = [shop]
    while folders:
        folder = folders.pop()
        try:
            found = nas.list(folder)
        except (NasRefused, Permanent) as error:
            unread[folder] = str(error)
            continue
        folders += [entry.path for entry in found if entry.is_directory and is_wanted(shop, entry.path)]
        pictures |= {entry.path: entry for entry in found if not entry.is_directory and is_picture(entry.path)}
    return Listing(pictures, unread)
