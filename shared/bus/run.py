"""One service in one process: connect, consume, drain on SIGTERM."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog

from shared import log as logs
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.errors import Unavailable
from shared.settings import BusSettings

log = structlog.get_logger()


class Unsafe(Exception):  # noqa: N818 - reads as what was found
    """What is on the broker may lose messages, so nothing is consumed; the words say what to do."""


Inspect = Callable[[Service], Awaitable[None]]  # looks at the queues before they are consumed; Unsafe, Unavailable


def run(service: Service, settings: BusSettings, inspect: Inspect | None = None) -> None:
    """Consume until SIGTERM or SIGINT; then finish what is in work and return."""
    logs.configure(settings.log_level, service.name)
    if inspect is None:
        log.warning("the queues are taken as they are: only `presswork run` looks at them first")
    if fault := asyncio.run(_serve(service, settings, inspect)):
        sys.exit(fault)


async def _serve(service: Service, settings: BusSettings, inspect: Inspect | None) -> str:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bus = RabbitBus(settings.amqp_url, service.name)
    serving = asyncio.create_task(start(bus, service, inspect))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not (stop.is_set() or bus.fault):
        await serving
        log.info("ready", prefetch=service.prefetch)
    await stop.wait()
    serving.cancel()
    log.info("stopping", grace_s=settings.stop_grace_seconds)
    await bus.stop(settings.stop_grace_seconds)
    return bus.fault


async def start(bus: RabbitBus, service: Service, inspect: Inspect | None = None) -> None:
    """Connect and consume; while broker or queues are not there yet, say so once for each cause and try again."""
    pause_s, said = 0.2, ""
    while not bus.stopping.is_set():  # a cancellation that meets a channel's end may come out as a lost channel
        try:
            await bus.connect()
            if inspect:
                await inspect(service)
            await bus.consume(service)
        except Unsafe as error:
            bus.give_up(str(error))
            return
        except Unavailable as error:
            if str(error) != said:
                said = str(error)
                log.warning("waiting for the broker", cause=said)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 1.0)
        else:
            return
