"""When a relay looks for work: at once for what is owed, in a moment and once for all that was done meanwhile."""

import asyncio

from services.ingest.bell import Bell

LIMIT_S = 10


def test_what_is_owed_is_looked_for_at_once_and_what_is_done_in_a_moment() -> None:
    async def scenario() -> None:
        bell = Bell()
        rung, loop = bell.listen(), asyncio.get_running_loop()
        for _ in range(3):
            bell.ring_soon()
        heard = loop.create_future()
        loop.call_soon(heard.set_result, None)  # behind the touches
        await heard
        assert not rung.is_set()
        bell.ring()
        await asyncio.wait_for(rung.wait(), LIMIT_S)
        rung.clear()
        await asyncio.wait_for(rung.wait(), LIMIT_S)  # the touches
        rung.clear()
        await asyncio.to_thread(bell.ring_soon)
        await asyncio.wait_for(rung.wait(), LIMIT_S)

    asyncio.run(scenario())


def test_where_nothing_waits_for_its_turn_nobody_looks_when_something_is_done() -> None:
    async def scenario() -> None:
        bell = Bell()
        waiting, idle = bell.listen(lambda: True), bell.listen(lambda: False)
        bell.ring_soon()
        await asyncio.wait_for(waiting.wait(), LIMIT_S)
        assert not idle.is_set()
        bell.ring()
        await asyncio.wait_for(idle.wait(), LIMIT_S)

    asyncio.run(scenario())
