"""Mockup groups, photographs and masks as clients send and get them. The order of the fields is that in the JSON."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, ValidationError, model_validator

from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.fields import Instant, Name, StartingNumber, Word
from services.ingest.catalog.records import Record

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Point = tuple[Coordinate, Coordinate]
Polygon = Annotated[list[Point], Field(min_length=3, max_length=1000)]
Polygons = Annotated[list[Polygon], Field(min_length=1, max_length=100)]
Alignment = Literal["left", "center", "right"]


class MaskInput(Record):
    """Print areas on a photograph, in its own pixels. The lists replace the single values, one entry a polygon."""

    masks: Polygons
    points: list[list[Point]] | None = None
    is_cropped: bool = False
    alignment: Alignment = "center"
    is_cropped_list: list[bool] | None = None
    alignment_list: list[Alignment] | None = None
    perspective: bool = False

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.perspective and any(len(polygon) != 4 for polygon in self.masks):
            raise ValueError("a mask in perspective has exactly four points: the corners of the print area")
        for name in ("is_cropped_list", "alignment_list"):
            entries = getattr(self, name)
            if entries is not None and len(entries) != len(self.masks):
                raise ValueError(f"{name} has {len(entries)} entries for {len(self.masks)} masks; it needs one each")
        return self


class NewMask(MaskInput):
    """Masks as the editor sends them: it repeats the photograph's id."""

    mockup_image_id: UUID | None = None


class MaskChanges(Record):
    """What can be changed of masks: anything. What is left out stays."""

    masks: Polygons | None = None
    points: list[list[Point]] | None = None
    is_cropped: bool | None = None
    alignment: Alignment | None = None
    is_cropped_list: list[bool] | None = None
    alignment_list: list[Alignment] | None = None
    perspective: bool | None = None

    def applied_to(self, before: dict[str, Any]) -> MaskInput:
        """The masks after the change.

        Raises:
            Unusable: they don't fit together any more, such as two settings for three masks.
        """
        changes = self.model_dump(exclude_unset=True)
        for name in ("masks", "points", "is_cropped", "alignment", "perspective"):
            if changes.get(name, ...) is None:
                del changes[name]
        if "masks" in changes and "points" not in changes:
            changes["points"] = None
        try:
            return MaskInput.model_validate(before | changes)
        except ValidationError as error:
            said = [problem["msg"].removeprefix("Value error, ") for problem in error.errors()]
            raise Unusable("; ".join(said)) from error


class MaskRow(Record):
    """The masks of a photograph, as stored."""

    masks: list[list[tuple[float, float]]]
    points: list[list[tuple[float, float]]]
    is_cropped: bool
    alignment: Alignment
    id: UUID
    mockup_image_id: UUID
    created_at: Instant
    updated_at: Instant | None
    is_cropped_list: list[bool] | None
    alignment_list: list[Alignment] | None
    perspective: bool


class MockupImage(Record):
    """A mockup photograph. The paths are the ones on the NAS, in full."""

    filename: str
    file_path: str
    watermark_path: str | None
    image_type: str | None
    id: UUID
    mockups_id: UUID
    created_at: Instant
    updated_at: Instant | None
    mask_data: list[MaskRow]


class MockupInput(Record):
    """A new mockup group."""

    name: Name
    product_template_id: UUID
    starting_name: StartingNumber = 100


class MockupChanges(Record):
    """What can be changed of a mockup group."""

    name: Name | None = None
    starting_name: StartingNumber | None = None


class Mockup(Record):
    """A mockup group with its photographs."""

    starting_name: int
    id: UUID
    user_id: UUID
    product_template_id: UUID
    name: str
    created_at: Instant
    product_template_name: str | None = None
    updated_at: Instant | None
    mockup_images: list[MockupImage]


class ImageChanges(Record):
    """What can be changed of a photograph; a watermark can only be taken away, or replaced by an upload."""

    filename: Word | None = None
    file_path: str | None = None
    watermark_path: str | None = None
    image_type: Word | None = None


class MockupPage(Record):
    """Some of the groups, and how many there are."""

    mockups: list[Mockup]
    total: int


class UploadedImages(Record):
    """New photographs, in the order in which they were sent."""

    uploaded_images: list[MockupImage]
    total: int


class ImageList(Record):
    """The photographs of a group."""

    mockup_images: list[MockupImage]
    total: int


class MaskList(Record):
    """The masks of a photograph."""

    mask_data: list[MaskRow]
    total: int
