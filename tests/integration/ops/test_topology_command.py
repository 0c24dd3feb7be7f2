"""`presswork topology check` and `apply` against a real broker, and services that refuse what is unsafe there."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.local.broker import Broker
from services.local.environment import LEFT, write_down
from services.local.process import free_ports
from services.ops.broker import State, compare, declare
from services.ops.management import Management
from services.ops.policies import in_effect, policies
from services.ops.queues import Queue, Topology, topology
from shared.bus.envelope import Envelope
from shared.bus.rabbit import RabbitBus
from shared.bus.service import Service
from shared.contracts import Blob, StoreFile
from shared.errors import Unavailable

pytestmark = pytest.mark.rabbit

Presswork = Callable[..., subprocess.CompletedProcess[str]]
LIMIT_S = 60
INBOX = "presswork.mockup"


class Api:
    """The management API, used as an operator uses its pages."""

    def __init__(self, broker: Broker, amqp_url: str) -> None:
        self.url = str(broker.management_url)
        self.vhost = urlsplit(amqp_url).path.strip("/")
        self.management = Management.of(amqp_url, self.url)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self.url}/api/{path}", json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def policy(self, name: str, definition: dict[str, Any], priority: int, pattern: str = ".*") -> None:
        body = {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": "queues"}
        self.call("PUT", f"policies/{self.vhost}/{name}", body)

    def queue(self, name: str, **arguments: Any) -> None:
        self.call("PUT", f"queues/{self.vhost}/{name}", {"durable": True, "arguments": arguments})


@pytest.fixture
def api(rabbit: Broker, amqp_url: str) -> Iterator[Api]:
    found = Api(rabbit, amqp_url)
    with found.management.http:
        yield found


@pytest.fixture
def environment(rabbit: Broker, amqp_url: str, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "AMQP_URL": amqp_url, "MANAGEMENT_URL": str(rabbit.management_url), "BLOB_DIR": str(tmp_path)}


@pytest.fixture
def presswork(environment: dict[str, str]) -> Presswork:
    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.cli", *words]
        return subprocess.run(
            command, env=environment | settings, capture_output=True, text=True, check=False, timeout=LIMIT_S
        )

    return run


@pytest.fixture
def inside(environment: dict[str, str]) -> Presswork:
    """The same command in this process, which has loaded its libraries already; its start is shown by `presswork`."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        done = CliRunner().invoke(app, list(words), env=environment | settings)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    return run


