"""The blob store: content-addressed, all or nothing, and honest about a disk that is full."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from shared.blobs import AHEAD_BYTES, Blobs, BlobWriter
from shared.contracts import Blob
from shared.errors import Permanent, Unavailable


def test_what_is_put_is_found_under_its_hash(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blob = blobs.put(b"rose")
    assert blob == Blob(sha256=hashlib.sha256(b"rose").hexdigest(), size=4)
    assert blobs.put(b"rose") == blob
    assert blobs.get(blob) == b"rose"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [blobs.path(blob)]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    class HungUp(Exception):  # noqa: N818
        pass

    def write_half() -> None:
        with Blobs(tmp_path).writer() as writer:
            writer.write(b"half of a ro")
            raise HungUp

    with pytest.raises(HungUp):
        write_half()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_waited_for_and_not_the_files_fault(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        writer = BlobWriter(full, Blobs(tmp_path)._store_errors)
        with pytest.raises(Unavailable, match="No space left"):
            writer.write(b"rose")


def test_a_disk_that_is_full_at_the_last_moment_is_waited_for_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is small is written when all has come, and once more when the file is closed."""
    monkeypatch.setattr("shared.blobs.os.fdopen", lambda *_: Path("/dev/full").open("wb"))  # noqa: SIM115 - closed by who asked for it
    with pytest.raises(Unavailable, match="No space left"):
        Blobs(tmp_path).put(b"rose")


def test_a_store_that_goes_away_while_a_blob_is_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun there can't be removed then, either."""

    def gone(*_: object, **_named: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, "fsync", gone)
    monkeypatch.setattr(Path, "unlink", gone)
    with pytest.raises(Unavailable, match="Stale file handle"):
        Blobs(tmp_path).put(b"rose")


def test_a_file_system_that_takes_no_advice_keeps_large_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse, raising=False)
    blob = Blobs(tmp_path).put(bytes(AHEAD_BYTES))
    assert Blobs(tmp_path).path(blob).stat().st_size == AHEAD_BYTES


def test_a_store_that_is_not_mounted_is_unavailable_and_a_lost_blob_is_lost(tmp_path: Path) -> None:
    blob = Blob(sha256="0" * 64, size=4)
    with pytest.raises(Unavailable, match="not mounted"):
        Blobs(tmp_path / "away").get(blob)
    with pytest.raises(Permanent, match="gone from the blob store"):
        Blobs(tmp_path).get(blob)


def test_a_blob_that_was_changed_on_disk_is_noticed(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    blob = blobs.put(b"rose")
    blobs.path(blob).write_bytes(b"rot!")
    with pytest.raises(Permanent, match="is damaged"):
        blobs.get(blob)
