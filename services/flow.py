"""Who emits what and who listens: read from the handlers' signatures, drawn as text or as a Mermaid diagram."""

from collections.abc import Iterable

from shared.bus.service import Service
from shared.bus.topology import routing_key
from shared.contracts import (
    BatchSubmitted,
    DesignActivityChanged,
    ItemEvent,
    Message,
    MockupsRequested,
    PairJudged,
    ShopScanRequested,
    StoreFile,
    WorkCancelled,
)

# ingest emits these from HTTP requests (the last by the clock), through its outbox, so no handler's signature tells.
FROM_HTTP: tuple[type[Message], ...] = (
    BatchSubmitted,
    MockupsRequested,
    StoreFile,
    DesignActivityChanged,
    PairJudged,
    ShopScanRequested,
)

# This too, but past the broker and its queues: ingest hands it to the handlers itself (services/ingest/ahead.py).
OVERTAKING: tuple[type[Message], ...] = (WorkCancelled,)


def table(services: Iterable[Service]) -> str:
    """One line for each handler."""
    lines = ["service    listens to            handler                 emits"]
    for service in services:
        for handler in service.handlers.values():
            emits = ", ".join(sorted(emitted.__name__ for emitted in handler.emits)) or "-"
            lines.append(f"{service.name:<10} {handler.listens_to.__name__:<21} {handler.name:<23} {emits}")
    lines.append(f"{'ingest':<10} {'HTTP':<21} {'POST /designs/ ...':<23} {', '.join(m.__name__ for m in FROM_HTTP)}")
    past = ", ".join(message.__name__ for message in OVERTAKING)
    lines.append(f"{'ingest':<10} {'HTTP':<21} {'POST .../cancel':<23} {past} (past the broker, ahead of all queues)")
    return "\n".join(lines)


def mermaid(services: Iterable[Service]) -> str:
    """The same as a picture: an arrow for each message from who emits it to who acts on it; past the broker, thick."""
    services = list(services)
    emitters: dict[type[Message], list[str]] = {message: ["ingest"] for message in FROM_HTTP}
    for service in services:
        for handler in service.handlers.values():
            for message in handler.emits:
                if service.name not in emitters.setdefault(message, []):
                    emitters[message].append(service.name)
    arrows = []
    for service in services:
        if service.follows_progress:
            continue
        for message in service.handlers:
            arrows += [f"    ingest ==>|{routing_key(message)}| {service.name}"] if message in OVERTAKING else []
            arrows += [
                f"    {emitter} -->|{routing_key(message)}| {service.name}" for emitter in emitters.get(message, [])
            ]
    progress = sorted({e for message, names in emitters.items() if issubclass(message, ItemEvent) for e in names})
    arrows += [f"    {name} -.->|progress| ingest" for name in progress if name != "ingest"]
    return "\n".join(["flowchart LR", *dict.fromkeys(arrows)])
