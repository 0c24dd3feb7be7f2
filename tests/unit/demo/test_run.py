"""The demo as a whole, where it must not need a running system: words instead of a traceback."""

import io
import socket
from pathlib import Path

import pytest
from rich.console import Console

from services.demo import run
from services.demo.run import run_demo


def test_a_system_that_does_not_answer_is_told_in_words_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        out = io.StringIO()
        status = run_demo(url, tmp_path, tmp_path, tmp_path / "results", console=Console(file=out, width=200))
    assert status == 1
    assert f"The server at {url} did not answer" in out.getvalue()
    assert not (tmp_path / "results").exists()


def test_a_fault_of_its_own_is_no_word_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        return {"stored": 0}["listed"]

    monkeypatch.setattr(run, "_run", broken)
    with pytest.raises(KeyError):  # with its trace: alone it would be told as 'listed'
        run_demo("http://127.0.0.1:1", tmp_path, tmp_path, tmp_path)
