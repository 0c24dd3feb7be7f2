"""What later stages say of a picture."""

from collections.abc import Iterable

from shared.contracts import (
    DesignActivityChanged,
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageHashed,
    StorageFailed,
    UploadedFile,
    WorkCancelled,
)


def handled(answers: Iterable[ImageAccepted | DuplicateFound]) -> list[ImageAccepted | DuplicateFound]:
    """All that a handler yields."""
    return list(answers)


def facts(event: ImageHashed, generation: int | None = None) -> dict[str, object]:
    """What each event about the same file repeats."""
    return {
        "tenant_id": event.tenant_id,
        "session_id": event.session_id,
        "item_id": event.item_id,
        "index": event.index,
        "generation": event.generation if generation is None else generation,
        "filename": event.filename,
    }


def stored(event: ImageHashed, number: int = 100) -> DesignStored:
    """It lies on the NAS."""
    name = f"UV {number} UVDTF_16oz_{number}.png"
    return DesignStored.model_validate(
        facts(event)
        | {"number": number, "name": name, "path": f"NorthCups/UVDTF 16oz/{name}", "print_file": event.print_file}
    )


def storage_failed(event: ImageHashed, generation: int | None = None) -> StorageFailed:
    """The NAS refused it."""
    return StorageFailed.model_validate(facts(event, generation) | {"reason": "the NAS can't hold that name"})


def cancelled(*events: ImageHashed) -> WorkCancelled:
    """Nobody wants these any more."""
    files = tuple(UploadedFile.model_validate(facts(event) | {"upload": event.upload}) for event in events)
    first = events[0]
    return WorkCancelled(tenant_id=first.tenant_id, session_id=first.session_id, reason="cancelled", files=files)


def deleted(event: ImageHashed, revision: int = 1) -> DesignActivityChanged:
    """The user took the design out of use."""
    return _activity(event, revision, is_active=False)


def restored(event: ImageHashed, revision: int = 2) -> DesignActivityChanged:
    """The user took it back into use."""
    return _activity(event, revision, is_active=True)


def _activity(event: ImageHashed, revision: int, *, is_active: bool) -> DesignActivityChanged:
    return DesignActivityChanged(
        tenant_id=event.tenant_id, item_id=event.item_id, is_active=is_active, revision=revision
    )
