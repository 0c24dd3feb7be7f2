"""Private brokers and databases come up, keep their data, survive a crash and leave no process behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from sqlalchemy import NullPool, create_engine, text

from services.local import node, postgres
from services.local.amqp import NoBroker, greet, manages, place, ready
from services.local.broker import broker
from services.local.children import Processes
from services.local.database import database
from services.local.files import password
from services.local.process import NotStarted, claim, free_ports, put_by, start, stop, tail, wait_for
from services.local.servers import Server
from tests.backends import private_node
from tests.processes import processes_of
from tests.waiting import eventually, until

OWNER = """
import signal, sys
from pathlib import Path
from services.local import node, postgres
folder = Path(sys.argv[1])
with node.started_node(folder / "rabbitmq", node.installed(), management=False) as broker:
    broker.wait()
    with postgres.private_cluster(folder / "postgres", postgres.installed()[0]) as cluster:
        print("up", flush=True)
        signal.pause()
"""


@pytest.fixture
def program() -> Path:
    """The installed rabbitmq-server."""
    found = node.installed()
    if found is None:
        pytest.skip("no rabbitmq-server here; this run's broker is somewhere else")
    return found


@pytest.fixture
def binaries() -> postgres.Binaries:
    """The PostgreSQL that the extra `embedded` or a package brought."""
    found = postgres.installed()
    if not found:
        pytest.skip("no PostgreSQL binaries here; this run's database is somewhere else")
    return found[0]


def none_left(folder: Path, limit_s: float) -> bool:
    """Whether all of them ended within `limit_s`."""
    return until(lambda: not processes_of(folder), within_s=limit_s, what=lambda: f"left: {processes_of(folder)}")


def queue_names(running: node.Node) -> list[str]:
    answer = httpx.get(f"{running.management_url}/api/queues", trust_env=False).raise_for_status()
    return [queue["name"] for queue in answer.json()]


def declare(running: node.Node, queue: str) -> None:
    url = f"{running.management_url}/api/queues/%2F/{queue}"
    httpx.put(url, json={"durable": True}, trust_env=False).raise_for_status()


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.mark.rabbit
def test_a_node_answers_with_its_management_and_is_killed_without_leaving_a_process(
    tmp_path: Path, program: Path
) -> None:
    with private_node(tmp_path, program, throwaway=True) as running:
        assert greet(running.url) == running.product
        assert running.product.startswith("RabbitMQ ")
        assert running.management_url
        assert manages(running.management_url)
        assert running.pid in processes_of(tmp_path)
    assert none_left(tmp_path, limit_s=2)


@pytest.mark.rabbit
def test_a_node_without_management_is_used_while_it_starts_and_stops_within_three_seconds(
    tmp_path: Path, program: Path
) -> None:
    with node.started_node(tmp_path, program, management=False) as started:
        running = started.wait()
        assert (running.url, running.management_url) == (started.url, None)
        assert greet(started.url) == running.product
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
    assert none_left(tmp_path, limit_s=1)


@pytest.mark.rabbit
def test_a_node_that_can_not_start_says_why_and_leaves_its_crash_dump_with_its_files(
    tmp_path: Path, program: Path
) -> None:
    (tmp_path / "mnesia").touch()  # where it wants a folder
    with (
        pytest.raises(NotStarted, match=r"(?s)RabbitMQ ended while starting.*feature_flags_file_directory"),
        private_node(tmp_path, program, management=False),
    ):
        pytest.fail("a file is where its data should be")
    assert (tmp_path / "erl_crash.dump").exists()
    assert none_left(tmp_path, limit_s=1)


@pytest.mark.rabbit
def test_a_killed_node_has_its_queues_again_when_it_starts_anew(tmp_path: Path, program: Path) -> None:
    with private_node(tmp_path, program, throwaway=True) as running:
        declare(running, "kept")
        os.kill(running.pid, signal.SIGKILL)
    assert none_left(tmp_path, limit_s=5)
    with private_node(tmp_path, program, throwaway=True) as again:
        assert again.url != running.url, "ports are free ones each time"
        assert queue_names(again) == ["kept"]
    assert none_left(tmp_path, limit_s=5)


def test_a_server_of_one_folder_keeps_a_second_one_out(tmp_path: Path, binaries: postgres.Binaries) -> None:
    with (
        postgres.private_cluster(tmp_path, binaries),
        pytest.raises(NotStarted, match="used by another presswork"),
        claim(tmp_path, wait_s=0.2),
    ):
        pytest.fail("two servers would write the same files")


def test_postgres_starts_and_stops_without_leaving_a_process(tmp_path: Path, binaries: postgres.Binaries) -> None:
    with postgres.private_cluster(tmp_path, binaries) as running:
        assert execute(running.url, "SHOW max_connections") == [("300",)]
        assert execute(running.url, "SELECT current_database()") == [("presswork",)]
        assert len(processes_of(tmp_path)) > 1
    assert none_left(tmp_path, limit_s=1)


def test_postgres_refuses_whoever_has_no_password(tmp_path: Path, binaries: postgres.Binaries) -> None:
    with postgres.private_cluster(tmp_path, binaries, throwaway=True) as running:
        stranger = running.url.replace(password(tmp_path / "password"), "guess")
        assert postgres.ready(running.url) == running.version
        assert postgres.ready(stranger) is None


def test_postgres_keeps_what_was_committed_when_its_postmaster_is_killed(
    tmp_path: Path, binaries: postgres.Binaries
) -> None:
    with postgres.private_cluster(tmp_path, binaries) as running:
        execute(running.url, "CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(running.pid, signal.SIGKILL)
    with postgres.private_cluster(tmp_path, binaries) as again:
        assert execute(again.url, "SELECT n FROM kept") == [(7,)]
    assert none_left(tmp_path, limit_s=1)


def test_a_pid_file_whose_number_another_program_has_does_not_stop_postgres(
    tmp_path: Path, binaries: postgres.Binaries
) -> None:
    with postgres.private_cluster(tmp_path, binaries):
        stale = (tmp_path / "cluster" / "postmaster.pid").read_text().split("\n")
    with _another_program_of_the_owner(tmp_path / "cluster") as pid:
        (tmp_path / "cluster" / "postmaster.pid").write_text("\n".join([str(pid), *stale[1:]]))
        with postgres.private_cluster(tmp_path, binaries) as running:
            assert execute(running.url, "SELECT 1") == [(1,)]


def test_a_killed_server_that_is_still_a_zombie_does_not_stop_postgres(
    tmp_path: Path, binaries: postgres.Binaries
) -> None:
    """In a container whose first process asks nobody how it ended, it is one for ever."""
    with postgres.private_cluster(tmp_path, binaries) as running:
        pid_file = tmp_path / "cluster" / "postmaster.pid"
        left = pid_file.read_text()
        os.kill(running.pid, signal.SIGKILL)
        os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        with claim(tmp_path):
            assert pid_file.read_text() == left
        with postgres.private_cluster(tmp_path, binaries) as again:
            assert execute(again.url, "SELECT 1") == [(1,)]


@contextlib.contextmanager
def _another_program_of_the_owner(folder: Path) -> Iterator[int]:
    owner = folder.stat()
    other = subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid)
    try:
        yield other.pid
    finally:
        other.kill()
        other.wait()


def test_a_database_of_another_major_version_is_refused_in_words(tmp_path: Path, binaries: postgres.Binaries) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(NotStarted, match="written by PostgreSQL 9, and here is"):
        postgres.choose([binaries], tmp_path)


@pytest.mark.rabbit
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_servers_end_by_themselves_when_their_owner_is_killed(
    tmp_path: Path, program: Path, binaries: postgres.Binaries
) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        owner.kill()
    assert none_left(tmp_path, limit_s=30)


def test_services_are_started_with_one_thread_for_number_libraries_unless_somebody_wants_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, str]] = []
    monkeypatch.setattr("services.local.process.start", lambda _, *, env, **__: given.append(env))
    for settings in ({}, {"OPENBLAS_NUM_THREADS": "4"}):
        Processes(settings, tmp_path, print).start("hasher", 1)
    assert [env["OPENBLAS_NUM_THREADS"] for env in given] == ["1", "4"]


def test_a_service_that_dies_is_started_again_and_its_log_is_named(tmp_path: Path) -> None:
    said: list[str] = []
    services = Processes({**os.environ, "MAX_IMAGE_SIDE": "wide"}, tmp_path, said.append)
    services.start("hasher", 1)
    first = services.children["hasher", 1]
    assert first.wait(30) == 1
    services.watch()
    log = tmp_path / "hasher-1.log.1"
    assert said == [f"hasher 1 ended with status 1 and is started again in 1 s; its log is {log}"]
    assert "MAX_IMAGE_SIDE" in log.read_text()

    def again() -> bool:
        services.watch()
        return services.children["hasher", 1] is not first

    until(again, within_s=5)
    services.stop()


def test_a_database_of_ours_that_dies_is_started_again_in_its_place_and_that_is_said(
    tmp_path: Path, binaries: postgres.Binaries
) -> None:
    said: list[str] = []
    with postgres.private_cluster(tmp_path, binaries, throwaway=True) as running:
        os.kill(running.pid, signal.SIGKILL)
        running.server.process.wait()
        started_again(running.server, said)
        assert eventually(lambda: postgres.ready(running.url)) == running.version
    assert said == ["PostgreSQL ended with status -9 and is started again in 1 s; work waits for it"]


def test_a_broker_of_ours_that_dies_is_started_again_in_its_place(tmp_path: Path, program: Path) -> None:
    said: list[str] = []
    with node.started_node(tmp_path, program, throwaway=True, management=False) as started:
        broker = started.wait()
        os.kill(broker.pid, signal.SIGKILL)
        started.server.process.wait()
        started_again(started.server, said)
        assert eventually(lambda: ready(broker.url, None)) == broker.product
    assert said == ["RabbitMQ ended with status -9 and is started again in 1 s; work waits for it"]


def started_again(server: Server, said: list[str]) -> None:
    dead = server.process.pid

    def lives() -> bool:
        server.watch(said.append)
        return server.process.pid != dead

    eventually(lives)


def test_the_logs_of_the_last_starts_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "hasher-1.log"
    for number in range(12):
        log.write_text(f"start {number}")
        assert put_by(log).read_text() == f"start {number}"
    assert (tmp_path / "hasher-1.log.9").read_text() == "start 3"
    assert len(list(tmp_path.iterdir())) == 9


def test_a_program_that_ends_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(["sh", "-c", "echo no room left; exit 3"], when_orphaned="TERM", log=log, env=os.environ)
    with pytest.raises(NotStarted, match=r"(?s)exit code 3.*no room left"):
        wait_for(lambda: None, process, what="the server", log=log, limit_s=10)
    assert "no room left" in tail(log)


def test_what_we_start_shares_our_session_so_that_nice_counts_between_services_but_no_ctrl_c_reaches_it(
    tmp_path: Path,
) -> None:
    process = start(["sleep", "60"], when_orphaned="TERM", log=tmp_path / "log", env=os.environ)
    try:
        assert os.getsid(process.pid) == os.getsid(0)
        assert os.getpgid(process.pid) == process.pid
    finally:
        stop(process, grace_s=0)
    assert process.returncode == -signal.SIGKILL


def test_a_named_broker_is_used_and_its_silence_is_told_without_its_password(tmp_path: Path) -> None:
    url = f"amqp://me:secret@127.0.0.1:{free_ports(1)[0]}/"
    with broker(tmp_path, url) as chosen:
        assert chosen is not None
        assert chosen.url == url
        description = chosen.wait().description
    assert "does not answer yet" in description
    assert "secret" not in description
    assert not list(tmp_path.iterdir())


def test_a_port_that_was_given_out_is_given_to_no_one_else_before_its_server_listens_and_after_it_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr("services.local.process.PORTS", range(port, port + 1))
    asked = f"from services.local import process; process.PORTS = range({port}, {port + 1}); process.free_ports(1)"
    elsewhere = [sys.executable, "-c", asked]
    for _ in range(2):
        with pytest.raises(NotStarted, match=f"no free port between {port}"):
            free_ports(1)
        assert "no free port" in subprocess.run(elsewhere, capture_output=True, text=True, check=False).stderr
        with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # its end of the connection waits on in the kernel


def test_a_wrong_password_and_a_missing_virtual_host_are_both_no_broker(rabbit_url: str) -> None:
    assert greet(rabbit_url).startswith("RabbitMQ")
    with pytest.raises(NoBroker, match=place(rabbit_url)):
        greet(f"{rabbit_url.rpartition('/')[0]}/nowhere")
    with pytest.raises(NoBroker, match=place(rabbit_url)):
        greet(f"amqp://stranger:guess@{place(rabbit_url)}/")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_named_database_may_be_written_as_other_programs_do(tmp_path: Path, scheme: str) -> None:
    with database(tmp_path, f"{scheme}://me:secret@db.example:5433/shop") as chosen:
        assert chosen.url == "postgresql+psycopg://me:secret@db.example:5433/shop"
        assert chosen.description == "PostgreSQL at db.example:5433 (DATABASE_URL)"


def test_each_test_has_a_migrated_database_and_an_empty_virtual_host(database_url: str, amqp_url: str) -> None:
    assert execute(database_url, "SELECT count(*) FROM alembic_version") == [(1,)]
    assert greet(amqp_url).startswith("RabbitMQ")
