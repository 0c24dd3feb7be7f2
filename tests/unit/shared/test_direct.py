"""Whatever a file's size and the file system's taste, it has the bytes that came, in their order."""

import contextlib
import fcntl
import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from shared import direct
from shared.direct import BLOCK_BYTES, BUFFER_BYTES, SMALL_BYTES, DirectWriter

SIZES = [0, 1, BLOCK_BYTES, SMALL_BYTES, SMALL_BYTES + 1, BUFFER_BYTES - 1, BUFFER_BYTES, 2 * BUFFER_BYTES + 4097]


def written(path: Path, pieces: Iterable[bytes]) -> bytes:
    with contextlib.closing(DirectWriter(os.open(path, os.O_WRONLY | os.O_CREAT))) as file:
        for piece in pieces:
            file.write(piece)
        file.sync()
    return path.read_bytes()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_it_has_what_was_written(tmp_path: Path, size: int) -> None:
    data = noise(size)
    assert written(tmp_path / "whole", [data]) == data
    pieces = [data[start : start + 70_001] for start in range(0, size, 70_001)]
    assert written(tmp_path / "in pieces", pieces) == data


@pytest.mark.parametrize("size", SIZES)
def test_a_file_system_with_wider_blocks_has_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """What is no whole block of the disk is refused by the kernel itself, where it is particular about that."""
    monkeypatch.setattr(direct, "BLOCK_BYTES", 8)
    data = noise(size + 24)
    assert written(tmp_path / "rose", [data]) == data


def test_one_that_takes_no_direct_writing_has_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(descriptor: int, command: int, flags: int = 0) -> int:
        if command == fcntl.F_GETFL:
            return 0
        asked.append(flags)
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(direct.fcntl, "fcntl", refuse)
    data = noise(BUFFER_BYTES + 5)
    assert written(tmp_path / "rose", [data]) == data
    assert asked, "nothing was refused"


def test_two_at_a_time_do_not_mix(tmp_path: Path) -> None:
    one, other = noise(BUFFER_BYTES + 1), noise(BUFFER_BYTES + 2)
    with contextlib.ExitStack() as stack:
        files = [DirectWriter(os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT)) for name in ("one", "other")]
        for file in files:
            stack.callback(file.close)
        for start in range(0, BUFFER_BYTES + 2, 300_000):
            files[0].write(one[start : start + 300_000])
            files[1].write(other[start : start + 300_000])
        for file in files:
            file.sync()
    assert (tmp_path / "one").read_bytes() == one
    assert (tmp_path / "other").read_bytes() == other
