"""The photographs of one user's mockup groups: numbered files on the NAS, each with a watermark and masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.ingest.catalog.errors import Missing
from services.ingest.catalog.masks import Masks
from services.ingest.catalog.mockup_records import MaskRow, MockupImage
from services.ingest.catalog.picture_names import extension, safe_file_name
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.users import User
from services.ingest.tables import mockup_images, watermarks
from shared.contracts import StoreFile
from shared.nas.names import collision_key, safe_folder_name

BASE_FOLDER = "Mockups/BaseMockups"
WATERMARK_FOLDER = f"{BASE_FOLDER}/Watermarks"


@dataclass(frozen=True)
class Photographs:
    """Another user's do not exist here. `nas_base` is where the shop folders are, for paths that are shown."""

    connection: Connection
    user: User
    nas_base: str

    def of_groups(self, mockup_ids: Sequence[UUID]) -> list[MockupImage]:
        """The photographs of these groups with their masks, in order."""
        mine = select(mockup_images).where(
            mockup_images.c.user_id == self.user.id, mockup_images.c.mockups_id.in_(mockup_ids)
        )
        rows = self.connection.execute(mine.order_by(mockup_images.c.position)).mappings().all()
        masks = Masks(self.connection, self.user.id).of_images([row["id"] for row in rows])
        return [self._record(row, masks) for row in rows]

    def get(self, image_id: UUID) -> MockupImage:
        """One photograph, or Missing."""
        row = self.connection.execute(select(mockup_images).where(self._is(image_id))).mappings().one_or_none()
        if row is None:
            raise _missing(image_id)
        return self._record(row, Masks(self.connection, self.user.id).of_images([image_id]))

    def add(
        self, mockup_id: UUID, template_name: str, first: int, pictures: Sequence[Picture], watermark: Picture | None
    ) -> tuple[list[MockupImage], list[StoreFile]]:
        """Photographs numbered from `first`, in the order given, and the files that storage must copy to the NAS.

        Without a watermark they get the one that the group's first photograph has.
        """
        folder = f"{BASE_FOLDER}/{safe_folder_name(template_name)}"
        mark, files = self.keep_watermark(watermark) if watermark else (self._mark_of(mockup_id), [])
        images = []
        for number, picture in enumerate(pictures, first):
            name = f"mockup_{mockup_id}_{number}.{extension(picture.format)}"
            new = insert(mockup_images).values(
                id=uuid4(),
                user_id=self.user.id,
                mockups_id=mockup_id,
                position=number,
                filename=name,
                path=f"{folder}/{name}",
                image_type=template_name,
                sha256=picture.blob.sha256,
                size=picture.blob.size,
                width=picture.width,
                height=picture.height,
                **mark,
            )
            images.append(self._record(self.connection.execute(new.returning(mockup_images)).mappings().one(), ()))
            files.append(self._file(f"{folder}/{name}", picture))
        return images, files

    def mark_group(self, mockup_id: UUID, watermark: Picture) -> list[StoreFile]:
        """Give all photographs of a group this watermark."""
        mark, files = self.keep_watermark(watermark)
        of_group = (mockup_images.c.user_id == self.user.id) & (mockup_images.c.mockups_id == mockup_id)
        self.connection.execute(update(mockup_images).where(of_group).values(**mark, updated_at=func.now()))
        return files

    def mark(self, image_id: UUID, watermark: Picture) -> tuple[MockupImage, list[StoreFile]]:
        """Give one photograph this watermark, or Missing."""
        mark, files = self.keep_watermark(watermark)
        return self._change(image_id, mark), files

    def unmark(self, image_id: UUID) -> MockupImage:
        """Take a photograph's watermark away, or Missing."""
        return self._change(image_id, {"watermark_path": None, "watermark_sha256": None, "watermark_size": None})

    def relabel(self, image_id: UUID, image_type: str | None) -> MockupImage:
        """Change the kind of product that a photograph shows, or Missing."""
        return self._change(image_id, {"image_type": image_type})

    def remove(self, image_id: UUID) -> None:
        """Remove a photograph and its masks, or Missing. The file stays on the NAS."""
        if not self.connection.execute(delete(mockup_images).where(self._is(image_id))).rowcount:
            raise _missing(image_id)

    def _record(self, row: RowMapping, masks: Sequence[MaskRow]) -> MockupImage:
        shop = f"{self.nas_base}/{self.user.shop_folder}"
        mark = row["watermark_path"]
        shown = {"file_path": f"{shop}/{row['path']}", "watermark_path": f"{shop}/{mark}" if mark else None}
        own = [mask for mask in masks if mask.mockup_image_id == row["id"]]
        return MockupImage.model_validate(dict(row) | shown | {"mask_data": own})

    def _change(self, image_id: UUID, values: dict[str, Any]) -> MockupImage:
        changed = update(mockup_images).where(self._is(image_id)).values(**values, updated_at=func.now())
        if not self.connection.execute(changed).rowcount:
            raise _missing(image_id)
        return self.get(image_id)

    def _mark_of(self, mockup_id: UUID) -> dict[str, Any]:
        """The watermark columns of a group's first photograph."""
        columns = (mockup_images.c.watermark_path, mockup_images.c.watermark_sha256, mockup_images.c.watermark_size)
        of_group = (mockup_images.c.user_id == self.user.id) & (mockup_images.c.mockups_id == mockup_id)
        first = select(*columns).where(of_group).order_by(mockup_images.c.position).limit(1)
        row = self.connection.execute(first).mappings().one_or_none()
        return dict(row) if row else {}

    def keep_watermark(self, picture: Picture) -> tuple[dict[str, Any], list[StoreFile]]:
        """A watermark's columns and file. If its name was given to another one before, it gets a name of its own."""
        name = safe_file_name(picture.filename, picture.format)
        path, sha256 = f"{WATERMARK_FOLDER}/{name}", picture.blob.sha256
        key = {"user_id": self.user.id, "path_key": collision_key(path)}
        self.connection.execute(upsert(watermarks).values(**key, sha256=sha256).on_conflict_do_nothing())
        known = select(watermarks.c.sha256).filter_by(**key)
        if self.connection.execute(known).scalar_one() != sha256:
            stem, _, ending = name.rpartition(".")
            path = f"{WATERMARK_FOLDER}/{stem}-{sha256[:12]}.{ending}"
        columns = {"watermark_path": path, "watermark_sha256": sha256, "watermark_size": picture.blob.size}
        return columns, [self._file(path, picture)]

    def _file(self, path: str, picture: Picture) -> StoreFile:
        return StoreFile(tenant_id=self.user.id, shop=self.user.shop_folder, path=path, content=picture.blob)

    def _is(self, image_id: UUID) -> ColumnElement[bool]:
        return (mockup_images.c.user_id == self.user.id) & (mockup_images.c.id == image_id)


def _missing(image_id: UUID) -> Missing:
    return Missing(f"There is no mockup image {image_id}.")
