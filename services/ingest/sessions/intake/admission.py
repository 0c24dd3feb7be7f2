"""Whether an upload can be kept: asked before its body is read, so that nobody sends 300 MB to be refused.

An upload is accepted while its bytes, its rows and its messages find room: a promise that is given is kept. A broker
that is away is no reason by itself: what is owed waits in the outbox, and new uploads take the original lane.
"""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, func, select

from services.ingest.lane_choice import COMPREHENSIVE
from services.ingest.sessions.tables import FILES_IN_PROGRESS, outbox, sessions
from services.plurals import counted
from shared.database import transaction
from shared.errors import Unavailable

SOON_S, LATER_S = 30, 120
SPOOL_EVERY_S = 30.0


class NotAdmitted(Exception):  # noqa: N818
    """Not now: `status` 429 or 503, words for the client, and when to try again."""

    def __init__(self, status: int, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Room:
    """What must be free on the disk; what there may be of blobs, and of a user's files in progress; and for how many
    seconds the oldest message to an absent broker may wait. `spool_bytes` 0: no limit.
    """

    free_bytes: int
    spool_bytes: int
    outbox_age_s: float
    files_of_user: int


@dataclass
class Held:
    """The bytes that are kept free for an upload on its way."""

    size: int = 0


@dataclass(frozen=True)
class Spool:
    """What the blob folder held at a moment, and how much had come through the door by then."""

    size: int = 0
    came: int = 0
    at: float = float("-inf")


class Door:
    """Lets uploads in, or says in words why not."""

    def __init__(self, engine: Engine, blobs: Path, room: Room, cut_off_s: Callable[[], float]) -> None:
        """`cut_off_s` is for how long the broker has taken nothing; 0: it does."""
        self.engine = engine
        self.blobs = blobs
        self.room = room
        self.cut_off_s = cut_off_s
        self._lock = threading.Lock()
        self._measuring = threading.Lock()
        self._coming = 0
        self._came = 0
        self._spool = Spool()

    def check(self, size: int, held: Held | None = None) -> None:
        """Ask for an upload of so many bytes, or of a size that nobody knows (0), and keep them free if it is let in.

        Both are one step: else several that come at a time would be promised the same room.

        Raises:
            NotAdmitted: there is no room for it.
            Unavailable: the database or the blob folder is away.
        """
        self._check_outbox()
        came = self._came
        free = shutil.disk_usage(_existing(self.blobs)).free  # not under the lock: a disk may hang
        self._measure()
        with self._lock:
            self._check_disk(size, free - self._coming - (self._came - came))
            self._check_spool(size)
            if held is not None:
                held.size = size
                self._coming += size

    def check_files(self, user_id: UUID, files: int) -> None:
        """Ask for so many more files of a user.

        Raises:
            NotAdmitted: they have too many in progress.
            Unavailable: the database is away.
        """
        theirs = select(func.coalesce(func.sum(FILES_IN_PROGRESS), 0)).where(
            sessions.c.user_id == user_id, sessions.c.state == "working"
        )
        with transaction(self.engine) as connection:
            under_way = int(connection.execute(theirs).scalar_one())
        if under_way + files > self.room.files_of_user or under_way >= self.room.files_of_user:
            raise NotAdmitted(
                429,
                f"You have {under_way:,} files in progress, and an account may have {self.room.files_of_user:,}; "
                "send more when some of them are done.",
                LATER_S,
            )

    @contextlib.contextmanager
    def holding(self) -> Iterator[Held]:
        """For as long as an upload is on its way. What `check` keeps free for it counts as coming, then as there."""
        held = Held()
        try:
            yield held
        finally:
            with self._lock:
                self._coming -= held.size
                self._came += held.size

    def trouble(self) -> str | None:
        """Why no upload is let in just now, in words; None: they are."""
        try:
            self.check(0)
        except NotAdmitted as refusal:
            return refusal.detail
        except Unavailable as error:
            return str(error)
        return None

    def _check_disk(self, size: int, free: int) -> None:
        if free - size < self.room.free_bytes:
            raise NotAdmitted(
                503,
                f"The server has no room on its disk for this upload{_of(size)}; its operator has to make some. "
                "Nothing of it was kept: send it again later.",
                LATER_S,
            )

    def _measure(self) -> None:
        """One caller walks through the blob folder; others take the last figure, or wait for the first."""
        if self._is_fresh() or not self._measuring.acquire(blocking=self._spool == Spool()):
            return
        try:
            if not self._is_fresh():
                came = self._came
                self._spool = Spool(_size_of(self.blobs), came, time.monotonic())
        finally:
            self._measuring.release()

    def _is_fresh(self) -> bool:
        return not self.room.spool_bytes or time.monotonic() - self._spool.at <= SPOOL_EVERY_S

    def _check_spool(self, size: int) -> None:
        spool = self._spool.size + (self._came - self._spool.came)
        if self.room.spool_bytes and spool + self._coming + size > self.room.spool_bytes:
            raise NotAdmitted(
                503,
                f"The server keeps as many files as it may, and has no room for this upload{_of(size)}. "
                "Nothing of it was kept: send it again later.",
                LATER_S,
            )

    def _check_outbox(self) -> None:
        away_s = self.cut_off_s()
        if away_s <= self.room.outbox_age_s:
            return
        oldest = select(func.extract("epoch", func.now() - func.min(outbox.c.created_at)))
        # of uploads only: a copy of a photograph that waits is no reason to send a seller away
        waiting = (outbox.c.session_id.is_not(None), outbox.c.sent_at.is_(None))
        oldest = oldest.where(outbox.c.lane == COMPREHENSIVE, *waiting)
        with transaction(self.engine) as connection:
            age_s = connection.execute(oldest).scalar_one()
        if age_s is not None and age_s > self.room.outbox_age_s:
            raise NotAdmitted(
                503,
                f"The server can't pass work on: its message broker has been away for {_minutes(away_s)}. "
                "Nothing of this upload was kept: send it again in a few minutes.",
                SOON_S,
            )


def _existing(folder: Path) -> Path:
    """The folder, or what it will be made in."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _size_of(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # renamed or swept since it was listed
                total += (Path(path) / name).stat().st_size
    return total


def _of(size: int) -> str:
    return f" ({size / 1e6:.0f} MB)" if size >= 1e6 else ""


def _minutes(seconds: float) -> str:
    return counted(max(1, round(seconds / 60)), "minute")
