"""Ingest as a process: the HTTP server with the relays, consumers and watchers that live beside it."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from services.ingest import service
from services.ingest.api import resources
from services.ingest.app import create_app
from services.ingest.bell import Bell
from services.ingest.broker_standing import BrokerStanding
from services.ingest.broker_watch import BrokerWatch
from services.ingest.connections import HttpConnection
from services.ingest.lane_choice import loose_lane
from services.ingest.lanes import Lanes
from services.ingest.neighbours import Neighbours
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.intake.print_check import PrintCheck
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.absence import Absence
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.recovery.standstill import Standstill
from services.ingest.sessions.recovery.unfinished import Unfinished
from services.ingest.sessions.serving.listing_calls import ListingCalls
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.upload_calls import Desk
from services.ingest.sessions.serving.watching import Watcher
from services.ingest.settings import Settings
from services.ingest.sweeping import duties, sweep
from shared import log as logs
from shared.blobs import Blobs
from shared.bus.rabbit import RabbitBus
from shared.contracts import Message
from shared.database import engine_of

POOL_SIZE = 20
THREADS = 40
"""Uploads, streams and relays wait in these for disk and database; Python's own choice, six on two cores, are all taken
when as many large files come. Those that ask the database wait for each other beyond POOL_SIZE."""
STREAM_GRACE_S = 5


def serve(settings: Settings, app: FastAPI, desk: Desk) -> None:
    """Serve what `build` made until SIGTERM."""
    logs.configure(settings.log_level, "ingest")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=HttpConnection,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STREAM_GRACE_S,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn raises what stopped it once more at its end
    _Server(config, desk).run()
    if (rabbit := desk.broker.rabbit) and rabbit.fault:
        raise SystemExit(rabbit.fault)


class _Server(uvicorn.Server):
    """Ends open streams and waits at the signal: uvicorn waits for them before it tells the application."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self.desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(self.desk.watcher.stop)
        super().handle_exit(sig, frame)


def build(settings: Settings, neighbours: Neighbours) -> tuple[FastAPI, Desk]:
    """The application, and the desk that takes its uploads; nothing is connected before it starts."""
    lanes = _lanes(settings, neighbours)
    desk = _desk(settings, lanes, neighbours)
    loose = loose_lane(embedded=settings.embedded)

    def emit(connection: Connection, message: Message) -> None:
        owe(connection, loose, message)

    using = resources.build(
        settings,
        desk.sessions.engine,
        desk.prints.blobs,
        emit,
        neighbours,
        broker_state=lambda: desk.broker.state,
        door=desk.door,
    )
    watch = _watch(lanes, neighbours)
    return create_app(using, desk, lambda _: _alongside(desk, lanes, watch, settings)), desk


def _lanes(settings: Settings, neighbours: Neighbours) -> Lanes:
    engine = engine_of(settings.database_url, pool_size=POOL_SIZE)
    consuming = engine_of(settings.database_url, pool_size=service.CONNECTIONS)
    bell = Bell()
    return Lanes(
        engine=engine,
        ingest=service.build(consuming, bell.ring_soon, loose_lane(embedded=settings.embedded)),
        unfinished=Unfinished(engine, settings.comprehensive_workflow_max_threads),
        broker=BrokerStanding(None if settings.embedded else RabbitBus(settings.amqp_url, "ingest")),
        windows=settings.windows,
        services=neighbours.services,
        bell=bell,
        inspect=neighbours.inspect,
    )


def _watch(lanes: Lanes, neighbours: Neighbours) -> BrokerWatch:
    standstill = Standstill(lanes.engine, lanes.unfinished)
    absence = Absence(Delays(lanes.engine))
    return BrokerWatch(lanes.broker, standstill, absence, neighbours.alarms, neighbours.depths)


def _desk(settings: Settings, lanes: Lanes, neighbours: Neighbours) -> Desk:
    store = Sessions(lanes.engine, settings.comprehensive_workflow_max_threads)
    watcher, wait_s = Watcher(store), settings.http_wait_seconds
    prints = Prints(lanes.engine, Blobs(settings.blob_dir), neighbours.nas)
    check = PrintCheck(prints, loose_lane(embedded=settings.embedded))
    return Desk(
        sessions=store,
        door=Door(lanes.engine, settings.blob_dir, settings.room, lambda: lanes.broker.cut_off_s),
        lane_rule=settings.lane_rule,
        broker=lanes.broker,
        bell=lanes.bell,
        watcher=watcher,
        wait_s=wait_s,
        nas_base_path=settings.nas_base_path,
        prints=prints,
        delays=Delays(lanes.engine, neighbours.queue_of),
        listing_calls=ListingCalls(store, prints, check, lanes.bell, watcher, wait_s, neighbours.scan_of),
    )


@contextlib.asynccontextmanager
async def _alongside(desk: Desk, lanes: Lanes, watch: BrokerWatch, settings: Settings) -> AsyncIterator[None]:
    """What runs beside the HTTP server, for as long as it serves."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="ingest"))
    await lanes.start()
    tasks = [
        asyncio.create_task(desk.watcher.run()),
        asyncio.create_task(watch.run()),
        asyncio.create_task(sweep(list(duties(desk.sessions.engine, settings)))),
    ]
    try:
        yield
    finally:
        desk.watcher.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lanes.stop(settings.stop_grace_seconds)
