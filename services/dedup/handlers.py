"""What dedup does with a picture's fate: decide it once, remember it when stored, decide anew when it failed.

Whatever gave a file up, only storage knows whether it comes to lie on the NAS all the same, because it has its number.
So a claim is let go when storage says that it failed, and not before.
"""

from collections.abc import Iterator

from services.dedup.rule.known_picture import Known
from services.dedup.store import HashIndex
from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageHashed,
    PairJudged,
    PictureHashed,
    PicturesGone,
    StorageFailed,
    WorkCancelled,
)


def on_image_hashed(event: ImageHashed, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    yield from index.decide_once(event)


def on_design_stored(event: DesignStored, index: HashIndex) -> None:
    index.stored(event)


def on_design_activity_changed(event: DesignActivityChanged, index: HashIndex) -> None:
    index.activity_changed(event)


def on_storage_failed(event: StorageFailed, index: HashIndex) -> Iterator[ImageAccepted | DuplicateFound]:
    """What was a duplicate of the failed picture only: the first such becomes the original, the rest follow it."""
    yield from index.release(event)


def on_work_cancelled(event: WorkCancelled, index: HashIndex) -> None:
    """When storage lets go of what these are duplicates of, they are not decided anew."""
    index.cancelled(event)


def on_pair_judged(event: PairJudged, index: HashIndex) -> None:
    index.judged(event)


def on_picture_hashed(event: PictureHashed, index: HashIndex) -> None:
    """Know a file of the NAS, or forget it. It may equal an upload or a print, so its SHA-256 counts as both.

    Where a design of ours lay and nothing can be recognised now, that design is missing: it was torn, or overwritten.
    """
    if event.problem:
        index.forget(event.tenant_id, [event.path], [event.path])
    elif event.phash and event.dhash:
        index.learn(
            event.tenant_id,
            Known(
                source="nas",
                algorithm=event.algorithm,
                phash=event.phash,
                dhash=event.dhash,
                upload_sha256=event.content.sha256,
                print_sha256=event.content.sha256,
                name=event.path.rpartition("/")[2],
                path=event.path,
                canonical=event.canonical,
            ),
        )


def on_pictures_gone(event: PicturesGone, index: HashIndex) -> None:
    index.forget(event.tenant_id, event.paths, event.designs)
