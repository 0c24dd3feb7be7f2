"""`presswork nas check` and `verify`, as operators run them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from services.cli import app
from services.storage.settings import Settings
from shared.nas import PathNas, open_nas
from shared.nas.errors import NasFull
from shared.nas.files import Files
from tests.integration.storage.workshop import FOLDER, Upload, Workshop, uv
from tests.nas_servers import Server

pytestmark = [pytest.mark.nas, pytest.mark.postgres]
Command = Callable[..., Result]


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    (tmp_path / "environment").touch()  # as `presswork up` leaves it

    def run(*words: str, **settings: str) -> Result:
        nothing = dict.fromkeys(("NAS_HOST_KEY", "NAS_PASSWORD", "NAS_PRIVATE_KEY", "NAS_SHOPS"))
        environment = nothing | {"DATABASE_URL": database_url, "NAS_URL": str(tmp_path / "nas")} | settings
        return CliRunner().invoke(app, ["nas", *words, "--data", str(tmp_path)], env=environment)

    return run


def test_what_is_missing_or_changed_on_the_nas_is_named(command: Command, engine: Engine, tmp_path: Path) -> None:
    PathNas(tmp_path / "nas").initialise()
    workshop, upload = Workshop(engine, tmp_path), Upload()
    workshop.hear(*(workshop.accepted(upload, index) for index in range(3)))
    assert workshop.files() == uv(100, 101, 102)
    fine = command("verify")
    assert (fine.exit_code, fine.stdout) == (0, "3 files are as they were stored, 0 are not.\n")

    gone, changed, _ = (tmp_path / "nas" / FOLDER / name for name in uv(100, 101, 102))
    gone.unlink()
    changed.write_bytes(b"x" * changed.stat().st_size)
    found = command("verify")
    assert found.exit_code == 1
    assert f"missing  {FOLDER}/{gone.name}\n" in found.stdout
    assert f"changed  {FOLDER}/{changed.name} (stored with SHA-256" in found.stdout
    assert "1 files are as they were stored, 2 are not." in found.stdout
    nowhere = command("verify", "--below", "SouthCups")
    assert nowhere.stdout.startswith("0 files")
    assert (nowhere.exit_code, nowhere.stderr) == (3, "No design is stored below SouthCups.\n"), "misspelt is not fine"
    engine.dispose()


def test_a_nas_that_can_be_used_is_said_so_and_one_that_can_not_is_no_good_news(
    command: Command, openssh: Server
) -> None:
    server = openssh.below("checked")
    (host_key,) = server.access.host_keys
    settings = {"NAS_URL": server.url, "NAS_PRIVATE_KEY": server.access.private_key, "NAS_HOST_KEY": host_key}
    refused = command("check", **settings)
    assert refused.exit_code == 4
    assert "(.presswork-nas is missing): correct its path in the settings" in refused.stderr
    assert "take it into use once: presswork init --new-nas, or presswork up --new-nas\n" in refused.stderr
    assert refused.stderr.count("once") == 1, "said twice, it sounds like two things to do"
    open_nas(server.url, access=server.access).initialise()
    fine = command("check", **settings)
    assert fine.exit_code == 0
    assert "answers, can be written and overwrites nothing" in fine.stdout
    assert "GB are free" in fine.stdout
    unknown = command("check", **settings | {"NAS_HOST_KEY": ""})
    assert unknown.exit_code == 4
    assert f"set NAS_HOST_KEY={host_key}" in unknown.stderr


def test_a_nas_that_is_full_is_no_good_news_either(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PathNas(tmp_path / "nas").initialise()
    monkeypatch.setattr(Files, "free_bytes", lambda _self, _directory: 12_345_678)
    full = command("check")
    assert full.exit_code == 1
    assert full.stdout.endswith("overwrites nothing; 12 MB are free.\n")
    assert full.stderr == "the NAS is full: 64 MB are kept free; free some space, all waits till then\n"
    nowhere = command("check", NAS_SHOPS=f'{{"SouthCups": "{tmp_path}/nowhere"}}')
    assert nowhere.exit_code == 4, "one that can't be used at all is worse"

    (tmp_path / "rose.png").write_bytes(b"rose")
    with pytest.raises(NasFull, match=r"full \(12 MB are free, 64 MB are kept in reserve\)"):
        PathNas(tmp_path / "nas").put("rose.png", tmp_path / "rose.png", 64 * "0", 4)


def test_every_shops_nas_is_looked_at_and_one_that_is_away_hides_nothing_of_the_others(
    command: Command, engine: Engine, tmp_path: Path
) -> None:
    for name in ("nas", "south"):
        PathNas(tmp_path / name).initialise()
    shops = {"NAS_SHOPS": f'{{"SouthCups": "{tmp_path}/south"}}'}
    both = Workshop(
        engine,
        tmp_path,
        Settings.model_validate({"nas_url": str(tmp_path / "nas"), "nas_shops": shops["NAS_SHOPS"]}).nases().as_one(),
    )
    north, south = Upload(), Upload(shop="SouthCups")
    both.hear(*(both.accepted(upload, index) for upload in (north, south) for index in range(2)))
    assert "SouthCups: " + str(tmp_path / "south") + ": the NAS" in command("check", **shops).stdout
    assert command("verify", **shops).stdout == "4 files are as they were stored, 0 are not.\n"
    (tmp_path / "south/.presswork-nas").unlink()
    checked = command("check", **shops)
    assert checked.exit_code == 4
    assert checked.stdout.startswith(f"{tmp_path}/nas: the NAS")
    assert checked.stderr.startswith(f"SouthCups: {tmp_path}/south is not the NAS")
    assert "take it into use once: presswork init --new-nas --shop 'SouthCups'\n" in checked.stderr
    verified = command("verify", **shops)
    assert verified.exit_code == 4
    assert verified.stdout == "2 files are as they were stored, 0 are not.\n"
    assert "2 files were not looked at, as their NAS is away" in verified.stderr
    assert command("verify", "--below", "NorthCups", **shops).exit_code == 0
    engine.dispose()
