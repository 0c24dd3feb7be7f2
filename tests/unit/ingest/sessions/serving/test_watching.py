"""Many who ask the database the same at once make one question of it."""

import asyncio
import threading
from typing import Any, cast

from services.ingest.sessions.serving.watching import Watcher


def test_those_who_ask_at_once_ask_once_and_who_asks_meanwhile_hears_of_later_news() -> None:
    news, asked, begun, go_on = ["old"], list[str](), threading.Event(), threading.Event()

    def newest(name: str) -> str:
        asked.append(name)
        found = news[-1]
        begun.set()
        assert go_on.wait(10)
        return found

    async def ask() -> list[str]:
        watcher = Watcher(cast("Any", None))
        early = [asyncio.create_task(watcher.ask_together(1, newest, "one")) for _ in range(50)]
        assert await asyncio.to_thread(begun.wait, 10)
        news.append("new")  # after the first question was asked, and before it is answered
        late = [asyncio.create_task(watcher.ask_together(1, newest, "one")) for _ in range(50)]
        await asyncio.sleep(0)
        early[0].cancel()
        go_on.set()
        heard = await asyncio.gather(*early[1:], *late)
        assert not watcher._asked
        assert not watcher._next
        return heard

    assert asyncio.run(ask()) == ["old"] * 49 + ["new"] * 50
    assert asked == ["one", "one"]
