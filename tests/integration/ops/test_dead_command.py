"""`presswork dead` on a terminal and for programs: what it says, and how it ends."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from services.cli import app
from services.local.environment import write_down
from services.ops.broker import declare
from services.ops.place import settings
from services.ops.queues import topology
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import Blob, StoreFile
from shared.database import engine_of
from shared.errors import Permanent
from tests.integration.ingest.embedded import eventually
from tests.integration.ops.letterbox import Letterbox

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture
def box(database_url: str) -> Iterator[Letterbox]:
    engine = engine_of(database_url)
    yield Letterbox(engine)
    engine.dispose()


def presswork(database_url: str, *words: object, code: int = 0, amqp_url: str = NOWHERE, answers: str = "") -> Result:
    environment = {"DATABASE_URL": database_url, "AMQP_URL": amqp_url}
    result = CliRunner().invoke(app, [str(word) for word in words], input=answers, env=environment)
    assert result.exit_code == code, f"{result.exit_code}: {result.output}\n{result.exception!r}"
    return result


def test_a_person_finds_and_understands_a_failure(database_url: str, box: Letterbox, tmp_path: Path) -> None:
    session = box.submitted("rose.png", "tulip.png")
    rose = box.dies("storage", box.accepted(session, 0))
    box.dies("dedup", box.accepted(session, 1), "ValueError: other")
    groups = presswork(database_url, "dead", "groups").output
    assert groups.count("1 waiting of 1, 1 uploads") == 2
    assert "storage: OSError: a disk" in groups
    listed = presswork(database_url, "dead", "list", "--file", "rose").output
    assert str(rose) in listed
    assert "1 of 1 letters." in listed
    shown = presswork(database_url, "dead", "show", str(rose)[:8]).output
    for told in ("rose.png", "services/storage/filing.py:place", '"x-service": "storage"', '"type": "ImageAccepted"'):
        assert told in shown
    presswork(database_url, "dead", "note", "the old NAS", "--service", "storage")
    presswork(database_url, "dead", "discard", rose, "--why", "printed by hand")
    assert "printed by hand" in presswork(database_url, "dead", "list", "--status", "discarded").output
    presswork(database_url, "dead", "restore", rose)
    lines = tmp_path / "letters.jsonl"
    presswork(database_url, "dead", "export", "--to", lines)
    exported = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {letter["id"]: letter["note"] for letter in exported}[str(rose)] == "the old NAS"
    audit = presswork(database_url, "dead", "audit").output
    assert [word for word in ("note", "discard", "restore") if f": {word} {{" in audit] == [
        "note",
        "discard",
        "restore",
    ]


def test_programs_get_json(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    rose = box.dies("storage", box.accepted(session, 0))

    def asked(*words: object, **how: Any) -> Any:
        return json.loads(presswork(database_url, "dead", *words, "--json", **how).stdout)

    assert [letter["id"] for letter in asked("list")["letters"]] == [str(rose)]
    assert asked("groups")[0]["letters"] == 1
    assert asked("show", rose)["files"][0]["filename"] == "rose.png"
    tried = asked("replay", "--all", "--dry-run")
    assert (tried["matched"], tried["sample"][0]["result"]) == (1, "reopened")
    done = asked("replay", "--all", "--yes", "--force")
    assert (done["counts"], done["left"], done["stopped"]) == ({"reopened": 1}, 0, None)
    audited = asked("audit", done["run_id"])
    assert (audited["run"]["state"], audited["results"][0]["letter_id"]) == ("ended", str(rose))
    again = asked("replay", rose, "--yes", "--force", code=1)
    assert again["counts"] == {"refused": 1}
    assert again["results"][0]["words"].endswith(f"run {done['run_id']}"), "it names the replay that has it"
    assert asked("cancel", done["run_id"])["state"] == "ended"
    assert asked("note", "x", rose) == {"noted": 1}
    assert asked("discard", rose, code=3) == {"discarded": 0}
    assert asked("restore", "--all", code=3) == {"restored": 0}


def test_it_says_what_it_will_do_and_asks_first(database_url: str, box: Letterbox) -> None:
    session = box.submitted("rose.png")
    rose = box.dies("storage", box.accepted(session, 0))
    dry = presswork(database_url, "dead", "replay", rose, "--dry-run").output
    assert "1 letters: 1 of storage" in dry
    assert "reopened: rose.png is being worked on again" in dry
    assert "can't be asked" in dry, "nobody could take it: the broker is away"
    alone = box.submitted("tulip.png", lane="original")
    tulip = box.dies("storage", box.accepted(alone, 0))
    assert "can't be asked" not in presswork(database_url, "dead", "replay", tulip, "--dry-run").output
    refused = presswork(database_url, "dead", "replay", rose, "--yes", code=4).output
    assert "can't be asked" in refused
    assert "Nothing was replayed. Mend that, or send all the same: --force" in refused
    presswork(database_url, "dead", "replay", rose, "--force", answers="n\n", code=1)
    assert box.letter(rose)["status"] == "dead"
    presswork(database_url, "dead", "replay", rose, "--force", answers="y\n")
    assert box.letter(rose)["status"] == "replaying"


def test_it_ends_with_a_code_that_scripts_can_tell_apart(database_url: str, box: Letterbox) -> None:
    presswork(database_url, "dead", "replay", code=2)
    presswork(database_url, "dead", "replay", "--all", "--rate", "fast", code=2)
    presswork(database_url, "dead", "replay", "--direct", code=2)
    presswork(database_url, "dead", "replay", "--all", "--to", "somebody.elses.queue", code=2)
    presswork(database_url, "dead", "audit", uuid4(), code=3)
    presswork(database_url, "dead", "cancel", uuid4(), code=3)
    presswork(database_url, "dead", "export", code=3)
    presswork(database_url, "dead", "replay", "--all", "--yes", code=3)
    presswork(database_url, "dead", "show", uuid4(), code=3)
    presswork(database_url, "dead", "discard", "--service", "mockup", code=3)
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/none"
    assert "can't be used" in presswork(nowhere, "dead", "list", code=4).output
    assert "can't be asked" in presswork(nowhere, "dead", "replay", "--direct", "--service", "storage", code=4).output


def test_a_rate_is_kept(database_url: str, box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    session = box.submitted("a.png", "b.png", "c.png")
    for index in range(3):
        box.dies("storage", box.accepted(session, index))
    pauses: list[float] = []
    monkeypatch.setattr("services.ingest.ops.steps.time.sleep", pauses.append)
    presswork(database_url, "dead", "replay", "--all", "--yes", "--force", "--rate", "4/s")
    assert pauses == [0.25, 0.25]


def test_the_addresses_of_a_running_system_are_read_where_it_left_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "AMQP_URL"):
        monkeypatch.delenv(name, raising=False)
    odd = "postgresql+psycopg2://us%20er:p'a\\ss#w$x\"d@/db?host=/tmp/with space"
    write_down({"DATABASE_URL": odd, "AMQP_URL": "amqp://a:b@c/%2F", "JWT_SECRET_KEY": "secret"}, tmp_path)
    found = settings(tmp_path)
    assert (found.database_url, found.amqp_url) == (odd, "amqp://a:b@c/%2F")
    assert "secret" not in (tmp_path / "environment").read_text()
    assert (tmp_path / "environment").stat().st_mode & 0o077 == 0
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2://named")
    assert settings(tmp_path).database_url == "postgresql+psycopg2://named"


def test_without_a_database_letters_go_from_broker_to_broker_and_none_twice(amqp_url: str) -> None:
    """Storage fails each one again at once: what returns while the command runs is not moved again."""
    heard: list[str] = []

    def on_store_file(event: StoreFile) -> None:
        heard.append(event.path)
        raise Permanent("still broken")

    service = Service("storage")
    service.on(on_store_file)

    async def scenario() -> list[Result]:
        await declare(amqp_url, topology([service]))
        bus = RabbitBus(amqp_url, "storage")
        await bus.connect()
        await bus.consume(service)
        from shared.bus.envelope import Envelope  # noqa: PLC0415

        for number in range(5):
            file = StoreFile(tenant_id=uuid4(), shop="s", path=str(number), content=Blob(sha256="0" * 64, size=1))
            await bus.publish(Envelope(uuid4(), file, "test"))
        await asyncio.to_thread(eventually, lambda: len(heard) == 5)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 5)
        nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/none"
        command = ("dead", "replay", "--direct", "--service", "storage")

        def say(*more: object) -> Result:
            return presswork(nowhere, *command, *more, amqp_url=amqp_url)

        said = [await asyncio.to_thread(say, "--limit", 2), await asyncio.to_thread(say)]
        await asyncio.to_thread(eventually, lambda: len(heard) == 12)
        await asyncio.to_thread(eventually, lambda: depth(amqp_url) == 5)
        await bus.stop(5)
        return said

    two, all_five = asyncio.run(scenario())
    assert "2 letters moved back to storage." in two.output
    assert "5 letters moved back to storage." in all_five.output
    assert len(heard) == 12


def depth(amqp_url: str) -> int:
    """How many letters wait in storage's dead-letter queue."""
    import aio_pika  # noqa: PLC0415

    async def ask() -> int:
        connection = await aio_pika.connect(amqp_url)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("presswork.storage.dead", passive=True)
            return queue.declaration_result.message_count or 0

    return asyncio.run(ask())
