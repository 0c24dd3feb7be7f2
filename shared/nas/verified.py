"""Content that appears under its name whole and read back, or not at all."""

import contextlib
import errno
import secrets
from pathlib import Path

from shared.errors import Permanent, Retryable
from shared.nas.backend import Backend, P
from shared.nas.errors import NameTaken, NasUnavailable
from shared.nas.files import Files, pieces

MISSING = (FileNotFoundError, NotADirectoryError)


def write(files: Backend[P], source: Path, target: P, sha256: str, size: int) -> None:
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
            if equals(Files(), source, sha256, size):
                raise Retryable(f"'{target.name}' came back changed from {target.parent}: check its disks and network")
            raise Permanent(f"{source} is not what it should be ({size} bytes, SHA-256 {sha256[:12]}): upload it again")
        rename(files, part, target, sha256)
    finally:
        with contextlib.suppress(OSError, NasUnavailable):  # what went wrong before matters; `sweep` comes later
            files.remove(part)


def rename(files: Backend[P], source: P, target: P, sha256: str) -> None:
    """Rename without overwriting; if `target` has the content already, `source` is one name too many and goes."""
    try:
        files.rename_new(source, target)
    except FileExistsError as error:
        if not holds(files, target, sha256):
            raise BlockingIOError(errno.EAGAIN, "its name came free just now", str(target)) from error
        with contextlib.suppress(FileNotFoundError):
            files.remove(source)


def holds(files: Backend[P], target: P, sha256: str) -> bool:
    """Whether the name has this content; NameTaken if it has other content, False if it is free."""
    try:
        if not files.stat(target).is_directory and files.digest(target) == sha256:
            return True
    except MISSING:
        return False
    raise NameTaken(f"{target} has other content already and is left as it is: take another name, or remove it")


def equals(files: Backend[P], path: P, sha256: str, size: int) -> bool:
    """Whether a file has this content."""
    found = files.stat(path)
    return not found.is_directory and found.size == size and files.digest(path) == sha256
