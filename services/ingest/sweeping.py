"""What is due by the clock, and by no call: sessions to end, letters to settle or delete, the NAS to scan."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

import structlog
from sqlalchemy import Engine

from services.ingest import scan_requests
from services.ingest.dead_letters import outcomes, purging
from services.ingest.lane_choice import loose_lane
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.outgoing import forgetting
from services.ingest.settings import Settings
from shared.errors import Retryable

log = structlog.get_logger()

SWEEP_EVERY_S = 1.0
SETTLE_TURNS = 5
PURGE_TURNS = 3600  # an hour


class Duty(NamedTuple):
    """Something that is due each so many turns. `what` is for the log."""

    what: str
    turns: int
    do: Callable[[], object]


def duties(engine: Engine, settings: Settings) -> Iterator[Duty]:
    """All of ingest's, but for those that the settings turn off."""
    keep, keep_sent = timedelta(days=settings.dead_letter_keep_days), timedelta(days=settings.outbox_keep_days)
    scan_every = timedelta(minutes=settings.nas_scan_minutes)
    lane = loose_lane(embedded=settings.embedded)
    yield Duty("sessions that nobody asks anything of", 1, Unasked(engine, settings.listing_grace_seconds).finish)
    yield Duty("how the files of dead letters ended", SETTLE_TURNS, lambda: outcomes.settle(engine))
    if scan_every:
        yield Duty("scans of the NAS", SETTLE_TURNS, lambda: scan_requests.ask_when_due(engine, lane, scan_every))
    if keep:
        yield Duty("dead letters to delete", PURGE_TURNS, lambda: purging.sweep(engine, keep))
    if keep_sent:
        yield Duty("sent messages to forget", PURGE_TURNS, lambda: forgetting.forget(engine, keep_sent))


async def sweep(due: Sequence[Duty], every_s: float = SWEEP_EVERY_S) -> None:
    """Do for ever what is due. A duty that breaks keeps no other from its turn; an outage ends the turn for all."""
    for turn in itertools.count():
        await asyncio.sleep(every_s)
        for duty in due:
            if turn % duty.turns:
                continue
            try:
                await asyncio.to_thread(duty.do)
            except Retryable as error:
                log.warning("what is due waits", what=duty.what, cause=str(error))
                break
            except Exception:  # nobody awaits this task: raised, the error would vanish, and nothing be done any more
                log.exception("what is due could not be done; it is tried again", what=duty.what)
