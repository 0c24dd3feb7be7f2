"""How many seconds of the processor each part of a running system has taken, and how much memory it has, from /proc."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def seconds(parts: Mapping[str, int]) -> dict[str, float]:
    """By name of a process: its own seconds, and those of all below it, living and ended."""
    below = _below()
    return {name: sum(_seconds(pid) for pid in _tree(root, below)) for name, root in parts.items()}


def memory_mb(root: int, line: str = "VmRSS") -> float:
    """What a process and those below it have (`VmRSS`), or had at most (`VmHWM`), summed up."""
    return sum(megabytes(pid, line) for pid in _tree(root, _below()))


def megabytes(pid: int, line: str) -> float:
    """Of one process. 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(each.split()[1]) * 1024 / 1e6 for each in lines if each.startswith(f"{line}:")), 0.0)


def summed(found: Mapping[str, float]) -> dict[str, float]:
    """Processes of one service together: "storage 1" and "storage 2" are storage."""
    total: defaultdict[str, float] = defaultdict(float)
    for name, value in found.items():
        total[name.partition(" ")[0]] += value
    return dict(total)


def _tree(root: int, below: Mapping[int, list[int]]) -> Iterator[int]:
    yield root
    for child in below.get(root, ()):
        yield from _tree(child, below)


def _below() -> defaultdict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (stat := _stat(int(folder.name))):
            found[int(stat[1])].append(int(folder.name))
    return found


def _seconds(pid: int) -> float:
    stat = _stat(pid)
    return sum(int(ticks) for ticks in stat[11:15]) * TICK_S if stat else 0.0


def _stat(pid: int) -> list[str] | None:
    """What /proc/PID/stat has behind the name: state, parent, ... (proc(5) counts from 3)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
