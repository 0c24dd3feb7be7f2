"""The two ways in which a letter is deleted: a person purges it, or nobody has wanted it for long enough.

Blobs are not deleted by either: what a letter needs, a file or another letter may need too.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Engine, delete, select

from services.ingest.dead_letter_tables import dead_letters
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.exporting import exported_within
from services.ingest.dead_letters.finding import Filter
from services.ingest.many_ids import any_of
from services.ingest.tables import CLOCK
from shared.database import transaction

OVER = ("resolved", "superseded", "discarded")
"""Nobody waits for these. What waits is kept for ever."""

letter = dead_letters.c


class NotPurged(Exception):  # noqa: N818 - reads as what happened
    """Nothing was deleted; why, in words."""


def purge(engine: Engine, wanted: Filter, run: Run, typed: str, sha256: str) -> int:
    """Delete letters of one service for good. Whoever asks has typed service and count, and has their export.

    `sha256` is that of the export: it proves that the asker has exactly what is deleted.

    Raises:
        NotPurged: something of this does not fit, or something has changed since.
        Unavailable: the database went away.
    """
    with transaction(engine) as connection:
        in_order = select(letter.id, letter.status).where(wanted.where()).order_by(letter.id)
        found = connection.execute(in_order.with_for_update()).all()
        if typed != confirmation(wanted, len(found)):
            raise NotPurged(f"to delete them for good, type: {confirmation(wanted, len(found))}")
        if at_work := sum(row.status == "replaying" for row in found):
            raise NotPurged(f"{at_work} of them are being replayed just now; name others by --status")
        these = any_of(letter.id, [row.id for row in found])  # and nothing that comes meanwhile
        if _digest(exported_within(connection, these)) != sha256:
            raise NotPurged("they have changed since they were exported, or this is another export; export again")
        run.begin(connection, wanted.given(), len(found))
        connection.execute(delete(dead_letters).where(these))
        for row in found:
            run.note(connection, row.id, "purged", "deleted for good, after its export")
        run.end(connection, {"purged": len(found)}, f"export {sha256}")
    return len(found)


def confirmation(wanted: Filter, count: int) -> str:
    """What has to be typed.

    Raises:
        NotPurged: there are none, or no service is named.
    """
    if not wanted.service or not count:
        raise NotPurged("no letter fits" if wanted.service else "name the service whose letters are deleted")
    return f"{wanted.service} {count}"


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()


def sweep(engine: Engine, keep: timedelta) -> int:
    """Delete what has been over for so long. Run by every ingest, now and then."""
    with transaction(engine) as connection:
        old = select(letter.id).where(letter.status.in_(OVER), letter.status_at < CLOCK - keep)
        these = connection.execute(old.order_by(letter.id).with_for_update()).scalars().all()
        return connection.execute(delete(dead_letters).where(any_of(letter.id, these))).rowcount
