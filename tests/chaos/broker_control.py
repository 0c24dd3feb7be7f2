"""What an operator, or an accident, does to a broker."""

import asyncio
import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aio_pika
import httpx

from services.local import node
from tests.chaos.world import World
from tests.servers import Server
from tests.waiting import until


def ctl(broker: Server, *command: str) -> None:
    """rabbitmqctl at this private node, whose name server only its own environment knows."""
    variables = Path(f"/proc/{broker.pid}/environ").read_text().split("\0")
    environment = dict(variable.split("=", 1) for variable in variables if "=" in variable)
    program = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
    assert node.installed() is not None
    whole = [program, "-n", environment["RABBITMQ_NODENAME"], *command]
    done = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout


def call(broker: Server, method: str, path: str, content: Any = None) -> Any:
    """The management API."""
    with httpx.Client(base_url=f"{broker.management_url}/api/", trust_env=False, timeout=20) as client:
        answer = client.request(method, path, json=content)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextlib.contextmanager
def policy(broker: Server, pattern: str, definition: dict[str, int]) -> Iterator[None]:
    """A policy in place of ours, as only one applies to a queue, for the length of the block."""
    ours = max(found["priority"] for found in call(broker, "GET", "policies/%2F"))
    content = {"pattern": pattern, "definition": definition, "apply-to": "queues", "priority": ours + 1}
    call(broker, "PUT", "policies/%2F/chaos", content)
    try:
        yield
    finally:
        call(broker, "DELETE", "policies/%2F/chaos")


def blocked(broker: Server) -> bool:
    """Whether the broker lets somebody wait who wants to publish."""
    return any(connection.get("state") in ("blocked", "blocking") for connection in call(broker, "GET", "connections"))


def virtual_host(broker: Server) -> str:
    """The URL of a virtual host that no service uses. It stays for later rounds."""
    call(broker, "PUT", "vhosts/chaos")
    return f"{broker.url.rpartition('/')[0]}/chaos"


def delete_queue(broker: Server, name: str) -> None:
    call(broker, "DELETE", f"queues/%2F/{name}")


def cancel_consumers(broker: Server, queue: str, *, told: bool) -> None:
    """The broker ends the subscriptions of a queue's consumers of its own accord; not `told`, they don't hear of it."""
    tell = "rabbit_channel:send_command(Channel, {'basic.cancel', Tag, true})" if told else "ok"
    ctl(
        broker,
        "eval",
        f"""
        {{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)),
        Cancel = fun(Channel, Tag) -> rabbit_channel:do(Channel, {{'basic.cancel', Tag, true}}), {tell} end,
        [Cancel(element(1, Consumer), element(2, Consumer)) || Consumer <- rabbit_amqqueue:consumers(Queue)].
        """,
    )


def unbind(broker: Server, exchange: str, queue: str, key: str) -> None:
    call(broker, "DELETE", f"bindings/%2F/e/{exchange}/q/{queue}/{key}")


def connections(broker: Server) -> set[str]:
    """The names of all connections, which have their ports in them."""
    return {connection["name"] for connection in call(broker, "GET", "connections")}


def consumers(world: World, service: str) -> int:
    """How many consumers a service's queue has."""
    return int(call(world.broker, "GET", f"queues/%2F/presswork.{service}").get("consumers", 0))


def until_each_consumes(world: World) -> None:
    """Until each service has as many consumers as processes."""
    wanted = dict(Counter(name for name, _ in world.running.processes.children))

    def found() -> dict[str, int]:
        return {name: consumers(world, name) for name in wanted}

    until(lambda: found() == wanted, what=lambda: f"consumers are {found()}, processes are {wanted}")


def repeated(broker: Server) -> Counter[str]:
    """How often messages were delivered a second time, and how many were put aside for later or for good, ever."""
    found: Counter[str] = Counter(again=0, aside=0)
    for queue in call(broker, "GET", "queues/%2F"):
        counts = queue.get("message_stats", {})
        found["again"] += counts.get("redeliver", 0)
        if ".retry." in queue["name"] or queue["name"].endswith(".dead"):
            found["aside"] += counts.get("publish", 0)
    return found


def send(broker: Server, queue: str, body: bytes, headers: dict[str, Any] | None = None) -> None:
    """Put a message straight into a queue."""

    async def publish() -> None:
        async with await aio_pika.connect(broker.url) as connection:
            channel = await connection.channel()
            message = aio_pika.Message(body, headers=headers, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, queue, mandatory=True)

    asyncio.run(publish())


def letters(world: World, marker: str) -> list[dict[str, Any]]:
    """The archived dead letters whose body mentions this."""
    query = "SELECT service, cause, attempts FROM ingest.dead_letters WHERE position(:marker in body) > 0"
    return [dict(row._mapping) for row in world.rows(query, marker=marker)]


def memory_mb(pid: int) -> float:
    """What a process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
