"""What dedup does with a picture's fate: decide it once, remember it when stored, decide anew when it failed."""

from collections.abc import Iterator

from services.dedup.matching import decide
from services.dedup.store import HashIndex
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    StorageFailed,
    WorkCancelled,
)

FILE_STAGES = ("hasher", "dedup", "storage")


def on_image_hashed(event: ImageHashed, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    yield index.decide_once(event, decide)


def on_design_stored(event: DesignStored, index: HashIndex) -> None:
    index.stored(event)


def on_design_activity_changed(event: DesignActivityChanged, index: HashIndex) -> None:
    index.activity_changed(event)


def on_storage_failed(event: StorageFailed, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    """What was a duplicate of the failed picture only: the first such becomes the original, the rest follow it."""
    yield from index.release(event, decide)


def on_image_failed(event: ImageFailed, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    """As when storing failed; but when only a listing failed, the design still lies on the NAS."""
    if event.failed_stage in FILE_STAGES:
        yield from index.release(event, decide)


def on_work_cancelled(event: WorkCancelled, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    """As when storing failed; but what was cancelled too is not decided anew."""
    yield from index.cancelled(event, decide)
