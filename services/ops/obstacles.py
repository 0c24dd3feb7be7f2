"""Before a replay: is there anybody to take what it sends, and does the broker take it?"""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.ingest.dead_letters.jobs import Obstacles


def obstacles(amqp_url: str) -> "Obstacles":
    """Asks the broker at this address, at each call."""

    def ask(services: Collection[str]) -> list[str]:
        from services.ops.broker import consumers
        from shared.errors import Unavailable

        if not services:
            return []
        try:
            found = asyncio.run(consumers(amqp_url, sorted(services)))
        except Unavailable as error:
            return [str(error)]
        return [f"no {name} is running; what it is to do would wait until one is" for name, n in found.items() if not n]

    return ask
