"""Files of `presswork up`: whole or not at all, though the disk is full or the process dies."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local.environment import left_in, settings_for, write_down
from services.local.files import password
from services.local.listening import Listening

HERE = Listening("127.0.0.1", 3003)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file takes more than a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_secret_that_found_no_room_is_made_at_the_next_start(tmp_path: Path) -> None:
    """Else a few letters, or none, would be the password from then on."""
    with full_disk(), pytest.raises(OSError, match="File too large"):
        password(tmp_path / "password")

    made = password(tmp_path / "password")

    assert len(made) > 20
    assert password(tmp_path / "password") == made
    assert [path.name for path in tmp_path.iterdir()] == ["password"]
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_an_empty_secret_as_older_releases_left_it_is_none(tmp_path: Path) -> None:
    (tmp_path / "jwt-secret").touch()
    made = settings_for({}, tmp_path, HERE, "postgresql://x", None)["JWT_SECRET_KEY"]
    assert made
    assert settings_for({}, tmp_path, HERE, "postgresql://x", None)["JWT_SECRET_KEY"] == made


def test_settings_that_find_no_room_leave_those_of_the_start_before(tmp_path: Path) -> None:
    """The name of the NAS is among them: without it designs would go to another folder."""
    write_down({"NAS_URL": "/mnt/nas"}, tmp_path)
    before = left_in(tmp_path)

    with full_disk(), pytest.raises(OSError, match="File too large"):
        write_down({"NAS_URL": "/mnt/nas", "LISTINGS_DIR": "/listings"}, tmp_path)

    assert left_in(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["environment"]
    assert (tmp_path / "environment").stat().st_mode & 0o077 == 0
