"""Ingest as a process: the HTTP server with the relays, consumers and watchers that live beside it."""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import NamedTuple

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection

from services.ingest import scanning, service
from services.ingest.api import cancelling, native, resources, retrying, reviewing, sessions
from services.ingest.api.identity import current_user, stream_user
from services.ingest.api.resources import Preview, Resources, ScanOf, TemplateFault
from services.ingest.api.sessions import Catalog, DesignData, ProductData
from services.ingest.api.uploads import Limits
from services.ingest.app import create_app
from services.ingest.bell import Bell
from services.ingest.catalog.choices import listing_choice, print_choice
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.shop import ShopConnection
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User
from services.ingest.choosing import loose_lane
from services.ingest.lanes import Alarms, Depths, Lanes
from services.ingest.ops import forgetting, outcomes, purging
from services.ingest.ops.jobs import Obstacles
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.intake.grace_period import Unasked
from services.ingest.sessions.intake.print_check import PrintCheck
from services.ingest.sessions.intake.print_files import Prints
from services.ingest.sessions.lifecycle.records import Choice, Wanted
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.recovery.resume import Unfinished
from services.ingest.sessions.serving.listing_calls import ListingCalls
from services.ingest.sessions.serving.store import Sessions
from services.ingest.sessions.serving.upload_calls import Desk
from services.ingest.sessions.serving.watching import Watcher
from services.ingest.settings import Settings
from shared import log as logs
from shared.blobs import Blobs
from shared.bus.rabbit import RabbitBus
from shared.bus.run import Inspect
from shared.bus.service import Service
from shared.contracts import Destination, Message
from shared.database import engine_of
from shared.errors import Retryable
from shared.nas import Nas

log = structlog.get_logger()

SWEEP_EVERY_S = 1.0
SETTLE_TURNS = 5
PURGE_TURNS = 3600
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
    engine = engine_of(settings.database_url, pool_size=POOL_SIZE)
    consuming = engine_of(settings.database_url, pool_size=service.CONNECTIONS)
    blobs = Blobs(settings.blob_dir)
    hashers = settings.comprehensive_workflow_max_threads
    loose = loose_lane(embedded=settings.embedded)
    bell = Bell()
    lanes = Lanes(
        engine=engine,
        projection=service.build(consuming, bell.ring_soon, loose),
        unfinished=Unfinished(engine, hashers),
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
    store = Sessions(engine, hashers)
    nas, queue_of, scan_of = shelves or Shelves(settings.nas(), None, lambda _connection, _user_id: None)
    delays = Delays(engine, queue_of)
    prints = Prints(engine, blobs, nas)
    watcher, wait_s = Watcher(store), settings.http_wait_seconds
    listing_calls = ListingCalls(store, prints, PrintCheck(prints, loose), bell, watcher, wait_s)
    desk = Desk(store, lanes, watcher, wait_s, settings.nas_base_path, prints, delays, listing_calls)

    def emit(connection: Connection, message: Message) -> None:
        owe(connection, loose, message)

    door = Door(engine, settings.blob_dir, settings.room, lambda: lanes.cut_off_s)
    found = resources.build(
        settings,
        engine,
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


@dataclass(frozen=True)
class Lookup:
    """The catalog, as the upload calls ask it."""

    resources: Resources

    def catalog(self) -> Catalog:
        return Catalog(self.choose, self.group)

    def choose(self, user: User, data: DesignData) -> Choice:
        """The user's own template, mockups, canvas and size, as one choice."""
        digital = bool(data.is_digital)
        with self.resources.transaction() as connection:
            spec = print_choice(
                connection, user.id, data.product_template_id, data.canvas_config_id, data.size_config_id, digital
            )
            template = Templates(connection, user.id).get(data.product_template_id)
            Mockups(connection, user, self.resources.settings.nas_base_path).get(data.mockup_id)
        return Choice(
            template_id=data.product_template_id,
            mockup_id=data.mockup_id,
            canvas_config_id=data.canvas_config_id,
            size_config_id=data.size_config_id,
            print_spec=spec,
            destination=Destination(
                shop=user.shop_folder, template=template.name, starting_number=data.starting_name, digital=digital
            ),
            description=data.description,
            duplicates=data.duplicates,
        )

    def group(self, user: User, data: ProductData) -> Wanted:
        """What listings of this template with this mockup group are made of, and where they go."""
        with self.resources.transaction() as connection:
            template, backgrounds = listing_choice(connection, user.id, data.product_template_id, data.mockup_id)
        target = self.resources.shop.target_of(user)
        return Wanted(user.shop_folder, template, data.mockup_id, backgrounds, target)


@contextlib.asynccontextmanager
async def _alongside(desk: Desk, settings: Settings) -> AsyncIterator[None]:
    """What runs beside the HTTP server, for as long as it serves."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="ingest"))
    await desk.lanes.start()
    tasks = [
        asyncio.create_task(desk.watcher.run()),
        asyncio.create_task(_sweep(desk.sessions, settings)),
    ]
    try:
        yield
    finally:
        desk.watcher.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await desk.lanes.stop(settings.stop_grace_seconds)


async def _sweep(store: Sessions, settings: Settings) -> None:
    """End the sessions that nobody asks anything of any more; now and then tell dead letters how their files ended.

    Once an hour, delete the letters that have been over for long enough, and what was sent for uploads that have. Have
    the NAS scanned when it is time.
    """
    keep, keep_sent = timedelta(days=settings.dead_letter_keep_days), timedelta(days=settings.outbox_keep_days)
    scan_every = timedelta(minutes=settings.nas_scan_minutes)
    lane = loose_lane(embedded=settings.embedded)
    unasked = Unasked(store.engine, settings.listing_grace_seconds)
    for turn in itertools.count():
        await asyncio.sleep(SWEEP_EVERY_S)
        try:
            await asyncio.to_thread(unasked.finish)
            if turn % SETTLE_TURNS == 0:
                await asyncio.to_thread(outcomes.settle, store.engine)
                if scan_every:
                    await asyncio.to_thread(scanning.ask_when_due, store.engine, lane, scan_every)
            if keep and turn % PURGE_TURNS == 0:
                await asyncio.to_thread(purging.sweep, store.engine, keep)
            if keep_sent and turn % PURGE_TURNS == 0:
                await asyncio.to_thread(forgetting.forget, store.engine, keep_sent)
        except Retryable as error:
            log.warning("ending sessions waits", cause=str(error))
        except Exception:
            log.exception("sessions or replays could not be ended; it is tried again")
