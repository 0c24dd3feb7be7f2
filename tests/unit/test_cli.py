"""The command: what it refuses before it starts anything, in words that say what to do instead."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app


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


def test_a_data_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = CliRunner().invoke(app, ["up", "--data", str(tmp_path / "file" / "data")])
    assert done.exit_code == 1
    assert "name another folder with --data" in str(done.exception)
