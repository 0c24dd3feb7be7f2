"""What ingest does when something happened to a file: it tells the rows."""

from typing import Any

from services.ingest.sessions.error_words import for_seller
from services.ingest.sessions.lifecycle.projection import Projection
from services.ingest.sessions.states import WAITING
from shared.contracts import (
    DesignStored,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    ListingFailed,
    ListingPublished,
    MockupFailed,
    MockupsRendered,
    StorageFailed,
)

LISTING_STAGES = ("mockup", "publisher")


def on_image_hashed(event: ImageHashed, projection: Projection) -> None:
    projection.file_is(event, "hashed", facts={"warnings": list(event.warnings)})


def on_image_rejected(event: ImageRejected, projection: Projection) -> None:
    projection.file_is(event, "rejected", reason=event.reason, facts={"code": event.code})


def on_image_accepted(event: ImageAccepted, projection: Projection) -> None:
    like = event.resembles
    resembles = like.model_dump(mode="json", exclude={"content", "canonical"}) if like else None
    projection.file_is(event, "accepted", facts={"warnings": list(event.warnings), "resembles": resembles})


def on_duplicate_found(event: DuplicateFound, projection: Projection) -> None:
    match = event.match.model_dump(mode="json", exclude={"content", "canonical"})
    facts = {"kind": event.kind, "distance": event.distance, "match": match}
    columns = {"review": WAITING if event.review else None, "pair": _pair(event) if event.kind == "near" else None}
    projection.file_is(event, "duplicate", reason=event.reason, facts=facts, columns=columns)


def _pair(event: DuplicateFound) -> dict[str, Any]:
    """The facts that a person needs who is to decide about a near duplicate, now or later."""
    return event.model_dump(mode="json", include={"distance", "match", "reason", "canonical"})


def on_storage_failed(event: StorageFailed, projection: Projection) -> None:
    projection.file_is(event, "failed", reason=for_seller(event.reason))


def on_image_failed(event: ImageFailed, projection: Projection) -> None:
    if event.mockup_id is not None or event.failed_stage in LISTING_STAGES:
        projection.listing_is(event, event.mockup_id, "failed", reason=event.reason)
    else:
        projection.file_is(event, "failed", reason=event.reason, facts={"failed_stage": event.failed_stage})


def on_design_stored(event: DesignStored, projection: Projection) -> None:
    columns = {
        "number": event.number,
        "name": event.name,
        "path": event.path,
        "print_sha256": event.print_file.sha256,
        "print_size": event.print_file.size,
    }
    projection.file_is(event, "stored", columns=columns)


def on_mockups_rendered(event: MockupsRendered, projection: Projection) -> None:
    projection.listing_is(event, event.mockup_id, "rendered", columns={"warnings": list(event.warnings)})


def on_mockup_failed(event: MockupFailed, projection: Projection) -> None:
    projection.listing_is(event, event.mockup_id, "failed", reason=event.reason)


def on_listing_published(event: ListingPublished, projection: Projection) -> None:
    columns = {
        "target": event.target,
        "listing_id": event.listing_id,
        "url": event.url,
        "warnings": list(event.warnings),
    }
    projection.listing_is(event, event.mockup_id, "listed", columns=columns)


def on_listing_failed(event: ListingFailed, projection: Projection) -> None:
    projection.listing_is(event, event.mockup_id, "failed", reason=event.reason)
