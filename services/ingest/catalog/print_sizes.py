"""Canvases and sizes of one user: what the designs of a product template are printed on, and how large."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from services.ingest.catalog.errors import Missing
from services.ingest.catalog.records import Canvas, CanvasInput, Size, SizeInput
from services.ingest.catalog.templates import Templates
from services.ingest.tables import canvas_configs, size_configs


@dataclass(frozen=True)
class Canvases:
    """Another user's canvases do not exist here; nor does a canvas under another template than its own."""

    connection: Connection
    user_id: UUID

    def all(self) -> list[Canvas]:
        """Every canvas, oldest first, inactive ones too."""
        mine = select(canvas_configs).where(canvas_configs.c.user_id == self.user_id)
        rows = self.connection.execute(mine.order_by(canvas_configs.c.created_at, canvas_configs.c.id))
        return [Canvas.model_validate(row) for row in rows.mappings()]

    def get(self, template_id: UUID, canvas_id: UUID) -> Canvas:
        """One canvas, or Missing."""
        found = self.connection.execute(select(canvas_configs).where(self._is(template_id, canvas_id)))
        row = found.mappings().one_or_none()
        if row is None:
            raise _no_canvas(canvas_id)
        return Canvas.model_validate(row)

    def add(self, template_id: UUID, given: CanvasInput) -> Canvas:
        """A new canvas; Missing if there is no such template."""
        Templates(self.connection, self.user_id).get(template_id)
        new = insert(canvas_configs).values(
            id=uuid4(), user_id=self.user_id, product_template_id=template_id, **given.model_dump()
        )
        return Canvas.model_validate(self.connection.execute(new.returning(canvas_configs)).mappings().one())

    def change(self, template_id: UUID, canvas_id: UUID, given: CanvasInput) -> Canvas:
        """Change what was sent, leave the rest, or Missing."""
        changes = given.model_dump(exclude_unset=True) | {"updated_at": func.now()}
        changed = update(canvas_configs).where(self._is(template_id, canvas_id)).values(changes)
        row = self.connection.execute(changed.returning(canvas_configs)).mappings().one_or_none()
        if row is None:
            raise _no_canvas(canvas_id)
        return Canvas.model_validate(row)

    def remove(self, template_id: UUID, canvas_id: UUID) -> None:
        """Remove a canvas and its sizes, or Missing."""
        if not self.connection.execute(delete(canvas_configs).where(self._is(template_id, canvas_id))).rowcount:
            raise _no_canvas(canvas_id)

    def _is(self, template_id: UUID, canvas_id: UUID) -> ColumnElement[bool]:
        table = canvas_configs.c
        return (table.user_id == self.user_id) & (table.product_template_id == template_id) & (table.id == canvas_id)


@dataclass(frozen=True)
class Sizes:
    """As `Canvases`. A removed size stays as an inactive one, since designs were printed in it."""

    connection: Connection
    user_id: UUID

    def all(self, *, removed: bool = False) -> list[Size]:
        """Every size, oldest first; `removed` ones only when asked for."""
        mine = select(size_configs).where(size_configs.c.user_id == self.user_id)
        if not removed:
            mine = mine.where(size_configs.c.is_active)
        rows = self.connection.execute(mine.order_by(size_configs.c.created_at, size_configs.c.id))
        return [Size.model_validate(row) for row in rows.mappings()]

    def get(self, template_id: UUID, canvas_id: UUID, size_id: UUID) -> Size:
        """One size, or Missing."""
        found = self.connection.execute(select(size_configs).where(self._is(template_id, canvas_id, size_id)))
        row = found.mappings().one_or_none()
        if row is None:
            raise _no_size(size_id)
        return Size.model_validate(row)

    def add(self, template_id: UUID, canvas_id: UUID, given: SizeInput) -> Size:
        """A new size; Missing if there is no such template or canvas."""
        Canvases(self.connection, self.user_id).get(template_id, canvas_id)
        values = given.model_dump(exclude_none=True)
        new = insert(size_configs).values(
            id=uuid4(), user_id=self.user_id, product_template_id=template_id, canvas_id=canvas_id, **values
        )
        return Size.model_validate(self.connection.execute(new.returning(size_configs)).mappings().one())

    def change(self, template_id: UUID, canvas_id: UUID, size_id: UUID, given: SizeInput) -> Size:
        """Change what was sent, leave the rest, or Missing."""
        changes = given.model_dump(exclude_unset=True) | {"updated_at": func.now()}
        if given.is_active is None:
            changes.pop("is_active", None)
        changed = update(size_configs).where(self._is(template_id, canvas_id, size_id)).values(changes)
        row = self.connection.execute(changed.returning(size_configs)).mappings().one_or_none()
        if row is None:
            raise _no_size(size_id)
        return Size.model_validate(row)

    def remove(self, template_id: UUID, canvas_id: UUID, size_id: UUID) -> None:
        """Take a size out of use, or Missing."""
        away = update(size_configs).where(self._is(template_id, canvas_id, size_id), size_configs.c.is_active)
        if not self.connection.execute(away.values(is_active=False, updated_at=func.now())).rowcount:
            raise _no_size(size_id)

    def _is(self, template_id: UUID, canvas_id: UUID, size_id: UUID) -> ColumnElement[bool]:
        table = size_configs.c
        in_canvas = (table.product_template_id == template_id) & (table.canvas_id == canvas_id)
        return (table.user_id == self.user_id) & in_canvas & (table.id == size_id)


def _no_canvas(canvas_id: UUID) -> Missing:
    return Missing(f"There is no canvas {canvas_id} under this product template.")


def _no_size(size_id: UUID) -> Missing:
    return Missing(f"There is no size {size_id} under this product template and canvas.")
