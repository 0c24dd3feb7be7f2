"""What lies in a mounted NAS: a folder's entries, and the part files that a crash left behind."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from shared.nas.marker import is_ours
from shared.nas.protocol import Stat

PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")


def entries(folder: Path, directory: str) -> tuple[Stat, ...]:
    """What `folder`, which is `directory` below the root, holds of the users', sorted; see `Nas.list`."""
    found = []
    with os.scandir(folder) as scanned:
        for entry in scanned:
            is_directory = entry.is_dir(follow_symlinks=False)
            plain = is_directory or entry.is_file(follow_symlinks=False)
            if not (plain and is_ours(entry.name) and _is_utf8(entry.name)):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted since the folder was opened
            path = f"{directory}/{entry.name}" if directory else entry.name
            found.append(Stat(path, status.st_size, status.st_mtime_ns, is_directory))
    return tuple(sorted(found))


def abandoned(root: Path, before_ns: int) -> Iterator[Path]:
    """Part files anywhere below `root` that nobody has written to since `before_ns` (the NAS's clock)."""
    for folder, directories, names in os.walk(root, onerror=_raise):
        directories[:] = [name for name in directories if is_ours(name)]
        for name in filter(PART.fullmatch, names):
            part = Path(folder, name)
            try:
                age_ok = part.lstat().st_mtime_ns < before_ns
            except FileNotFoundError:
                continue  # its writer has just finished
            if age_ok:
                yield part


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # undecodable bytes, which Python shows as lone surrogates
        return False
    return True


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
