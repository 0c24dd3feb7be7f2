"""A broker that is short of memory, and how ingest hears of it: with a real one of the test's own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local import node
from services.ops.broker import alarms
from shared.errors import Unavailable
from tests.backends import private_node
from tests.chaos.broker_control import ctl

pytestmark = pytest.mark.rabbit
WITHIN_S = 30.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[node.Node]:
    program = node.installed()
    assert program is not None
    with private_node(tmp_path, program, throwaway=True, management=False) as running:
        yield running


def test_an_alarm_is_told_while_it_lasts_and_not_once_its_broker_is_dead(broker: node.Node) -> None:
    async def watch() -> None:
        async with asyncio.timeout(WITHIN_S), contextlib.aclosing(alarms(broker.url)) as asked:

            async def told(alarm: bool) -> None:
                while await anext(asked) is not alarm:
                    pass

            assert await anext(asked) is False
            for share, alarm in (("0", True), ("0.4", False), ("0", True)):
                await asyncio.to_thread(ctl, broker, "set_vm_memory_high_watermark", share)
                await told(alarm)
            os.kill(broker.pid, signal.SIGKILL)
            with pytest.raises(Unavailable):
                await told(False)

    asyncio.run(watch())
