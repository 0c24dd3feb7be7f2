"""What lies on a NAS: a folder's entries, and the part files that a crash left behind."""

import re
from collections.abc import Iterator

from shared.nas.backend import Backend, P
from shared.nas.errors import BadPath
from shared.nas.marker import is_ours
from shared.nas.protocol import Stat

PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")


def entries(files: Backend[P], folder: P, directory: str) -> tuple[Stat, ...]:
    """What `folder`, which is `directory` below the root, holds of the users', sorted; see `Nas.list`."""
    found = (entry for entry in files.scan(folder) if is_ours(entry.path) and _is_utf8(entry.path))
    return tuple(sorted(entry._replace(path=f"{directory}/{entry.path}".lstrip("/")) for entry in found))


def abandoned(files: Backend[P], folder: P, before_ns: int) -> Iterator[P]:
    """Part files anywhere below `folder` that nobody has written to since `before_ns` (the NAS's clock)."""
    try:
        found = list(files.scan(folder))
    except (FileNotFoundError, BadPath):
        return  # somebody has just removed it, or it has what can't be listed
    for entry in found:
        if entry.is_directory and is_ours(entry.path):
            yield from abandoned(files, folder / entry.path, before_ns)
        elif PART.fullmatch(entry.path) and not entry.is_directory and entry.modified_ns < before_ns:
            yield folder / entry.path


def _is_utf8(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)  # so Python shows undecodable bytes
