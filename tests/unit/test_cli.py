"""The command: what it refuses before it starts anything, in words that say what to do instead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.local.broker import Broker, StartedBroker
from services.local.environment import keeping_nas, keeping_shop, left_in, settings_for, write_down
from services.local.listening import Listening
from services.local.process import NotStarted
from services.local.system import as_scaled
from services.ops.place import misset
from shared.settings import BusSettings, DatabaseSettings

HERE = Listening("127.0.0.1", 3003)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scale", "hasher"], "hasher=4"),
        (["--scale", "washer=2"], "hasher, dedup, storage, mockup, publisher"),
        (["--scale", "ingest=2"], "presswork run ingest"),
        (["--port", "99999"], "65535"),
    ],
)
def test_what_can_not_be_started_is_refused_at_once(options: list[str], words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path / "data"), *options], terminal_width=200)
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "data").exists()


def test_a_log_level_that_there_is_not_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "verbose")
    with pytest.raises(ValueError, match="log_level") as refusal:
        BusSettings()
    assert "\nLOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING', 'WARN', 'ERROR' or" in misset(refusal.value)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert BusSettings().log_level == "DEBUG"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("AMQP_URL", "localhost:5672"), ("DATABASE_URL", "localhost/presswork"), ("DATABASE_URL", "nil")],
)
def test_an_address_of_another_kind_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(ValueError, match="String should match pattern") as refusal:
        DatabaseSettings()
    assert f"\n{name}: String should match pattern '^({'amqps?' if name == 'AMQP_URL' else 'postgres'}" in misset(
        refusal.value
    )


@pytest.mark.parametrize("words", [("run", "storage"), ("flow",)])
def test_a_nas_that_can_not_be_meant_is_refused_in_words_by_whatever_needs_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    settings = {"NAS_URL": "ftp://nas/Graphics", "AMQP_URL": "amqp://127.0.0.1:1/", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "services.cli", *words]
    done = subprocess.run(
        command, env=os.environ | settings, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == "a NAS by ftp:// is not supported: mount it, and give its path or a file:// URL\n"


def test_help_shows_first_how_to_start() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    places = [shown.index(name) for name in ("─ Start", "│ demo", "│ up", "─ Uploads", "│ receipt", "─ More", "│ dead")]
    assert places == sorted(places)


def test_help_flows_over_the_line_ends_of_the_code() -> None:
    shown = CliRunner().invoke(app, ["dead", "replay", "--help"], terminal_width=200, env={"COLUMNS": "200"}).output
    assert "1: some was not, or failed again; 3: no letter fits" in shown


def test_a_data_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path / "file" / "data")])
    assert done.exit_code == 1
    assert "name another folder with --data" in str(done.exception)


@pytest.mark.parametrize(
    ("named", "found", "management_url"),
    [
        ({}, None, "off"),
        ({"MANAGEMENT_URL": "http://production:15672"}, None, "off"),  # never that of another broker
        ({}, "http://127.0.0.1:20001", "http://127.0.0.1:20001"),
        ({"AMQP_URL": "amqp://private"}, None, None),
        ({"AMQP_URL": "amqp://private", "MANAGEMENT_URL": "http://mine"}, None, "http://mine"),
    ],
    ids=["none", "none-of-another", "found", "named", "both-named"],
)
def test_services_hear_where_the_management_api_of_their_broker_is(
    tmp_path: Path, named: dict[str, str], found: str | None, management_url: str | None
) -> None:
    broker = Broker("amqp://private", found, "a private node")
    settings = settings_for(named, tmp_path, HERE, "postgresql://x", StartedBroker(broker.url, found, lambda: broker))
    assert settings.get("MANAGEMENT_URL") == management_url
    write_down(settings, tmp_path)
    assert ("MANAGEMENT_URL" in (tmp_path / "environment").read_text()) is (management_url is not None)


@pytest.mark.parametrize(
    ("named", "cores", "in_flight"),
    [
        ({}, 2, "4"),
        ({}, 32, "16"),
        ({"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "1"}, 2, "2"),
        ({"BATCHES_IN_FLIGHT": "30"}, 2, "30"),
    ],
)
def test_hashers_are_left_for_small_uploads_where_cores_are_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], cores: int, in_flight: str
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert settings_for(named, tmp_path, HERE, "postgresql://x", None)["BATCHES_IN_FLIGHT"] == in_flight


def test_an_ingest_beside_an_up_has_as_much_in_flight_and_the_next_up_what_its_own_hashers_want(tmp_path: Path) -> None:
    """Each sends for all tenants: by its own measure a second one would take the hashers that the first leaves free."""
    settings = settings_for({"BATCHES_IN_FLIGHT": "3"}, tmp_path, HERE, "postgresql://x", None)
    write_down(settings, tmp_path)
    assert left_in(tmp_path)["BATCHES_IN_FLIGHT"] == "3"
    given = keeping_shop(keeping_nas({"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "1"}, tmp_path), tmp_path)
    assert settings_for(given, tmp_path, HERE, "postgresql://x", None)["BATCHES_IN_FLIGHT"] == "2"


def test_a_number_of_hashers_that_is_none_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="COMPREHENSIVE_WORKFLOW_MAX_THREADS"):
        settings_for({"COMPREHENSIVE_WORKFLOW_MAX_THREADS": "eight"}, tmp_path, HERE, "postgresql://x", None)


def test_a_restarted_up_keeps_its_nas_and_tells_another_one_no_password(tmp_path: Path) -> None:
    sftp = {"NAS_URL": "sftp://me@nas/a", "NAS_PASSWORD": "it's", "NAS_SHOPS": '{"North": "/n"}'}
    write_down(settings_for(sftp, tmp_path, HERE, "postgresql://x", None), tmp_path)
    assert keeping_nas({"NAS_URL": "", "HOME": "/root"}, tmp_path) == {**sftp, "HOME": "/root"}
    assert keeping_nas({**sftp, "NAS_SHOPS": "{}", "NAS_PASSWORD": "new"}, tmp_path)["NAS_PASSWORD"] == "new"
    other = {"NAS_URL": "sftp://me@elsewhere/a"}
    assert keeping_nas(other, tmp_path) == {**other, "NAS_SHOPS": sftp["NAS_SHOPS"]}


def test_a_restarted_up_keeps_its_shop_and_tells_another_one_no_secret(tmp_path: Path) -> None:
    app = {"PUBLISHER_TARGET": "etsy", "ETSY_KEYSTRING": "k", "ETSY_SHARED_SECRET": "s", "ETSY_API_URL": "http://x"}
    write_down(settings_for(app, tmp_path, HERE, "postgresql://x", None), tmp_path)
    kept = app | {"ETSY_TOKEN_KEY": (tmp_path / "etsy-token-key").read_text()}
    assert keeping_shop({"HOME": "/root", "PUBLISHER_TARGET": ""}, tmp_path) == {**kept, "HOME": "/root"}
    tried = keeping_shop({"PUBLISHER_TARGET": "dry-run"}, tmp_path)
    assert tried == {**kept, "PUBLISHER_TARGET": "dry-run"}, "who goes back to the shop has to name no keys"
    for other in ({"ETSY_KEYSTRING": "mine"}, {"ETSY_API_URL": "http://y", "PUBLISHER_TARGET": "etsy"}):
        still = {"PUBLISHER_TARGET": "etsy", "ETSY_TOKEN_KEY": kept["ETSY_TOKEN_KEY"]}
        assert keeping_shop(other, tmp_path) == {**still, **other}, "without its name all would go to folders again"


def test_an_empty_variable_of_etsy_that_is_new_to_a_restarted_up_names_no_other_shop(tmp_path: Path) -> None:
    """As a file for Docker Compose hands them on."""
    app = {"PUBLISHER_TARGET": "etsy", "ETSY_KEYSTRING": "k", "ETSY_SHARED_SECRET": "s", "ETSY_TOKEN_KEY": "t"}
    write_down(settings_for(app, tmp_path, HERE, "postgresql://x", None), tmp_path)
    empty = dict.fromkeys(("PUBLISHER_TARGET", "ETSY_API_URL", "ETSY_KEYSTRING", "ETSY_SCOPES"), "")
    again = settings_for(keeping_shop(empty, tmp_path), tmp_path, HERE, "postgresql://x", None)
    assert {name: value for name, value in again.items() if name.startswith(("ETSY_", "PUBLISHER_"))} == app


@pytest.mark.parametrize(("scale", "said"), [({"hasher": 2}, "2"), ({"hasher": 100}, "64"), ({"mockup": 3}, None)])
def test_uploads_are_split_for_the_hashers_that_up_was_scaled_to(scale: dict[str, int], said: str | None) -> None:
    assert as_scaled(scale).get("COMPREHENSIVE_WORKFLOW_MAX_THREADS") == said


def test_a_nas_in_the_data_folder_moves_with_it(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    write_down(settings_for({}, old, HERE, "postgresql://x", None), old)
    old.rename(new)
    assert keeping_nas({}, new) == {}


STOPPED_WHILE_A_CLASS_IS_MADE = """
import contextlib, os, signal
import subprocess
import sys
from pathlib import Path
from services.local import system

