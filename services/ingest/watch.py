"""Asks the broker the same thing again and again, on a connection that whoever composes ingest may open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import NamedTuple, TypeVar

import structlog

from shared.errors import Retryable

log = structlog.get_logger()

Answer = TypeVar("Answer")
Asks = Callable[[], AsyncGenerator[Answer, None]]
"""Asks once at each step."""


class Depth(NamedTuple):
    """Of one queue."""

    messages: int
    """In nobody's hands."""
    consumers: int


Alarms = Asks[bool]
"""Whether the broker takes nothing."""
Depths = Asks[Mapping[str, Depth]]
"""What lies in each queue that uploads pass through, and whether anybody takes it."""


async def watch(
    what: str, asks: Asks[Answer], hear: Callable[[Answer], Awaitable[None]], forget: Callable[[], None], every_s: float
) -> None:
    """For ever. Where there is no answer, `forget` says that nothing is known, and it is asked again.

    Whatever goes wrong stands in the log, and uploads go on: only `what` is not known.
    """
    while True:
        try:
            async with contextlib.aclosing(asks()) as answers:
                async for answer in answers:
                    await hear(answer)
                    await asyncio.sleep(every_s)
        except Retryable as error:  # the broker is away, or the database: both are told by others
            log.warning("the broker can't be asked; it is asked again", about=what, cause=str(error))
        except Exception:  # a fault of ours, told with its traceback; raised, it would vanish: nobody awaits this
            log.exception("asking the broker failed; it is asked again", about=what)
        forget()
        await asyncio.sleep(every_s)
