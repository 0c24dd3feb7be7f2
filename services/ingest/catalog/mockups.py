"""Mockup groups of one user: the photographs on which the designs of a product template are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from services.ingest.catalog.errors import Missing
from services.ingest.catalog.mockup_records import Mockup, MockupChanges, MockupImage, MockupInput
from services.ingest.catalog.photographs import Photographs
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User
from services.ingest.tables import mockups
from shared.contracts import StoreFile


@dataclass(frozen=True)
class Mockups:
    """Another user's groups do not exist here. `nas_base` is where the shop folders are, for paths that are shown."""

    connection: Connection
    user: User
    nas_base: str

    @property
    def photographs(self) -> Photographs:
        """The photographs of the same user."""
        return Photographs(self.connection, self.user, self.nas_base)

    def page(self, skip: int, limit: int) -> tuple[list[Mockup], int]:
        """Groups with their photographs and masks, oldest first, and how many there are in all."""
        mine = select(mockups).where(mockups.c.user_id == self.user.id).order_by(mockups.c.created_at, mockups.c.id)
        rows = self.connection.execute(mine.offset(skip).limit(limit)).mappings().all()
        counted = select(func.count()).select_from(mockups).where(mockups.c.user_id == self.user.id)
        return self._records(rows), self.connection.execute(counted).scalar_one()

    def get(self, mockup_id: UUID) -> Mockup:
        """One group, or Missing."""
        row = self.connection.execute(select(mockups).where(self._is(mockup_id))).mappings().one_or_none()
        if row is None:
            raise _missing(mockup_id)
        return self._records([row])[0]

    def add(self, given: MockupInput) -> Mockup:
        """A new group without photographs; Missing if there is no such template."""
        Templates(self.connection, self.user.id).get(given.product_template_id)
        new = insert(mockups).values(id=uuid4(), user_id=self.user.id, **given.model_dump())
        return self._records(self.connection.execute(new.returning(mockups)).mappings().all())[0]

    def change(self, mockup_id: UUID, given: MockupChanges) -> Mockup:
        """Change what was sent, leave the rest, or Missing."""
        changes = given.model_dump(exclude_none=True)
        changed = update(mockups).where(self._is(mockup_id)).values(**changes, updated_at=func.now())
        if not self.connection.execute(changed).rowcount:
            raise _missing(mockup_id)
        return self.get(mockup_id)

    def remove(self, mockup_id: UUID) -> None:
        """Remove a group with its photographs and masks, or Missing. The files stay on the NAS."""
        if not self.connection.execute(delete(mockups).where(self._is(mockup_id))).rowcount:
            raise _missing(mockup_id)

    def add_photographs(
        self, mockup_id: UUID, pictures: Sequence[Picture], watermark: Picture | None
    ) -> tuple[list[MockupImage], list[StoreFile]]:
        """Photographs in the order given, and the files that storage must copy to the NAS; or Missing."""
        # Taking the numbers locks the group, so that two uploads at once don't get the same ones.
        taken = update(mockups).where(self._is(mockup_id)).values(next_image=mockups.c.next_image + len(pictures))
        group = self.connection.execute(taken.returning(mockups)).one_or_none()
        if group is None:
            raise _missing(mockup_id)
        template = Templates(self.connection, self.user.id).get(group.product_template_id)
        first = group.next_image - len(pictures)
        return self.photographs.add(mockup_id, template.name, first, pictures, watermark)

    def mark(self, mockup_id: UUID, watermark: Picture) -> tuple[Mockup, list[StoreFile]]:
        """Give all photographs of a group this watermark, or Missing."""
        # locked, as `add_photographs` does: one that comes meanwhile would keep the watermark from before
        if not self.connection.execute(select(mockups.c.id).where(self._is(mockup_id)).with_for_update()).first():
            raise _missing(mockup_id)
        files = self.photographs.mark_group(mockup_id, watermark)
        return self.get(mockup_id), files

    def _records(self, groups: Sequence[RowMapping]) -> list[Mockup]:
        images = self.photographs.of_groups([group["id"] for group in groups])
        return [
            Mockup(**group, mockup_images=[image for image in images if image.mockups_id == group["id"]])
            for group in groups
        ]

    def _is(self, mockup_id: UUID) -> ColumnElement[bool]:
        return (mockups.c.user_id == self.user.id) & (mockups.c.id == mockup_id)


def _missing(mockup_id: UUID) -> Missing:
    return Missing(f"There is no mockup {mockup_id}.")
