"""The stored designs of one user, read from the items of upload sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, update

from services.ingest.catalog.errors import Missing
from services.ingest.catalog.fields import Instant, Text
from services.ingest.catalog.records import Record
from services.ingest.sessions.tables import items
from services.ingest.tables import canvas_configs
from shared.contracts import DesignActivityChanged


class Design(Record):
    """A design, as clients get it."""

    filename: str
    file_path: str | None
    description: str | None
    canvas_config_id: UUID | None
    size_config_id: UUID | None = None
    is_active: bool
    is_digital: bool
    id: UUID
    user_id: UUID
    created_at: Instant
    updated_at: Instant | None
    platform: str = "etsy"
    tags: tuple[str, ...] = ()
    tags_metadata: dict[str, object] | None = None


class DesignPage(Record):
    """Some of the designs, and how many there are."""

    designs: list[Design]
    total: int


class DesignChanges(Record):
    """What can be changed of a design. Its name and place are the server's."""

    description: Text | None = None
    is_active: bool | None = None
    canvas_config_id: UUID | None = None


@dataclass(frozen=True)
class DesignFile:
    """A design's file on the NAS, `path` below the shop's folder."""

    name: str
    folder: str
    path: str
    size: int
    stored_at: datetime


@dataclass(frozen=True)
class Designs:
    """Another user's designs do not exist here. `nas_base` is where the shop folders are, for paths that are shown."""

    connection: Connection
    user_id: UUID
    nas_base: str

    def page(self, skip: int, limit: int) -> tuple[list[Design], int]:
        """Active designs, newest upload first, and how many there are in all."""
        rows = self.connection.execute(self._active(select(items)).offset(skip).limit(limit))
        return [design(row, self.nas_base) for row in rows.mappings()], self._count()

    def files(self, limit: int) -> tuple[list[DesignFile], int]:
        """The files of active designs, newest upload first, and how many there are in all."""
        there = items.c.path.is_not(None)  # of an old system's design it may not be known where it lies
        rows = self.connection.execute(self._active(select(items)).where(there).limit(limit))
        return [_file(row) for row in rows.mappings()], self._count(there)

    def get(self, design_id: UUID) -> Design:
        """One active design, or Missing."""
        found = self.connection.execute(self._mine(select(items)).where(items.c.id == design_id, items.c.is_active))
        row = found.mappings().one_or_none()
        if row is None:
            raise _missing(design_id)
        return design(row, self.nas_base)

    def change(self, design_id: UUID, given: DesignChanges) -> tuple[Design, DesignActivityChanged | None]:
        """Change what was sent, leave the rest; a deleted design can be made active again. Or Missing.

        Beside the design, what the other services must hear: that it went out of use or came back, if it really did.
        """
        changes = given.model_dump(exclude_unset=True)
        if given.is_active is None:
            changes.pop("is_active", None)
        if given.canvas_config_id:
            self._require_canvas(given.canvas_config_id)
        # locked, so that two calls at a time can't both find it in use and count one change twice
        locked = self._mine(select(items)).where(items.c.id == design_id).with_for_update()
        before = self.connection.execute(locked).mappings().one_or_none()
        if before is None:
            raise _missing(design_id)
        turned = changes.get("is_active", before["is_active"]) != before["is_active"]
        if turned:
            changes["revision"] = items.c.revision + 1
        changed = update(items).where(items.c.id == design_id).values(**changes, updated_at=func.now())
        row = self.connection.execute(changed.returning(items)).mappings().one()
        return design(row, self.nas_base), _activity(row) if turned else None

    def remove(self, design_id: UUID) -> DesignActivityChanged | None:
        """Take a design out of use, or Missing. Its file stays on the NAS."""
        self.get(design_id)
        _, told = self.change(design_id, DesignChanges(is_active=False))
        return told

    def _active(self, query: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
        return self._mine(query).where(items.c.is_active).order_by(items.c.created_at.desc(), items.c.index, items.c.id)

    def _mine(self, query: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
        return query.where(items.c.user_id == self.user_id, items.c.state == "stored")

    def _count(self, *which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(items)
        mine = counted.where(items.c.user_id == self.user_id, items.c.state == "stored", items.c.is_active)
        return self.connection.execute(mine.where(*which)).scalar_one()

    def _require_canvas(self, canvas_id: UUID) -> None:
        mine = select(canvas_configs.c.id).where(canvas_configs.c.user_id == self.user_id)
        if not self.connection.execute(mine.where(canvas_configs.c.id == canvas_id)).first():
            raise Missing(f"There is no canvas {canvas_id}.")


def design(item: RowMapping | Mapping[str, Any], nas_base: str) -> Design:
    """An item as clients get it, here and in the answer to an upload. Before it is stored it has its file's name."""
    path = f"{nas_base.rstrip('/')}/{item['path']}" if item["path"] else None
    shown = {"filename": item["name"] or item["filename"], "file_path": path}
    return Design.model_validate(dict(item) | shown)


def _activity(item: RowMapping) -> DesignActivityChanged:
    return DesignActivityChanged(
        tenant_id=item["user_id"], item_id=item["id"], is_active=item["is_active"], revision=item["revision"]
    )


def _file(item: RowMapping) -> DesignFile:
    _, _, path = item["path"].partition("/")  # the first part is the shop's folder
    folder, _, _ = path.rpartition("/")
    return DesignFile(
        item["name"], folder.rpartition("/")[2], path, item["print_size"] or 0, item["updated_at"] or item["created_at"]
    )


def _missing(design_id: UUID) -> Missing:
    return Missing(f"There is no design {design_id}.")
