"""`presswork up` as a user runs it in a terminal: what it prints, how it ends, and what it finds when it comes back."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.local import node
from services.local.process import free_ports
from services.local.system import READY_LIMIT_S
from tests.e2e.conftest import answers, sent, stored_names
from tests.processes import processes_of
from tests.seller import Seller, artworks
from tests.waiting import until

FILES = 12
STARTS_S = READY_LIMIT_S + 30  # its broker starts before that, and may take a while on a busy machine
PASSED_ON = ("DATABASE_URL", "AMQP_URL")  # a user who names neither gets what `up` finds or starts


class Terminal:
    """One command in a terminal, which is its own process group there, with what it printed."""

    def __init__(self, words: tuple[str | Path, ...]) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in PASSED_ON}
        environment |= {"REGISTRATION_RATE_LIMIT": "off", "PYTHONWARNINGS": "default"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *map(str, words)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines += iter(output.readline, "")

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def ready(self) -> bool:
        assert self.process.poll() is None, self.text
        return any(line.startswith("ready ") for line in self.lines)

    def status(self, within_s: float = 40) -> int:
        """The exit status, once it has ended."""
        found = self.process.wait(within_s)
        self._reader.join(within_s)
        return found


Presswork = Callable[..., Terminal]


@pytest.fixture
def presswork() -> Iterator[Presswork]:
    """Type a command. Whatever still runs when the test is over is killed; its children then end by themselves."""
    opened: list[Terminal] = []

    def command(*words: str | Path) -> Terminal:
        opened.append(Terminal(words))
        return opened[-1]

    yield command
    for terminal in opened:
        terminal.process.kill()
        terminal.process.wait()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    return tmp_path / "data"


def test_a_killed_up_leaves_nothing_running_and_the_next_one_finishes_its_work(
    presswork: Presswork, data: Path, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    options = ("--embedded", "--port", str(port), "--data")
    first = presswork("up", *options, data)
    until(first.ready, within_s=STARTS_S)
    assert [line.split()[0] for line in first.lines] == ["database", "broker", "NAS", "shop", "services", "ready"]
    assert "none: everything in one process" in first.lines[1]

    second, elsewhere = presswork("up", *options, data), presswork("up", *options, tmp_path / "other")
    assert (second.status(), elsewhere.status()) == (1, 1)
    assert f"presswork could not start: {data} is used by another presswork" in second.text
    assert f"presswork could not start: port {port} can't be used (Address already in use)" in elsewhere.text

    with Seller(f"http://127.0.0.1:{port}", inches=(4.0, 3.0)) as seller:
        files = artworks(FILES)
        session_id = seller.announce(files)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(sent, seller, session_id, files)
            until(lambda: "hashed" in {event["type"] for event in seller.events(session_id)})
            (worker,) = [pid for pid, command in processes_of(data).items() if command.endswith(" ingest")]
            os.kill(worker, signal.SIGKILL)
            assert answer.result() is None
        until(lambda: answers(seller.base_url))
        first.process.kill()
        until(lambda: not processes_of(data))

        again = presswork("up", *options, data)
        until(again.ready, within_s=STARTS_S)
        until(lambda: seller.receipt(session_id)["stored"] == FILES)  # before anybody sends anything again
        designs = until(lambda: sent(seller, session_id, files)).json()["designs"]
        names = [f"UV {number} UVDTF_16oz_{number}.png" for number in range(100, 100 + FILES)]
        assert [design["filename"] for design in designs] == names
        assert stored_names(data / "nas/NorthCups/UVDTF 16oz") == names
        assert seller.list_designs([design["id"] for design in designs])["success"]
        receipt = seller.receipt(session_id)
        assert (receipt["state"], receipt["stored"], receipt["listed"]) == ("finished", FILES, FILES)
        os.killpg(again.process.pid, signal.SIGINT)
    assert again.status() == 0, again.text
    assert again.lines[-1] == "stopped\n"
    assert not processes_of(data)


def test_ctrl_c_ends_an_up_that_is_still_starting(presswork: Presswork, data: Path) -> None:
    up = presswork("up", "--embedded", "--port", str(free_ports(1)[0]), "--data", data)
    until(lambda: any(line.startswith("NAS ") for line in up.lines))
    os.killpg(up.process.pid, signal.SIGINT)
    assert up.status() == 0, up.text
    assert up.lines[-1] == "stopped\n"
    assert "ready" not in up.text
    assert not processes_of(data)


@pytest.mark.rabbit
def test_up_runs_every_service_over_a_broker_until_it_is_told_to_stop(presswork: Presswork, data: Path) -> None:
    if node.installed() is None:
        pytest.skip("no rabbitmq-server here, so what `up` would find or install is not for a test to say")
    (port,) = free_ports(1)
    up = presswork("up", "--port", str(port), "--data", data, "--scale", "hasher=2", "--scale", "mockup=1")
    until(up.ready, within_s=STARTS_S)
    assert [line.split()[0] for line in up.lines] == ["database", "broker", "NAS", "shop", "services", "ready"]
    assert up.lines[1].startswith("broker    RabbitMQ ")
    with Seller(f"http://127.0.0.1:{port}") as seller:
        session_id, designs = seller.upload(artworks(4))
        assert seller.list_designs([design["id"] for design in designs])["success"]
        receipt = seller.receipt(session_id)
        assert (receipt["lane"], receipt["stored"], receipt["listed"]) == ("comprehensive", 4, 4)
    up.process.terminate()
    assert up.status() == 0, up.text
    assert up.lines[-1] == "stopped\n"
    assert not processes_of(data)


def test_commands_that_only_ask_or_prepare_end_at_once(presswork: Presswork) -> None:
    nobody, table, drawing = presswork("run", "nosuch"), presswork("flow"), presswork("flow", "--mermaid")
    assert nobody.status() == 2
    assert "no service is called 'nosuch'" in nobody.text
    assert (table.status(), drawing.status()) == (0, 0)
    assert "ImageHashed" in table.text
    assert drawing.text.startswith("flowchart LR\n")
