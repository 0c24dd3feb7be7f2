"""Ingest as a process: the HTTP server with the relays, consumers and watchers that live beside it."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from services.ingest import service
from services.ingest.api import cancelling, native, resources, retrying, reviewing, sessions
from services.ingest.api.identity import current_user, stream_user
from services.ingest.api.receiving import Limits
from services.ingest.api.resources import Preview, ScanOf, TemplateFault
from services.ingest.app import create_app
from services.ingest.bell import Bell
from services.ingest.catalog.shop import ShopConnection
from services.ingest.connections import HttpConnection
from services.ingest.dead_letters.jobs import Obstacles
from services.ingest.lane_choice import loose_lane
from services.ingest.lanes import Alarms, Depths, Lanes
from services.ingest.lookup import Lookup
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.intake.print_check import PrintCheck
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.delays import Delays, QueueOf
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
from shared.bus.run import Inspect
from shared.bus.service import Service
from shared.contracts import Message
from shared.database import engine_of
from shared.nas import Nas

POOL_SIZE = 20
THREADS = 40
"""Uploads, streams and relays wait in these for disk and database; Python's own choice, six on two cores, are all taken
when as many large files come. Those that ask the database wait for each other beyond POOL_SIZE."""
STREAM_GRACE_S = 5


class Shelves(NamedTuple):
    """Where shops' files lie, as storage knows it."""

    nas: Nas
    queue_of: Callable[[str], str] | None
    """See `Delays`."""
    scan_of: ScanOf


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
    if (rabbit := desk.lanes.rabbit) and rabbit.fault:
        raise SystemExit(rabbit.fault)


class _Server(uvicorn.Server):
    """Ends open streams and waits at the signal: uvicorn waits for them before it tells the application."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self.desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(self.desk.watcher.stop)
        super().handle_exit(sig, frame)


def build(
    settings: Settings,
    original: Sequence[Service],
    *,
    obstacles: Obstacles = lambda _: [],
    template_fault: TemplateFault | None = None,
    shop: ShopConnection | None = None,
    shelves: Shelves | None = None,
    preview: Preview | None = None,
    inspect: Inspect | None = None,
    alarms: Alarms | None = None,
    depths: Depths | None = None,
) -> tuple[FastAPI, Desk]:
    """The application; nothing is connected before it starts.

    `original` are the services of the in-process lane. They, and what is passed by its name, come from the caller, as
    ingest may know neither the other services nor who asks the broker. The type of each says what it is.
    """
    blobs, loose = Blobs(settings.blob_dir), loose_lane(embedded=settings.embedded)
    lanes = _lanes(settings, original, inspect, alarms, depths)
    nas, queue_of, scan_of = shelves or Shelves(settings.nas(), None, lambda _connection, _user_id: None)
    desk = _desk(settings, lanes, blobs, nas, queue_of)

    def emit(connection: Connection, message: Message) -> None:
        owe(connection, loose, message)

    door = Door(lanes.engine, settings.blob_dir, settings.room, lambda: lanes.cut_off_s)
    found = resources.build(
        settings,
        lanes.engine,
        blobs,
        nas,
        emit,
        broker_state=lambda: lanes.broker_state,
        shop=shop,
        door=door,
        obstacles=obstacles,
        template_fault=template_fault,
        preview=preview,
        scan_of=scan_of,
        queue_of=queue_of,
    )
    limits = Limits(settings.max_files_per_upload, settings.max_upload_bytes)
    catalog = Lookup(found).catalog()
    routers = [
        sessions.router(desk, catalog, blobs, limits, door, current_user, stream_user),
        native.router(desk, current_user),
        cancelling.router(desk, current_user),
        retrying.router(desk, found.shop, current_user),
        reviewing.router(desk, blobs, current_user),
    ]
    return create_app(found, routers=routers, lifespan=lambda _: _alongside(desk, settings)), desk


def _lanes(
    settings: Settings,
    original: Sequence[Service],
    inspect: Inspect | None,
    alarms: Alarms | None,
    depths: Depths | None,
) -> Lanes:
    engine = engine_of(settings.database_url, pool_size=POOL_SIZE)
    consuming = engine_of(settings.database_url, pool_size=service.CONNECTIONS)
    bell = Bell()
    return Lanes(
        engine=engine,
        projection=service.build(consuming, bell.ring_soon, loose_lane(embedded=settings.embedded)),
        unfinished=Unfinished(engine, settings.comprehensive_workflow_max_threads),
        min_files=settings.comprehensive_workflow_min_files,
        use_comprehensive=settings.use_comprehensive_workflow,
        rabbit=None if settings.embedded else RabbitBus(settings.amqp_url, "ingest"),
        windows=settings.windows,
        original=original,
        bell=bell,
        inspect=inspect,
        alarms=alarms,
        depths=depths,
        compared=settings.original_lane_share,
    )


def _desk(settings: Settings, lanes: Lanes, blobs: Blobs, nas: Nas, queue_of: QueueOf | None) -> Desk:
    store = Sessions(lanes.engine, settings.comprehensive_workflow_max_threads)
    watcher, wait_s = Watcher(store), settings.http_wait_seconds
    prints = Prints(lanes.engine, blobs, nas)
    check = PrintCheck(prints, loose_lane(embedded=settings.embedded))
    listing_calls = ListingCalls(store, prints, check, lanes.bell, watcher, wait_s)
    delays = Delays(lanes.engine, queue_of)
    return Desk(store, lanes, watcher, wait_s, settings.nas_base_path, prints, delays, listing_calls)


@contextlib.asynccontextmanager
async def _alongside(desk: Desk, settings: Settings) -> AsyncIterator[None]:
    """What runs beside the HTTP server, for as long as it serves."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="ingest"))
    await desk.lanes.start()
    tasks = [
        asyncio.create_task(desk.watcher.run()),
        asyncio.create_task(sweep(list(duties(desk.sessions.engine, settings)))),
    ]
    try:
        yield
    finally:
        desk.watcher.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.lanes.stop(settings.stop_grace_seconds)
