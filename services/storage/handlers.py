"""What storage does with each verdict: store what was accepted, and number, in order of upload, what that makes due."""

from collections.abc import Callable, Iterator

from services.storage.filing import Answer, Filing
from services.storage.placing import file_path, mockup_folder
from services.storage.scanning import Scan
from shared.contracts import (
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageRejected,
    MockupsRendered,
    PictureFound,
    PictureHashed,
    PicturesGone,
    ShopScanRequested,
    StorageFailed,
    StoreFile,
    WorkCancelled,
)
from shared.errors import Elsewhere

FILE_STAGES = ("hasher", "dedup", "storage")


def on_image_accepted(event: ImageAccepted, filing: Filing) -> Iterator[DesignStored | StorageFailed | ImageAccepted]:
    """Place its file; it is stored by whichever message is the last that it has to wait for.

    Later copies that made way for it are given up first: they have no number, as this one had no verdict until now.
    """
    if event.generation:
        filing.designs.adopt(event)
    for late in event.instead_of:
        _give_up(late, "duplicate", filing)
    placed = filing.place(event)
    yield from filing.advance(event, placed=event if placed else None)


def on_duplicate_found(event: DuplicateFound, filing: Filing) -> Iterator[DesignStored | StorageFailed | ImageAccepted]:
    yield from _settled(event, "duplicate", filing)


def on_image_rejected(event: ImageRejected, filing: Filing) -> Iterator[DesignStored | StorageFailed | ImageAccepted]:
    yield from _settled(event, "rejected", filing)


def on_image_failed(event: ImageFailed, filing: Filing) -> Iterator[DesignStored | StorageFailed | ImageAccepted]:
    """The file fails. If storage's own message died, what it had begun for other items ends here, well or not."""
    if event.failed_stage not in FILE_STAGES:
        return
    yield from _settled(event, "failed", filing, last_try=True)
    yield from _unclaimed(event, filing)


def on_work_cancelled(event: WorkCancelled, filing: Filing) -> Iterator[DesignStored | StorageFailed | ImageAccepted]:
    """Each of its files that is not on its way into the shop's folder will have none; those behind it go on."""
    given_up = [
        ImageFailed(
            tenant_id=event.tenant_id,
            session_id=event.session_id,
            item_id=file.item_id,
            index=file.index,
            generation=file.generation,
            filename=file.filename,
            failed_stage="storage",
            reason=event.reason,
        )
        for file in event.files
    ]
    accepted = [filing.designs.settle(failure, "failed") for failure in given_up]
    for design in accepted:  # of all, before the first: the NAS may be away, and nothing is to go there any more
        if design is not None:
            filing.discard(design)
    if given_up:
        yield from filing.advance(*given_up)
    for failure in given_up:
        yield from _unclaimed(failure, filing)


def on_mockups_rendered(event: MockupsRendered, filing: Filing) -> None:
    folder = mockup_folder(event.shop, event.template.name)
    for mockup in event.mockups:
        filing.keep_copy(f"{folder}/{mockup.filename}", mockup.image)


def on_store_file(event: StoreFile, filing: Filing) -> None:
    filing.keep_copy(file_path(event.shop, event.path), event.content)


def on_shop_scan_requested(
    event: ShopScanRequested, scan: Scan
) -> Iterator[PictureFound | PicturesGone | ShopScanRequested]:
    yield from scan.shop(event)


def on_picture_hashed(event: PictureHashed, scan: Scan) -> Iterator[PictureFound | PicturesGone | ShopScanRequested]:
    yield from scan.next(event)


def sort_shop_scan_requested(event: ShopScanRequested, queue_of: Callable[[str], str]) -> None:
    """Send a scan's work to the queue of its NAS, where NASes have queues of their own."""
    raise Elsewhere(queue_of(event.shop))


def sort_picture_hashed(event: PictureHashed, queue_of: Callable[[str], str]) -> None:
    raise Elsewhere(queue_of(event.path))


def _settled(
    event: DuplicateFound | ImageRejected | ImageFailed, state: str, filing: Filing, *, last_try: bool = False
) -> Iterator[Answer]:
    if event.generation or isinstance(event, ImageFailed):
        filing.designs.adopt(event)
    _give_up(event, state, filing)
    yield from filing.advance(event, last_try=last_try)


def _give_up(event: DuplicateFound | ImageRejected | ImageFailed, state: str, filing: Filing) -> None:
    accepted = filing.designs.settle(event, state)
    if accepted is not None:
        filing.discard(accepted)


def _unclaimed(event: ImageFailed, filing: Filing) -> Iterator[StorageFailed]:
    """Dedup may have claimed it though its acceptance never came, and lets it go when we say so, and only then.

    Whoever tells of a failure once more hears its end once more: it may have been lost with a broker.
    """
    if filing.designs.owes_its_end(event):
        yield StorageFailed.model_validate(event.model_dump())
