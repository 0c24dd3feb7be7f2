"""How a session's files are shared out among the hashers. Pure."""

from collections.abc import Iterator, Sequence

from shared.contracts import UploadedFile

MAX_BATCH_BYTES = 100 * 1024 * 1024
MAX_BATCH_FILES = 5
"""Tenants take turns batch by batch: so few pictures are hashed in seconds, and cost no more than many."""


def batches(files: Sequence[UploadedFile], hashers: int) -> Iterator[tuple[UploadedFile, ...]]:
    """Split files into batches of at most five files and about 100 MB (one larger file is a batch of its own).

    There are never fewer batches than hashers while there are enough files. Consecutive files go to different
    batches: designs are numbered in upload order, so neighbours should be finished at about the same time.
    """
    for wave in _waves(files, hashers):
        lanes = min(hashers, len(wave))
        for lane in range(lanes):
            yield from _bounded(wave[lane::lanes])


def _waves(files: Sequence[UploadedFile], hashers: int) -> Iterator[Sequence[UploadedFile]]:
    """Runs of consecutive files that fill one batch for each hasher."""
    start = size = 0
    for position, file in enumerate(files):
        full = position - start == hashers * MAX_BATCH_FILES or size + file.upload.size > hashers * MAX_BATCH_BYTES
        if full and position > start:
            yield files[start:position]
            start, size = position, 0
        size += file.upload.size
    if start < len(files):
        yield files[start:]


def _bounded(share: Sequence[UploadedFile]) -> Iterator[tuple[UploadedFile, ...]]:
    """Cut one hasher's share into batches: shares are even in the number of files, but not in their bytes."""
    batch: list[UploadedFile] = []
    size = 0
    for file in share:
        if batch and (size + file.upload.size > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_FILES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(file)
        size += file.upload.size
    if batch:
        yield tuple(batch)
