"""A service that waits for the broker ends when it is stopped, whatever becomes of the cancellation."""

import asyncio

from shared.bus.rabbit import RabbitBus
from shared.bus.run import start
from shared.bus.service import Service
from shared.errors import Unavailable


class Reached(RabbitBus):
    """A bus whose broker answers."""

    async def connect(self) -> None:
        pass


def test_a_look_at_the_queues_that_turns_its_cancellation_into_a_lost_channel_does_not_begin_again() -> None:
    looks = 0

    async def stopped_while_it_looks() -> None:
        looking = asyncio.Event()

        async def inspect(_: Service) -> None:
            nonlocal looks
            looks += 1
            looking.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if looks > 1:
                    raise  # or a test that fails would never end
                raise Unavailable("the channel was lost") from None

        bus, service = Reached("amqp://nobody", "mockup"), Service("mockup")
        serving = asyncio.create_task(start(bus, service, inspect))
        await looking.wait()
        serving.cancel()
        await bus.stop()
        done, _ = await asyncio.wait({serving}, timeout=5)
        assert done

    asyncio.run(stopped_while_it_looks())
    assert looks == 1
