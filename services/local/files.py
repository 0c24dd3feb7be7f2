"""Small files of our own, for their owner only: each is there whole or not at all, whatever happens meanwhile."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


def write(file: Path, text: str) -> None:
    """Put this text in place of what the file has, if any."""
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # nobody else may read it
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink()
        raise


def secret(file: Path, new: Callable[[], str]) -> str:
    """The secret kept in `file`, made on the first call. Whoever calls has the folder to itself (`process.claim`)."""
    if not file.exists() or not file.stat().st_size:
        write(file, new())
    return file.read_text()


def password(file: Path) -> str:
    """The password kept in `file`, made on the first call; loopback is open to every user of the machine."""
    return secret(file, lambda: secrets.token_urlsafe(18))
