"""`presswork waits`: what services wait for, with its causes, which `/ready` tells nobody."""

import asyncio
from pathlib import Path

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, of_kind
from services.ops.settings import Settings
from services.ops.showing import Json


def waits(as_json: Json = False, data: DataDir = HERE) -> None:
    """Tell what services wait for just now: a NAS that is away, files that are tried again later, the broker."""
    from services.ingest.sessions.progress.delays import current
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = current(connection)
    broker = _broker_trouble(data)
    if as_json:
        showing.as_json({"waits_for": found, "broker": "; ".join(broker) or "ok"})
        return
    for words in [*broker, *found] or ["Nothing waits."]:
        typer.echo(words)


def _broker_trouble(data: Path) -> list[str]:
    """Why the broker passes nothing on: over it nobody could tell."""
    from services.ops.broker import consumers
    from shared.errors import Unavailable

    found = of_kind(Settings, data)
    if "amqp_url" not in found.model_fields_set:
        return _left_over(data) if found.embedded else []
    try:
        asyncio.run(consumers(found.amqp_url, ()))
    except Unavailable as error:
        return [f"broker: {error}"]
    return []


def _left_over(data: Path) -> list[str]:
    """What an embedded system can't go on with."""
    from services.ingest.broker_standing import begun_over_a_broker
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        words = begun_over_a_broker(connection)
    return [f"broker: there is none, and {words}"] if words else []
