"""Print areas on the mockup photographs of one user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from services.ingest.catalog.errors import Missing
from services.ingest.catalog.mockup_records import MaskInput, MaskRow
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
        """New masks on a photograph; Missing if there is no such photograph."""
        of_user = select(mockup_images.c.id).where(
            mockup_images.c.user_id == self.user_id, mockup_images.c.id == image_id
        )
        if not self.connection.execute(of_user).first():
            raise Missing(f"There is no mockup image {image_id}.")
        new = insert(mockup_masks).values(id=uuid4(), user_id=self.user_id, mockup_image_id=image_id, **_columns(given))
        return MaskRow.model_validate(self.connection.execute(new.returning(mockup_masks)).mappings().one())

    def change(self, mask_id: UUID, given: MaskInput) -> MaskRow:
        """Put other masks in the place of these, or Missing."""
        changed = update(mockup_masks).where(self._is(mask_id)).values(**_columns(given), updated_at=func.now())
        row = self.connection.execute(changed.returning(mockup_masks)).mappings().one_or_none()
        if row is None:
            raise _missing(mask_id)
        return MaskRow.model_validate(row)

    def remove(self, mask_id: UUID) -> None:
        """Remove a row of masks, or Missing."""
        if not self.connection.execute(delete(mockup_masks).where(self._is(mask_id))).rowcount:
            raise _missing(mask_id)

    def _is(self, mask_id: UUID) -> ColumnElement[bool]:
        return (mockup_masks.c.user_id == self.user_id) & (mockup_masks.c.id == mask_id)


def _columns(given: MaskInput) -> dict[str, Any]:
    # The editor sends the same polygons as points; other clients may leave them out.
    return given.model_dump(include=set(MaskInput.model_fields)) | {
        "points": given.points if given.points is not None else given.masks
    }


def _missing(mask_id: UUID) -> Missing:
    return Missing(f"There is no mask {mask_id}.")
