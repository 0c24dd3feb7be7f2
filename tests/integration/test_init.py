"""`presswork init` as operators and compose run it: it never takes an unmarked folder for the NAS by itself."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, text
from typer.testing import CliRunner

from services.cli import app
from services.ingest.catalog.passwords import Passwords
from services.ingest.catalog.users import FolderLies, Users
from services.local.process import NotStarted, free_ports
from services.local.system import Plan, system
from services.ops.broker import consumers
from services.storage.tables import designs
from shared.database import transaction
from shared.nas.marker import MARKER

Init = Callable[..., subprocess.CompletedProcess[str]]
OTHERS = ("AMQP_URL", "DATABASE_URL", "JWT_SECRET_KEY", "NAS_REQUIRE_MOUNT", "NAS_URL")


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """An empty folder, like the mount point of a NAS that is away."""
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(database_url: str, nas: Path) -> dict[str, str | None]:
    """What the command needs and nothing more; no broker unless one is named."""
    return dict.fromkeys(OTHERS) | {"DATABASE_URL": database_url, "NAS_URL": str(nas)}


@pytest.fixture
def typed(environment: dict[str, str | None]) -> Init:
    """The command in a terminal."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        given = {name: value for name, value in ({**os.environ, **environment} | settings).items() if value is not None}
        command = [sys.executable, "-m", "services.cli", *arguments(words, settings)]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def init(environment: dict[str, str | None]) -> Init:
    """The same in this process, which has loaded its libraries already. `stderr` has all that it says."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        done = CliRunner().invoke(app, arguments(words, settings), env=environment | settings)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, stderr=done.output)

    return run


def arguments(words: tuple[str, ...], settings: dict[str, str]) -> list[str]:
    return ["init", *words, *([] if "AMQP_URL" in settings else ["--no-broker"])]


def test_an_empty_folder_without_a_mark_is_refused_and_left_as_it_is(typed: Init, nas: Path) -> None:
    refused = typed()
    assert refused.returncode == 1
    assert f"{nas} is not the NAS ({MARKER} is missing): mount it" in refused.stderr
    assert "presswork init --new-nas" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(nas.iterdir()) == []


def test_a_setting_of_any_service_that_can_not_be_used_is_told_in_plain_words_before_anything_is_made(
    typed: Init, nas: Path
) -> None:
    refused = typed("--new-nas", DUPLICATE_DISTANCE="many")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "settings that can't be used (docs/settings.md has all of them):",
        "DUPLICATE_DISTANCE: Input should be a valid integer, unable to parse string as an integer",
    ]
    assert list(nas.iterdir()) == []


def test_a_new_nas_is_taken_into_use_once_and_is_refused_again_when_its_mark_is_gone(
    typed: Init, init: Init, nas: Path
) -> None:
    assert init("--new-nas").returncode == 0
    mark = (nas / MARKER).read_text()
    again = typed()
    assert (again.returncode, again.stderr) == (0, "")
    assert init("--new-nas").returncode == 0
    assert (nas / MARKER).read_text() == mark

    (nas / MARKER).unlink()  # what an unmounting looks like from here
    assert init().returncode == 1
    assert list(nas.iterdir()) == []


def test_a_folder_that_holds_files_is_taken_into_use_only_when_they_are_adopted(init: Init, nas: Path) -> None:
    (nas / "UV 7 old design.png").touch()
    refused = init("--new-nas")
    assert refused.returncode == 1
    assert f"{nas} is not empty" in refused.stderr
    assert "presswork init --new-nas --adopt" in refused.stderr
    assert not (nas / MARKER).exists()
    assert init("--new-nas", "--adopt").returncode == 0
    assert {path.name for path in nas.iterdir()} == {MARKER, "UV 7 old design.png"}


def test_whose_folders_nobody_has_is_told_and_who_registers_later_does_not_get_them(
    init: Init, nas: Path, engine: Engine, environment: dict[str, str | None]
) -> None:
    for name in ("NorthCups", "SouthCups 2", "Ana"):
        (nas / name).mkdir()
    with transaction(engine) as connection:
        Users(connection).register("old@example.com", "", "Ana")
        connection.execute(text("DELETE FROM ingest.nas_folders"))
    said = init("--new-nas", "--adopt").stderr
    assert "of no account: NorthCups, SouthCups 2." in said
    with transaction(engine) as connection:
        with pytest.raises(FolderLies, match="northcups"):
            Users(connection).register("thief@example.com", "", "northcups")
        folders = [Users(connection).register(f"{n}@example.com", "", "SouthCups").shop_folder for n in range(2)]
        assert folders == ["SouthCups", "SouthCups 3"]
    opened = CliRunner().invoke(app, ["account", "add", "north@example.com", "NorthCups"], env=environment)
    assert opened.exit_code == 0, opened.output
    assert "has the folder NorthCups" in opened.output
    with transaction(engine) as connection:
        _, stored = Users(connection).for_login("north@example.com") or (None, "")
    assert Passwords().matches(opened.output.splitlines()[-1], stored)
    (nas / "SouthCups 2").rmdir()
    assert "of no account" not in init().stderr


def test_adopting_without_saying_that_the_nas_is_new_is_a_usage_error(init: Init, nas: Path) -> None:
    assert init("--adopt").returncode == 2
    assert list(nas.iterdir()) == []


def test_a_plain_folder_is_never_marked_where_a_mount_is_required(init: Init, nas: Path) -> None:
    refused = init("--new-nas", NAS_REQUIRE_MOUNT="true")
    assert refused.returncode == 1
    assert f"nothing is mounted at {nas}" in refused.stderr
    assert list(nas.iterdir()) == []


def test_each_part_can_be_done_alone(init: Init, nas: Path) -> None:
    nowhere = {"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    assert init("--no-database", "--new-nas", **nowhere).returncode == 0  # as in the storage service's container
    assert (nas / MARKER).exists()
    assert init("--no-nas", "--new-nas").returncode == 2
    (nas / MARKER).unlink()
    assert init("--no-nas").returncode == 0


def test_a_database_that_is_away_is_said_in_words(typed: Init) -> None:
    away = typed("--no-nas", DATABASE_URL="postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("the database can't be used: connection to server at")
    assert away.stderr.count("\n") == 1


def test_what_was_done_is_said(init: Init, nas: Path) -> None:
    done = init("--new-nas").stderr
    mark = (nas / MARKER).read_text().split()[0]
    assert done.splitlines() == [
        "database: its tables are those of this version",
        f"NAS {nas}: it is there, with a new mark ({mark}), and can be written",
    ]
    assert f"NAS {nas}: it is there, with its mark ({mark})" in init("--new-nas").stderr
    (nas / "design.png").touch()
    (nas / MARKER).unlink()
    assert "restart storage and ingest" in init("--new-nas", "--adopt").stderr


def test_queues_are_declared_though_the_nas_is_away(typed: Init, amqp_url: str) -> None:
    assert typed(AMQP_URL=amqp_url).returncode == 1
    assert asyncio.run(consumers(amqp_url, ("ingest", "hasher"))) == {"ingest": 0, "hasher": 0}


def test_a_folder_that_was_not_there_is_told_of_as_it_may_lie_where_a_nas_should_be_mounted(
    init: Init, nas: Path, tmp_path: Path, database_url: str
) -> None:
    made = "this folder was not there, and was made just now"
    assert made not in init("--new-nas").stderr
    for number, url in enumerate((str(tmp_path / "0/Graphics"), f"file://{tmp_path}/1/Graphics")):
        assert f"NAS {url}: {made}" in init("--new-nas", NAS_URL=url).stderr
        assert made not in init("--new-nas", NAS_URL=url).stderr
        assert (tmp_path / f"{number}/Graphics" / MARKER).exists()
    (tmp_path / "My NAS").mkdir()
    assert made not in init("--new-nas", NAS_URL=f"file://{tmp_path}/My%20NAS").stderr
    (nas / "Ana").mkdir()
    lines: list[str] = []
    elsewhere = {"DATABASE_URL": database_url, "NAS_URL": f"{tmp_path}/2/Graphics"}
    for environment, new in ((elsewhere, True), ({**elsewhere, "NAS_URL": str(nas)}, False)):
        plan = Plan(tmp_path / "data", free_ports(1)[0], embedded=True, environment=environment, new_nas=new)
        with system(plan, say=lines.append):
            told, lines = "\n".join(lines), []
        assert (made in told) is new
        assert ("NAS: of no account: Ana." in told) is not new


def test_up_takes_the_folder_that_it_makes_and_no_other(tmp_path: Path, database_url: str, nas: Path) -> None:
    settings = {"DATABASE_URL": database_url}
    plan = Plan(tmp_path / "data", free_ports(1)[0], embedded=True, environment=settings)
    own = plan.data_dir / "nas"
    lines: list[str] = []
    with system(plan, say=lines.append):
        assert (own / MARKER).exists()
    assert "just now" not in "".join(lines)
    (own / MARKER).unlink()
    kept = (plan.data_dir / "environment").read_text()
    assert f"NAS_URL='{own}'" in kept
    for folder, again in ((own, plan), (nas, replace(plan, environment={**settings, "NAS_URL": str(nas)}))):
        with pytest.raises(NotStarted, match=f"{folder} is not the NAS"), system(again, say=print):
            pytest.fail("designs would be stored in an empty mount point")
        assert list(folder.iterdir()) == []
    assert (plan.data_dir / "environment").read_text() == kept, "a start that is refused changes nothing"


def reached(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(("option", "others"), [(None, False), ("0.0.0.0", True)])  # noqa: S104
def test_up_listens_to_this_machine_alone_unless_it_is_told_otherwise(
    tmp_path: Path, database_url: str, option: str | None, others: bool
) -> None:
    environment = {"DATABASE_URL": database_url, "HOST": "127.0.0.9" if option else ""}
    plan = Plan(tmp_path / "data", free_ports(1)[0], option, embedded=True, environment=environment)
    with system(plan, say=print) as up:
        assert up.base_url == f"http://127.0.0.1:{plan.port}"
        assert reached("127.0.0.1", plan.port)
        assert reached("127.0.0.2", plan.port) is others
    beside = (plan.data_dir / "environment").read_text()
    assert f"HOST='{option or '127.0.0.1'}'\n" in beside, "a second ingest listens where the first does"


def test_a_nas_that_has_none_of_the_stored_designs_is_refused(
    init: Init, nas: Path, engine: Engine, tmp_path: Path
) -> None:
    by_up = ("--with-designs", "--taken-by", "presswork up --new-nas")
    assert init("--new-nas", *by_up).returncode == 0, "nothing is stored yet"
    design = {"item_id": uuid4(), "tenant_id": uuid4(), "session_id": uuid4(), "index": 0, "generation": 1}
    with transaction(engine) as connection:
        place = {"filename": "rose.png", "state": "stored", "path": "North/UV 100.png"}
        connection.execute(insert(designs).values(**design, **place))
    other, own = tmp_path / "other", tmp_path / "data"
    assert init("--new-nas", NAS_URL=str(other)).returncode == 0
    for folder, words in ((other, by_up), (own, (*by_up, "--new-nas"))):
        refused = init(*words, NAS_URL=str(folder))
        assert refused.returncode == 1
        assert f"the NAS is {folder}, and designs that are stored ('North/UV 100.png', for one)" in refused.stderr
        assert refused.stderr.endswith("the old ones may be missing: presswork up --new-nas\n")
    assert not own.exists()
    (other / MARKER).unlink()
    away = init(*by_up, NAS_URL=str(other)).stderr
    assert f"can't be looked for there ({other} is not the NAS" in away
    assert "set NAS_URL to where they are" in away
    (nas / "North").mkdir()
    (nas / "North/UV 100.png").touch()
    assert init(*by_up).returncode == 0


def test_another_nas_at_the_same_address_is_refused_unless_it_is_said_to_be_new(
    init: Init, nas: Path, engine: Engine, tmp_path: Path
) -> None:
    assert init("--new-nas").returncode == 0
    design = {"item_id": uuid4(), "tenant_id": uuid4(), "session_id": uuid4(), "index": 0, "generation": 1}
    with transaction(engine) as connection:
        place = {"filename": "rose.png", "state": "stored", "path": "North/UV 100.png"}
        connection.execute(insert(designs).values(**design, **place))
    (nas / "North").mkdir()
    (nas / "North/UV 100.png").touch()
    right = tmp_path / "right"
    nas.rename(right)
    other = tmp_path / "other"
    assert init("--new-nas", NAS_URL=str(other)).returncode == 0
    other.rename(nas)
    refused = init("--taken-by", "presswork up --new-nas")
    assert refused.returncode == 1
    assert f"another NAS is at {nas} than before (its mark is " in refused.stderr
    assert "designs that are stored ('North/UV 100.png', for one) do not lie there: mount the right" in refused.stderr
    assert refused.stderr.endswith("the old ones may be missing: presswork up --new-nas\n")
    assert init().returncode == 1, "it is not taken for the right one from then on"
    nas.rename(other)
    right.rename(nas)
    assert init().returncode == 0
    (nas / MARKER).unlink()
    assert init("--new-nas", "--adopt", "--no-database").returncode == 0
    assert init().returncode == 0, "a new mark, and the same designs"
    nas.rename(right)
    other.rename(nas)
    assert init("--new-nas").returncode == 0
    assert init().returncode == 0, "once is enough"


def test_a_shops_own_nas_that_is_another_is_told_of_and_stops_nobodys_start(
    init: Init, nas: Path, engine: Engine, tmp_path: Path
) -> None:
    south = tmp_path / "south"
    shops = {"NAS_SHOPS": f'{{"SouthCups": "{south}"}}'}
    assert init("--new-nas", **shops).returncode == 0
    assert init("--new-nas", "--shop", "SouthCups", **shops).returncode == 0
    design = {"item_id": uuid4(), "tenant_id": uuid4(), "session_id": uuid4(), "index": 0, "generation": 1}
    with transaction(engine) as connection:
        place = {"filename": "rose.png", "state": "stored", "path": "SouthCups/UV 100.png"}
        connection.execute(insert(designs).values(**design, **place))
    south.rename(tmp_path / "right")
    assert init("--new-nas", "--no-database", NAS_URL=str(south)).returncode == 0
    told = init(**shops)
    assert told.returncode == 0
    assert f"NAS of SouthCups: another NAS is at {south} than before" in told.stderr
    assert "presswork init --new-nas --shop 'SouthCups'. All goes on meanwhile" in told.stderr


def test_a_shops_own_nas_is_taken_into_use_alone_and_stops_nobodys_start(init: Init, nas: Path, tmp_path: Path) -> None:
    south = tmp_path / "south"
    south.mkdir()
    shops = {"NAS_SHOPS": f'{{"SouthCups": "{south}"}}'}
    assert init("--new-nas").returncode == 0
    away = init("--no-database", **shops)
    assert away.returncode == 0
    assert f"NAS of SouthCups: {south} is not the NAS ({MARKER} is missing)" in away.stderr
    assert "presswork init --new-nas --shop 'SouthCups'. Until then what is for it waits" in away.stderr
    assert list(south.iterdir()) == []
    (nas / MARKER).unlink()
    refused = init("--no-database", "--new-nas", "--shop", "SouthCups", **shops)
    assert refused.returncode == 1, "the one for all is as away as ever"
    assert list(nas.iterdir()) == []
    init("--no-database", "--new-nas", **shops)
    taken = init("--no-database", "--new-nas", "--shop", "SouthCups", **shops)
    assert taken.returncode == 0
    assert f"NAS of SouthCups at {south}: it is there, with a new mark" in taken.stderr
    assert (south / MARKER).exists()
    assert "it has SouthCups" in init("--no-database", "--new-nas", "--shop", "WestCups", **shops).stderr
