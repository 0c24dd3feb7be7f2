"""Half-written blobs go when nobody writes to them any more, and whole ones stay."""

import os
import time
from pathlib import Path

import pytest

from services.ops import spool
from services.ops.spool import A_DAY_S, ASIDE, is_older, put_back, remove, sweep
from shared.blobs import Blobs
from shared.contracts import Blob

LONG_AGO = time.time() - 40 * A_DAY_S
A_MONTH_AGO = time.time() - 30 * A_DAY_S


@pytest.fixture
def old(tmp_path: Path) -> Blob:
    blob = Blobs(tmp_path).put(b"rose")
    os.utime(Blobs(tmp_path).path(blob), (LONG_AGO, LONG_AGO))
    return blob


def everything(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_old_blob_goes_and_nothing_of_it_is_left(tmp_path: Path, old: Blob) -> None:
    for _ in range(2):
        remove(Blobs(tmp_path).path(old), tmp_path, A_MONTH_AGO)
        assert everything(tmp_path) == []


@pytest.mark.parametrize("looks", [1, 2])
def test_bytes_that_come_again_while_their_old_blob_is_removed_stay(
    tmp_path: Path, old: Blob, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """After the first look at their age, or after the second."""
    blobs, seen = Blobs(tmp_path), list[bool]()

    def and_then_they_come(path: Path, than: float) -> bool:
        seen.append(is_older(path, than))
        if len(seen) == looks:
            blobs.put(b"rose")
        return seen[-1]

    monkeypatch.setattr(spool, "is_older", and_then_they_come)
    remove(blobs.path(old), tmp_path, A_MONTH_AGO)
    assert blobs.get(old) == b"rose"
    assert everything(tmp_path) == [blobs.path(old)]
    assert not is_older(blobs.path(old), A_MONTH_AGO)


def test_a_blob_whose_sweep_died_is_there_again_and_young(tmp_path: Path, old: Blob) -> None:
    blobs = Blobs(tmp_path)
    for comes_again in (False, True):
        aside = blobs.path(old).rename(tmp_path / "incoming" / f"{ASIDE}{old.sha256}")
        if comes_again:
            blobs.put(b"rose")
            os.utime(aside, (LONG_AGO, LONG_AGO))
        put_back(tmp_path)
        assert blobs.get(old) == b"rose"
        assert everything(tmp_path) == [blobs.path(old)]
        assert not is_older(blobs.path(old), A_MONTH_AGO)


def test_what_nobody_has_written_to_for_a_day_goes_and_all_else_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert sweep(tmp_path) == []  # before the first upload there is no such folder
    kept = blobs.put(b"whole")
    with blobs.writer() as writer:
        writer.write(b"half")
        (begun,) = (tmp_path / "incoming").iterdir()
        abandoned = begun.with_name("abandoned")
        abandoned.write_bytes(b"half")
        old = time.time() - A_DAY_S - 60
        os.utime(abandoned, (old, old))
        assert sweep(tmp_path) == [abandoned]
        assert begun.exists()
    assert blobs.get(kept) == b"whole"
    assert blobs.get(writer.blob) == b"half"
