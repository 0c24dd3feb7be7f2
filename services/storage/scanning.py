"""A scan of a shop's folder: lists it, and brings what is new to the hashers, a few files at a time.

Each answer makes room for the next file, so however much lies there, a seller's upload never waits behind more than
`window` of them. What needs no hasher makes room at once, and of that one message takes a minute's worth: then the
scan goes on by another, at the queue's end. How far it has come is in the rows: whoever starts again goes on there.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import Row

from services.storage.comparing import Listing, is_picture, is_wanted
from services.storage.scan_rows import AT_ONCE, Scanned
from shared.blobs import Blobs
from shared.contracts import Blob, PictureFound, PictureHashed, PicturesGone, ShopScanRequested
from shared.errors import Permanent
from shared.nas import Nas, Stat
from shared.nas.errors import FileGone, NasRefused

log = structlog.get_logger()

LEFT_BEHIND_S = 86_400.0
TURN_S = 60.0
"""So long one message takes files, and a file more: well within a broker's patience, on a slow link too."""

Handed = PictureFound | PicturesGone | ShopScanRequested


@dataclass(frozen=True)
class Scan:
    """The NAS, the rows of what was met there, and the blob store's folder for copies that only the hashers need.

    Each method raises `Unavailable` while NAS, blob store or database are away, and may be repeated.
    """

    rows: Scanned
    nas: Nas
    copies: Blobs
    turn_s: float = TURN_S

    def shop(self, event: ShopScanRequested) -> Iterator[Handed]:
        """Compare the shop's folder with what is known of it, and send new files to the hashers; or go on so."""
        if not event.goes_on:
            yield from self._look_through(event)
        yield from self._send(event.scan_id, event.tenant_id, event.shop)

    def _look_through(self, event: ShopScanRequested) -> Iterator[PicturesGone]:
        self._sweep()
        listing = listing_of(self.nas, event.shop)
        gone = self.rows.note(event, listing, list(self._missing(event.shop, self.rows.unlisted(event, listing))))
        for start in range(0, len(gone), AT_ONCE):
            rows = gone[start : start + AT_ONCE]
            ours = tuple(path for path, state in rows if state == "missing")
            yield PicturesGone(tenant_id=event.tenant_id, paths=tuple(path for path, _ in rows), designs=ours)

    def _missing(self, shop: str, paths: Sequence[str]) -> Iterator[str]:
        """Those at which nothing lies, as far as a turn goes; the next scan looks up the others.

        A shop whose folder is not there at all was renamed, or has not been copied to another NAS yet: nobody has
        deleted its designs one by one.
        """
        if paths and self.nas.stat(shop) is None:
            log.warning("a shop's folder is not on the NAS; its designs count as being there", shop=shop)
            return
        until = time.monotonic() + self.turn_s
        for path in paths:
            with contextlib.suppress(NasRefused, Permanent):  # nobody can say
                if self.nas.stat(path) is None:
                    yield path
            if time.monotonic() >= until:
                return

    def next(self, event: PictureHashed) -> Iterator[Handed]:
        """Remove the copy, note the hashers' answer, and send the next file in its place.

        In this order here and below: once it is noted, another process's answer may take the place.
        """
        self._remove(event.ticket, event.content)
        if not self.rows.answered(event):
            yield PicturesGone(tenant_id=event.tenant_id, paths=(event.path,))
        yield from self._send(event.ticket, event.tenant_id, event.path.partition("/")[0])

    def _send(self, cause: UUID, tenant_id: UUID, shop: str) -> Iterator[Handed]:
        """Send files until the window is full. One that needs no hasher leaves room for another, now or later."""
        done: set[UUID] = set()
        until = time.monotonic() + self.turn_s
        while rows := [row for row in self.rows.take(cause) if row.ticket not in done]:
            for row in rows:
                if done and time.monotonic() >= until:
                    self.rows.put_back(cause, done)
                    yield ShopScanRequested(
                        tenant_id=tenant_id, shop=shop, scan_id=uuid5(cause, "goes on"), goes_on=True
                    )
                    return
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
        same_size = content.size == row.size
        if same_size and content.sha256 != row.sha256:
            return PictureFound(tenant_id=row.tenant_id, ticket=row.ticket, path=row.path, content=content)
        self._remove(row.ticket, content)
        if same_size:  # only its time has changed
            self.rows.settle(row.ticket, "unusable" if row.reason else "known")
        else:
            self.rows.look_again(row.ticket, "it was being written when it was read")
        return None

    def _copy(self, row: Row[Any]) -> Blob:
        with self.copies.writer() as writer:
            for piece in self.nas.read(row.path):
                writer.write(piece)
            self.rows.copied(row.ticket, writer.digest.hexdigest())
        return writer.blob

    def _remove(self, ticket: UUID, content: Blob) -> None:
        with self.rows.unneeded(content.sha256, but=ticket) as unneeded:
            if unneeded:
                self.copies.path(content).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove copies that a crash has left behind."""
        for path in self.copies.root.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # its answer has just come
                if path.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                    with self.rows.unneeded(path.name) as unneeded:
                        if unneeded:
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
