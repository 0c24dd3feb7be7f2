"""Content that appears under its name whole and read back, or not at all."""

import contextlib
import errno
import secrets
import stat as modes
from pathlib import Path

from shared.errors import Permanent, Retryable
from shared.nas.errors import NameTaken
from shared.nas.files import Files, pieces

MISSING = (FileNotFoundError, NotADirectoryError)


def write(files: Files, source: Path, target: Path, sha256: str, size: int) -> None:
    """Copy under a hidden name in the same folder, read back, then rename.

    Raises:
        NameTaken: other content got the name first.
        Retryable: the NAS gave back something else than it was given.
        Permanent: the source is not what it should be.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        files.write(pieces(source), part)
        if not equals(files, part, sha256, size):
            if equals(files, source, sha256, size):
                raise Retryable(f"'{target.name}' came back changed from {target.parent}: check its disks and network")
            raise Permanent(f"{source} is not what it should be ({size} bytes, SHA-256 {sha256[:12]}): upload it again")
        rename(files, part, target, sha256)
    finally:
        with contextlib.suppress(OSError):  # what went wrong before matters more, and `sweep` takes the rest
            part.unlink(missing_ok=True)


def rename(files: Files, source: Path, target: Path, sha256: str) -> None:
    """Rename without overwriting; if `target` has the content already, `source` is one name too many and goes."""
    try:
        files.rename_new(source, target)
    except FileExistsError as error:
        if not holds(files, target, sha256):
            raise BlockingIOError(errno.EAGAIN, "its name came free just now", str(target)) from error
        source.unlink(missing_ok=True)


def holds(files: Files, target: Path, sha256: str) -> bool:
    """Whether the name has this content; NameTaken if it has other content, False if it is free."""
    try:
        if modes.S_ISREG(target.stat().st_mode) and files.digest(target) == sha256:
            return True
    except MISSING:
        return False
    raise NameTaken(f"{target} has other content already and is left as it is: take another name, or remove it")


def equals(files: Files, path: Path, sha256: str, size: int) -> bool:
    """Whether a file has this content."""
    found = path.stat()
    return modes.S_ISREG(found.st_mode) and found.st_size == size and files.digest(path) == sha256
