"""What is due by the clock, and by no call: sessions to end, letters to settle or delete, the NAS to scan."""

import asyncio
import itertools
from datetime import timedelta

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


async def sweep(engine: Engine, settings: Settings) -> None:
    """End the sessions that nobody asks anything of any more; now and then tell dead letters how their files ended.

    Once an hour, delete the letters that have been over for long enough, and what was sent for uploads that have. Have
    the NAS scanned when it is time.
    """
    keep, keep_sent = timedelta(days=settings.dead_letter_keep_days), timedelta(days=settings.outbox_keep_days)
    scan_every = timedelta(minutes=settings.nas_scan_minutes)
    lane = loose_lane(embedded=settings.embedded)
    unasked = Unasked(engine, settings.listing_grace_seconds)
    for turn in itertools.count():
        await asyncio.sleep(SWEEP_EVERY_S)
        try:
            await asyncio.to_thread(unasked.finish)
            if turn % SETTLE_TURNS == 0:
                await asyncio.to_thread(outcomes.settle, engine)
                if scan_every:
                    await asyncio.to_thread(scan_requests.ask_when_due, engine, lane, scan_every)
            if keep and turn % PURGE_TURNS == 0:
                await asyncio.to_thread(purging.sweep, engine, keep)
            if keep_sent and turn % PURGE_TURNS == 0:
                await asyncio.to_thread(forgetting.forget, engine, keep_sent)
        except Retryable as error:
            log.warning("ending sessions waits", cause=str(error))
        except Exception:  # nobody awaits this task: raised, the error would vanish, and nothing be swept any more
            log.exception("sessions or replays could not be ended; it is tried again")
