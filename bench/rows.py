"""What is measured, by group: each group runs in a process of its own, so that none finds the other's memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench import consumers, duplicates, hasher, looking, memory, names, pipeline, session, subscribers, upload
from bench.figures import Figure

Measure = Callable[[Path, int], Iterator[Figure]]

GROUPS: dict[str, Measure] = {
    "hasher": hasher.figures,
    "memory": memory.figures,
    "consumers": consumers.figures,
    "upload": upload.figures,
    "session": session.figures,
    "pipeline": pipeline.figures,
    "duplicates": duplicates.figures,
    "looking": looking.figures,
    "names": names.figures,
    "subscribers": subscribers.figures,
}


def measured(group: str, home: Path, rounds: int) -> list[Figure]:
    """All figures of a group. `home` keeps the corpus and what the system writes."""
    return list(GROUPS[group](home, rounds))
