"""What runs on this machine for a test."""

import contextlib
import os
from pathlib import Path


def processes_of(folder: Path) -> dict[int, str]:
    """The command lines of what was told of `folder`, there or in its environment, or works in it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
            command = (process / "cmdline").read_bytes()
            told = os.fsencode(folder) in command + (process / "environ").read_bytes()
            if told or (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = command.replace(b"\0", b" ").decode().strip()
    return found
