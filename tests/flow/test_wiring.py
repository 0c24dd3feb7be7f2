"""Every message has somebody who sends it and somebody who acts on it, and the documentation says the same."""

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest

from services.embedded import workers
from services.flow import FROM_HTTP, OVERTAKING, mermaid
from services.ingest.service import build
from services.ops.queues import topology
from shared.bus.dead_letter import DeadLetter
from shared.bus.envelope import types
from shared.bus.service import Service
from shared.contracts import ItemEvent, Message, Stage, WorkDelayed
from shared.database import engine_of

ROOT = Path(__file__).parents[2]
BASES = {"ItemEvent", "Prepared"}
FROM_BUS = {WorkDelayed}  # the bus itself says, for every service, what its work waits for
RECEIPT = {"ImageRejected"}  # ingest owes it from HTTP, the hasher emits it, too
SHARED_LINES = 1570  # but for the messages: there are as many as the flow has
NAS_LINES = 2030  # its backends are leaves: nothing else in shared imports them


@pytest.fixture(scope="module")
def services() -> list[Service]:
    return [build(engine_of("postgresql+psycopg://nobody@localhost:1/none")), *workers(hashers=1)]


def heard_as_work(services: list[Service]) -> set[type[Message]]:
    return {message for service in services if not service.follows_progress for message in service.handlers}


def emitted(services: list[Service]) -> set[type[Message]]:
    handlers = [handler for service in services for handler in service.handlers.values()]
    return {message for handler in handlers for message in handler.emits} | {*FROM_HTTP, *FROM_BUS, *OVERTAKING}


def test_every_service_of_the_contract_is_built(services: list[Service]) -> None:
    assert {service.name for service in services} == set(get_args(Stage))


def test_what_somebody_listens_to_is_emitted_by_somebody(services: list[Service]) -> None:
    listened = {message for service in services for message in service.handlers} - {DeadLetter}
    assert listened == emitted(services)


def test_every_message_on_the_wire_is_in_the_flow(services: list[Service]) -> None:
    assert {message.__name__ for message in emitted(services)} == set(types()) - BASES


def test_a_message_is_marked_as_work_exactly_when_a_service_acts_on_it(services: list[Service]) -> None:
    # mandatory publishing would refuse a wrongly marked one, or keep it from its listener
    assert {message for message in emitted(services) if message.work} == heard_as_work(services)


def test_ingest_follows_every_item_event(services: list[Service]) -> None:
    events = {message for message in emitted(services) if issubclass(message, ItemEvent)}
    assert events == set(services[0].handlers) - {DeadLetter, *FROM_BUS}


def test_every_inbox_has_its_dead_letter_queue_and_somebody_who_keeps_it(services: list[Service]) -> None:
    names = {queue.name for queue in topology(services).queues}
    for service in services:
        assert {f"presswork.{service.name}", f"presswork.{service.name}.dead"} <= names
        assert service.name in services[0].archives


def test_the_readme_shows_the_flow_as_it_is(services: list[Service]) -> None:
    shown = re.search(r"```mermaid\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown, "the README has no mermaid diagram"
    assert shown[1] == mermaid(services), "run `presswork flow --mermaid` and paste it into the README"


def test_what_goes_past_the_broker_is_drawn_apart(services: list[Service]) -> None:
    arrows = [line.strip() for line in mermaid(services).splitlines() if "work.cancelled" in line]
    assert arrows == [f"ingest ==>|work.cancelled| {name}" for name in ("dedup", "storage", "publisher")]
    handlers = [handler for service in services for handler in service.handlers.values()]
    assert not {message for handler in handlers for message in handler.emits} & {*OVERTAKING}


def test_each_service_has_the_same_wiring_files() -> None:
    for name in set(get_args(Stage)) - {"ingest"}:
        folder = ROOT / "services" / name
        for file in ("__init__.py", "__main__.py", "service.py", "settings.py", "handlers.py"):
            assert (folder / file).exists(), f"{name} has no {file}"


def test_the_docstring_of_each_service_names_what_it_hears_and_emits(services: list[Service]) -> None:
    own = {"ingest": {*FROM_HTTP, *OVERTAKING}}
    for service in services:
        words = importlib.import_module(f"services.{service.name}").__doc__
        assert words
        heard, emits = re.split(r"Emits\b", words)
        handlers = service.handlers.values()
        sent = {each for handler in handlers for each in handler.emits} | own.get(service.name, set())
        assert {each.__name__ for each in sent} <= set(re.findall(r"\w+", emits)), service.name
        if not service.follows_progress:
            assert {each.__name__ for each in service.handlers} <= set(re.findall(r"\w+", heard)), service.name
        named = {each for each in re.findall(r"\w+", words) if each in types()}
        known = {each.__name__ for each in sent | set(service.handlers)} | RECEIPT
        assert named <= known, f"{service.name} neither hears nor emits {named - known}"


def test_shared_stays_small() -> None:
    lines = {file: len(file.read_text().splitlines()) for file in (ROOT / "shared").rglob("*.py")}
    nas = sum(count for file, count in lines.items() if "nas" in file.relative_to(ROOT).parts)
    messages = lines[ROOT / "shared" / "contracts.py"]
    assert sum(lines.values()) - nas - messages <= SHARED_LINES, "what is only used by one service belongs there"
    assert nas <= NAS_LINES, "what only one backend needs belongs into its library, or nowhere"
