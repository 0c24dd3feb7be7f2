"""Stored designs: list, change, delete, and the gallery with links that an `<img>` can show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from services.ingest.api.identity import Caller
from services.ingest.api.mockup_groups import Limit, Skip
from services.ingest.api.resources import Using
from services.ingest.sessions.actions.cancelling import cancel_of_deleted
from services.ingest.sessions.intake.listing_requests import at_etsy
from services.ingest.sessions.serving.designs import Design, DesignChanges, DesignFile, DesignPage, Designs

routes = APIRouter(prefix="/designs", tags=["designs"])

GALLERY_FILES = 1000


@routes.get("/list")
def page(using: Using, user: Caller, skip: Skip = 0, limit: Limit = 100) -> DesignPage:
    """Active designs, newest upload first."""
    with using.transaction() as connection:
        designs, total = Designs(connection, user.id, using.settings.nas_base_path).page(skip, limit)
    return DesignPage(designs=designs, total=total)


@routes.get("/by-id/{design_id}")
def one(using: Using, user: Caller, design_id: UUID) -> Design:
    """One design."""
    with using.transaction() as connection:
        return Designs(connection, user.id, using.settings.nas_base_path).get(design_id)


@routes.put("/update/{design_id}")
def change(using: Using, user: Caller, design_id: UUID, given: DesignChanges) -> Design:
    """Change what is sent. A design's name and place are the server's: what is sent for them is ignored."""
    with using.transaction() as connection:
        changed, told = Designs(connection, user.id, using.settings.nas_base_path).change(design_id, given)
        if told is not None:
            using.emit(connection, told)
            if not told.is_active:
                cancel_of_deleted(connection, told.item_id)
        return changed


@routes.delete("/delete/{design_id}")
def remove(using: Using, user: Caller, design_id: UUID) -> dict[str, Any]:
    """Take a design out of use; its file stays, and its listings do. One that is under way is cancelled."""
    with using.transaction() as connection:
        told = Designs(connection, user.id, using.settings.nas_base_path).remove(design_id)
        cancelled = None
        if told is not None:
            using.emit(connection, told)
            cancelled = cancel_of_deleted(connection, told.item_id)
        listed = at_etsy(connection, user.id, design_id)
    under_way = f" {cancelled}" if cancelled and cancelled.listings else ""
    return {"success": True, "message": _deleted(listed) + under_way}


@routes.get("/gallery")
def gallery(request: Request, using: Using, user: Caller) -> dict[str, Any]:
    """The newest design files. Pictures of listings are the shop's, and none is read from there."""
    with using.transaction() as connection:
        files, total = Designs(connection, user.id, using.settings.nas_base_path).files(GALLERY_FILES)
    base, now = using.settings.public_url or str(request.base_url), datetime.now(UTC)
    shown = [_shown(file, using.links.url(base, user.shop_folder, file.path, now)) for file in files]
    return {"mockups": [], "files": shown, "total_mockups": 0, "total_files": total}


def _deleted(listing_ids: Sequence[str]) -> str:
    listings = f"listing{'s' if len(listing_ids) > 1 else ''} {', '.join(listing_ids)}"
    stay = f", and the {listings} at Etsy, where only you can delete it" if listing_ids else ""
    return f"Design deleted. Its file stays on the NAS{stay}. Sent again, it gets another number."


def _shown(file: DesignFile, url: str) -> dict[str, Any]:
    return {
        "filename": file.name,
        "path": url,
        "url": url,
        "template_name": file.folder,
        "nas_path": file.path,
        "file_size": file.size,
        "last_modified": file.stored_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
    }
