"""Print areas on the mockup photographs of one user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.mockup_records import MaskChanges, MaskInput, MaskRow
from services.ingest.tables import mockup_images, mockup_masks


@dataclass(frozen=True)
class Masks:
    """Another user's masks do not exist here."""

    connection: Connection
    user_id: UUID

    def of_images(self, image_ids: Sequence[UUID]) -> list[MaskRow]:
        """The masks of these photographs, oldest first."""
        mine = select(mockup_masks).where(
            mockup_masks.c.user_id == self.user_id, mockup_masks.c.mockup_image_id.in_(image_ids)
        )
        rows = self.connection.execute(mine.order_by(mockup_masks.c.created_at, mockup_masks.c.id))
        return [MaskRow.model_validate(row) for row in rows.mappings()]

    def get(self, mask_id: UUID) -> MaskRow:
        """One row of masks, or Missing."""
        row = self.connection.execute(select(mockup_masks).where(self._is(mask_id))).mappings().one_or_none()
        if row is None:
            raise _missing(mask_id)
        return MaskRow.model_validate(row)

    def add(self, image_id: UUID, given: MaskInput) -> MaskRow:
        """New masks on a photograph; Missing if there is no such photograph, Unusable if one lies outside of it."""
        self._on_photograph(image_id, given)
        new = insert(mockup_masks).values(id=uuid4(), user_id=self.user_id, mockup_image_id=image_id, **_columns(given))
        return MaskRow.model_validate(self.connection.execute(new.returning(mockup_masks)).mappings().one())

    def change(self, mask_id: UUID, given: MaskChanges) -> MaskRow:
        """Change what was sent, leave the rest; Unusable if the result is not as sound as new masks, or Missing."""
        # locked, so that two calls at a time don't undo each other's change
        mine = select(mockup_masks).where(self._is(mask_id)).with_for_update()
        row = self.connection.execute(mine).mappings().one_or_none()
        if row is None:
            raise _missing(mask_id)
        after = given.applied_to(MaskRow.model_validate(row).model_dump(include=set(MaskInput.model_fields)))
        self._on_photograph(row["mockup_image_id"], after)
        changed = update(mockup_masks).where(self._is(mask_id)).values(**_columns(after), updated_at=func.now())
        return MaskRow.model_validate(self.connection.execute(changed.returning(mockup_masks)).mappings().one())

    def remove(self, mask_id: UUID) -> None:
        """Remove a row of masks, or Missing."""
        if not self.connection.execute(delete(mockup_masks).where(self._is(mask_id))).rowcount:
            raise _missing(mask_id)

    def _on_photograph(self, image_id: UUID, given: MaskInput) -> None:
        this = (mockup_images.c.user_id == self.user_id, mockup_images.c.id == image_id)
        photograph = self.connection.execute(select(mockup_images.c.width, mockup_images.c.height).where(*this)).first()
        if photograph is None:
            raise Missing(f"There is no mockup image {image_id}.")
        for number, polygon in enumerate(given.masks, 1):
            # EXIF may turn it before it is shown, and the sizes on record are those before that.
            if _lies_outside(polygon, max(photograph)):
                outside = f"outside of the photograph ({photograph.width} x {photograph.height} px)"
                raise Unusable(f"Print area {number} lies {outside}; draw it in the photograph's own pixels.")

    def _is(self, mask_id: UUID) -> ColumnElement[bool]:
        return (mockup_masks.c.user_id == self.user_id) & (mockup_masks.c.id == mask_id)


def _lies_outside(polygon: Sequence[tuple[float, float]], side: int) -> bool:
    """Whether none of it lies in a square with such sides."""
    return any(max(along) <= 0 or min(along) >= side for along in zip(*polygon, strict=True))


def _columns(given: MaskInput) -> dict[str, Any]:
    # The editor sends the same polygons as points; other clients may leave them out.
    return given.model_dump(include=set(MaskInput.model_fields)) | {
        "points": given.points if given.points is not None else given.masks
    }


def _missing(mask_id: UUID) -> Missing:
    return Missing(f"There is no mask {mask_id}.")
