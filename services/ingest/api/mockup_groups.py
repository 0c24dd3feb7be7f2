"""The mockup pages: groups, and the upload of their photographs and watermarks."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from sqlalchemy import Connection

from services.ingest.api.bodies import CallerFirst, with_files
from services.ingest.api.identity import Caller
from services.ingest.api.resources import Resources, Using
from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.mockup_records import Mockup, MockupChanges, MockupInput, MockupPage, UploadedImages
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.users import User

routes = APIRouter(prefix="/mockups", tags=["mockups"], route_class=CallerFirst)

MOST_FILES = 50

Skip = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@routes.get("/")
def page(using: Using, user: Caller, skip: Skip = 0, limit: Limit = 100) -> MockupPage:
    """Groups with their photographs and masks."""
    with using.transaction() as connection:
        groups, total = _mockups(using, connection, user).page(skip, limit)
    return MockupPage(mockups=groups, total=total)


@routes.post("/group", status_code=201)
def add(using: Using, user: Caller, given: MockupInput) -> Mockup:
    """A new group, without photographs yet."""
    with using.transaction() as connection:
        return _mockups(using, connection, user).add(given)


@routes.post("/upload", status_code=201, form_limits=with_files(MOST_FILES + 1))
def upload(
    using: Using,
    user: Caller,
    files: Annotated[list[UploadFile], File()],
    mockup_id: Annotated[UUID, Form()],
    watermark_file: Annotated[UploadFile | None, File()] = None,
) -> UploadedImages:
    """New photographs for a group, all of them or none: the client pairs masks with them by position.

    Without a watermark they get that of the group's first photograph, if it has one.
    """
    if len(files) > MOST_FILES:
        raise Unusable(f"{len(files)} photographs at once are too many; send at most {MOST_FILES}.")
    with using.transaction() as connection:
        _mockups(using, connection, user).get(mockup_id)
    marks = [watermark_file] if watermark_file else []
    kept = take_in(using, [*marks, *files])
    watermark, pictures = kept[0] if marks else None, kept[len(marks) :]
    with using.transaction() as connection:
        groups = _mockups(using, connection, user)
        images, owed = groups.add_photographs(mockup_id, pictures, watermark)
        for file in owed:
            using.emit(connection, file)
    return UploadedImages(uploaded_images=images, total=len(images))


@routes.get("/by-id/{mockup_id}")
def one(using: Using, user: Caller, mockup_id: UUID) -> Mockup:
    """One group."""
    with using.transaction() as connection:
        return _mockups(using, connection, user).get(mockup_id)


@routes.put("/update/{mockup_id}")
def change(using: Using, user: Caller, mockup_id: UUID, given: MockupChanges) -> Mockup:
    """Change what is sent."""
    with using.transaction() as connection:
        return _mockups(using, connection, user).change(mockup_id, given)


@routes.delete("/delete/{mockup_id}")
def remove(using: Using, user: Caller, mockup_id: UUID) -> dict[str, Any]:
    """Remove a group with its photographs and masks."""
    with using.transaction() as connection:
        _mockups(using, connection, user).remove(mockup_id)
    return {"success": True, "message": "Mockup deleted"}


@routes.put("/{mockup_id}/update-watermark", form_limits=with_files(1))
def change_watermark(using: Using, user: Caller, mockup_id: UUID, watermark: Annotated[UploadFile, File()]) -> Mockup:
    """Another watermark for all photographs of a group."""
    with using.transaction() as connection:
        _mockups(using, connection, user).get(mockup_id)
    (picture,) = take_in(using, [watermark])
    with using.transaction() as connection:
        group, owed = _mockups(using, connection, user).mark(mockup_id, picture)
        for file in owed:
            using.emit(connection, file)
    return group


def take_in(using: Resources, uploads: list[UploadFile]) -> list[Picture]:
    """Check all uploads, then keep them: one that is no picture refuses the whole request before anything is kept."""
    checked = [using.pictures.check(upload.filename or "unnamed", upload.file) for upload in uploads]
    return [
        using.pictures.keep(upload.filename or "unnamed", upload.file, facts)
        for upload, facts in zip(uploads, checked, strict=True)
    ]


def _mockups(using: Resources, connection: Connection, user: User) -> Mockups:
    return Mockups(connection, user, using.settings.nas_base_path)