@contextlib.contextmanager
def starting(plan, say):
    exec("os.kill(os.getpid(), signal.SIGINT)")  # as in the making of a dataclass
    yield

system.system = starting
system.run_until_stopped(system.Plan(Path()), print)
"""


def test_a_ctrl_c_in_the_middle_of_an_import_ends_the_start_cleanly() -> None:
    command = [sys.executable, "-c", STOPPED_WHILE_A_CLASS_IS_MADE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


AT_ITS_TERMINALS_END = """
import contextlib, os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from services.local import system

@contextlib.contextmanager
def started(plan, say):
    def watch(say):
        os.kill(os.getpid(), signal.SIGHUP)
        if sys.argv[1] == "nohup":
            print("goes on", file=sys.stderr)
            os.kill(os.getpid(), signal.SIGTERM)
    yield SimpleNamespace(listening="", processes=SimpleNamespace(logs=""), watch=watch)
    say("in order")
    print("all stopped", file=sys.stderr)

def say(line):
    if not line.startswith("ready"):
        raise OSError(5, "there is no terminal any more")

# in any case, as these tests may run under nohup themselves
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "nohup" else signal.SIG_DFL)
system.system = started
system.run_until_stopped(system.Plan(Path()), say)
"""


@pytest.mark.parametrize(("how", "said"), [("closed", "all stopped\n"), ("nohup", "goes on\nall stopped\n")])
def test_a_closed_terminal_stops_everything_in_order_and_changes_nothing_under_nohup(how: str, said: str) -> None:
    command = [sys.executable, "-c", AT_ITS_TERMINALS_END, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, said)


@pytest.mark.parametrize(
    ("host", "url", "words"),
    [
        ("127.0.0.1", "http://127.0.0.1:3003", "http://127.0.0.1:3003"),
        ("0.0.0.0", "http://127.0.0.1:3003", "http://127.0.0.1:3003, and port 3003 of all addresses (HOST=0.0.0.0)"),  # noqa: S104
        ("::", "http://[::1]:3003", "http://[::1]:3003, and port 3003 of all addresses (HOST=::)"),
        ("192.168.1.5", "http://192.168.1.5:3003", "http://192.168.1.5:3003"),
        ("fd00::5", "http://[fd00::5]:3003", "http://[fd00::5]:3003"),
    ],
)
def test_up_says_where_it_listens(host: str, url: str, words: str) -> None:
    assert Listening(host, 3003).url == url
    assert str(Listening(host, 3003)) == words