def test_apply_makes_what_check_expects_and_changes_nothing_the_second_time(
    presswork: Presswork, inside: Presswork, api: Api
) -> None:
    before = presswork("topology", "check")
    assert before.returncode == 1
    assert f"missing  queue {INBOX}" in before.stdout

    dry = inside("topology", "apply", "--dry-run")
    assert dry.returncode == 0
    assert f"would create queue {INBOX}: durable, queue-type=quorum" in dry.stdout
    assert f"would create binding {INBOX}: presswork.events mockups.requested" in dry.stdout
    assert "would create policy presswork-inboxes: max-length=50000" in dry.stdout
    assert api.call("GET", f"queues/{api.vhost}") == []

    done = presswork("topology", "apply")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"created queue {INBOX}" in done.stdout
    checked = inside("topology", "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "missing" not in checked.stdout
    assert "binding presswork.mockup.dead" in checked.stdout
    assert inside("topology", "apply").stdout.strip() == "nothing was missing"
    assert inside("topology", "apply", "--dry-run").stdout.strip() == "nothing would change"


def test_the_policies_are_those_of_the_brokers_version(inside: Presswork, api: Api) -> None:
    assert inside("init", "--no-database", "--no-nas").returncode == 0  # the same thing
    wanted = {policy.name: policy for policy in policies(Topology((), ()), api.management.version())}
    there = api.management.policies()
    assert {name: found.definition for name, found in there.items()} == {
        name: policy.definition for name, policy in wanted.items()
    }
    for queue, name in ((INBOX, "inboxes"), (f"{INBOX}.dead", "dead"), ("presswork.retry.5000ms", "retry")):
        assert in_effect(there.values(), queue) == [there[f"presswork-{name}"]]


def test_a_policy_that_was_changed_by_hand_is_shown_and_put_right(inside: Presswork, api: Api) -> None:
    inside("topology", "apply")
    api.policy("presswork-inboxes", {"max-length": 7}, 100)
    checked = inside("topology", "check")
    assert checked.returncode == 1
    assert "found: max-length=7 for .* (queues, priority 100)" in checked.stdout
    assert inside("topology", "apply").returncode == 0
    assert inside("topology", "check").returncode == 0


def test_a_missing_binding_is_found_and_made_anew(inside: Presswork, api: Api) -> None:
    inside("topology", "apply")
    path = f"bindings/{api.vhost}/e/presswork.events/q/{INBOX}"
    (bound,) = api.call("GET", path)
    api.call("DELETE", f"{path}/{bound['properties_key']}")
    checked = inside("topology", "check")
    assert checked.returncode == 1
    assert f"missing  binding {INBOX}" in checked.stdout
    assert "presswork.events mockups.requested" in checked.stdout
    assert inside("topology", "apply").returncode == 0
    assert inside("topology", "check").returncode == 0


def test_a_queue_with_other_arguments_is_explained_and_left_with_its_messages(inside: Presswork, api: Api) -> None:
    api.queue(INBOX, **{"x-queue-type": "quorum", "x-delivery-limit": 5})
    body = {"properties": {}, "routing_key": INBOX, "payload": "keep me", "payload_encoding": "string"}
    api.call("POST", f"exchanges/{api.vhost}/amq.default/publish", body)

    for words in (("topology", "check"), ("topology", "apply"), ("init", "--no-database", "--no-nas")):
        done = inside(*words)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert f"queue {INBOX}" in said
        assert "PRECONDITION_FAILED" in said
        assert f"rabbitmqctl delete_queue {INBOX} --if-empty" in said
    get = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
    (kept,) = api.call("POST", f"queues/{api.vhost}/{INBOX}/get", get)
    assert kept["payload"] == "keep me"
    assert api.call("GET", f"queues/{api.vhost}/presswork.storage")["type"] == "quorum"  # the others were made


def test_a_foreign_policy_is_outranked_or_named(inside: Presswork, api: Api) -> None:
    inside("topology", "apply")
    api.policy("everything", {"overflow": "drop-head", "message-ttl": 1000}, 1)
    assert inside("topology", "check").returncode == 0  # ours has the higher priority
    api.policy("everything", {"overflow": "drop-head", "message-ttl": 1000}, 900)
    checked = inside("topology", "check")
    assert checked.returncode == 1
    assert f"unsafe   policy everything on queue {INBOX}, overflow" in checked.stdout
    assert "found: drop-head, which drops messages" in checked.stdout
    applied = inside("topology", "apply")
    assert applied.returncode == 1
    assert "where everything still has a higher priority" in applied.stdout


def test_without_the_api_the_rest_is_checked_and_made(inside: Presswork, api: Api) -> None:
    nowhere = {"MANAGEMENT_URL": f"http://127.0.0.1:{free_ports(1)[0]}"}
    assert inside("topology", "apply", **nowhere).returncode == 0
    checked = inside("topology", "check", **nowhere)
    assert checked.returncode == 0
    assert "policies and bindings could not be looked at" in checked.stdout
    assert api.management.policies() == {}
    assert len(api.management.bindings(INBOX)) == 2


def test_commands_find_the_system_where_it_left_its_addresses(
    environment: dict[str, str], presswork: Presswork, api: Api, tmp_path: Path
) -> None:
    write_down(environment, tmp_path)
    (tmp_path / "var").symlink_to(tmp_path)
    bare = {name: value for name, value in os.environ.items() if name not in LEFT}
    settings = bare | {"PYTHONPATH": str(Path.cwd())}
    for words in (["apply", "--data", str(tmp_path)], ["check"]):
        command = [sys.executable, "-m", "services.cli", "topology", *words]
        done = subprocess.run(
            command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=LIMIT_S
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(api.management.bindings(INBOX)) == 2


def test_a_broker_that_is_away_is_said_in_words(presswork: Presswork) -> None:
    away = presswork("topology", "check", AMQP_URL=f"amqp://guest:secret@127.0.0.1:{free_ports(1)[0]}/")
    assert away.returncode == 4, "1 is said of a broker that has something else than is expected"
    assert "can't be asked" in away.stderr
    assert "Traceback" not in away.stderr
    assert "secret" not in away.stderr


def test_a_service_refuses_a_queue_with_other_arguments(presswork: Presswork, inside: Presswork, api: Api) -> None:
    api.queue(INBOX, **{"x-queue-type": "quorum"})
    inside("topology", "apply")
    refused = presswork("run", "mockup", MANAGEMENT_URL=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert refused.returncode == 1
    assert f"queue {INBOX}: expected durable, queue-type=quorum, dead-letter-exchange=presswork.dead" in refused.stderr
    assert "x-dead-letter-exchange" in refused.stderr.partition("; found ")[2]
    assert "presswork topology check" in refused.stderr
    assert '"ready"' not in refused.stderr


def test_a_service_refuses_a_policy_that_drops_messages(presswork: Presswork, inside: Presswork, api: Api) -> None:
    inside("topology", "apply")
    api.policy("everything", {"overflow": "drop-head"}, 900)
    refused = presswork("run", "mockup")
    assert refused.returncode == 1
    assert f"policy everything on queue {INBOX}, overflow: expected reject-publish; found drop-head" in refused.stderr
    assert '"ready"' not in refused.stderr


@pytest.mark.postgres
def test_ingest_refuses_as_well_though_it_serves_http(
    presswork: Presswork, inside: Presswork, api: Api, database_url: str, tmp_path: Path
) -> None:
    inside("topology", "apply")
    api.policy("everything", {"message-ttl": 1000}, 900, r"^presswork\.ingest$")
    settings = {"DATABASE_URL": database_url, "NAS_URL": str(tmp_path), "JWT_SECRET_KEY": "s" * 40, "EMBEDDED": "0"}
    refused = presswork("run", "ingest", HOST="127.0.0.1", PORT=str(free_ports(1)[0]), **settings)
    assert refused.returncode == 1, refused.stderr
    assert "policy everything on queue presswork.ingest, message-ttl: expected none; found 1000 ms" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.fixture
def started(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A service that goes on; ended at the end of the test."""
    children = []

    def start(name: str, **settings: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "services.cli", "run", name]
        child = subprocess.Popen(command, env=environment | settings, stderr=subprocess.PIPE, text=True)
        children.append(child)
        return child

    yield start
    for child in children:
        child.terminate()
        child.communicate(timeout=LIMIT_S)


def lines_until(child: subprocess.Popen[str], words: str) -> list[str]:
    assert child.stderr
    lines = []
    for line in child.stderr:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


@pytest.mark.parametrize(("api_at", "times"), [("http://127.0.0.1:1", 1), ("off", 0)])
def test_a_service_whose_policies_can_not_be_checked_says_so_once_and_works(
    inside: Presswork, started: Callable[..., subprocess.Popen[str]], api_at: str, times: int
) -> None:
    inside("topology", "apply")
    child = started("mockup", MANAGEMENT_URL=api_at)
    lines = lines_until(child, '"ready"')
    assert sum("policies could not be checked" in line for line in lines) == times


def test_a_broker_without_the_api_is_said_to_be_that_once(presswork: Presswork) -> None:
    done = presswork("topology", "apply", MANAGEMENT_URL="off")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("this broker is run without its management API (MANAGEMENT_URL is off)\n")


def test_a_service_waits_for_a_binding_that_is_missing(
    inside: Presswork, started: Callable[..., subprocess.Popen[str]], api: Api
) -> None:
    inside("topology", "apply")
    path = f"bindings/{api.vhost}/e/presswork.dead/q/{INBOX}.dead"
    api.call("DELETE", f"{path}/mockup")
    child = started("mockup")
    (*_, said) = lines_until(child, "waiting for the broker")
    assert f"binding {INBOX}.dead: expected presswork.dead mockup; found nothing; run presswork init" in said
    inside("topology", "apply")
    lines_until(child, '"ready"')


def test_a_full_inbox_refuses_and_loses_nothing(amqp_url: str, api: Api) -> None:
    most, kept = 5, 20

    def on_store_file(message: StoreFile) -> None: ...

    service = Service("storage")
    service.on(on_store_file)

    def command() -> Envelope:
        content = Blob(sha256="0" * 64, size=1)
        return Envelope(uuid4(), StoreFile(tenant_id=uuid4(), shop="NorthCups", path="a.png", content=content), "test")

    async def scenario() -> None:
        await declare(amqp_url, topology([service]))
        api.policy("small", {"max-length": most, "overflow": "reject-publish"}, 900)
        bus = RabbitBus(amqp_url, "storage")
        await bus.connect()
        accepted = 0
        for _ in range(kept):
            with contextlib.suppress(Unavailable):
                await bus.publish(command())
                accepted += 1
        assert most <= accepted < kept  # a quorum queue may take one or two more before it says no
        with pytest.raises(Unavailable, match="queue full"):
            await bus.publish(command())
        await bus.consume(service)
        async with asyncio.timeout(LIMIT_S):
            while True:  # as delivery and relay do: it goes on once there is room
                try:
                    await bus.publish(command())
                    break
                except Unavailable:
                    await asyncio.sleep(0.05)
        await bus.stop(5)

    asyncio.run(scenario())


def test_the_arguments_are_all_compared(amqp_url: str) -> None:
    """Whichever argument differs, the broker says so: that is what services rely on where there is no API."""

    async def scenario() -> None:
        wanted = topology([Service("storage")])
        await declare(amqp_url, wanted)
        for queue in wanted.queues:
            for name, value in queue.arguments.items():
                other = {"x-queue-type": "classic", "x-overflow": "drop-head", "x-dead-letter-strategy": "at-most-once"}
                changed = other.get(name, value + 1 if isinstance(value, int) else f"{value}.other")
                asked = Queue(queue.name, queue.kind, {**queue.arguments, name: changed}, ())
                (found,) = await compare(amqp_url, Topology((), (asked,)))
                assert found.state is State.DIFFERENT, name
                assert name in found.words

    asyncio.run(scenario())
