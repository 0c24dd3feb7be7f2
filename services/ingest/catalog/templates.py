"""Product templates of one user."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from services.ingest.catalog.errors import InUse, Missing
from services.ingest.catalog.records import Template, TemplateInput
from services.ingest.tables import mockups, product_templates


@dataclass(frozen=True)
class Templates:
    """Another user's templates do not exist here."""

    connection: Connection
    user_id: UUID

    def all(self) -> list[Template]:
        """Every template, oldest first."""
        rows = self.connection.execute(
            select(product_templates)
            .where(product_templates.c.user_id == self.user_id)
            .order_by(product_templates.c.created_at, product_templates.c.id)
        )
        return [_template(row) for row in rows.mappings()]

    def get(self, template_id: UUID) -> Template:
        """One template, or Missing."""
        mine = select(product_templates).where(self._is(template_id))
        row = self.connection.execute(mine).mappings().one_or_none()
        if row is None:
            raise _missing(template_id)
        return _template(row)

    def add(self, given: TemplateInput) -> Template:
        """A new template."""
        new = insert(product_templates).values(id=uuid4(), user_id=self.user_id, **given.model_dump())
        return _template(self.connection.execute(new.returning(product_templates)).mappings().one())

    def change(self, template_id: UUID, given: TemplateInput) -> Template:
        """Change what was sent, leave the rest, or Missing."""
        changes = given.model_dump(exclude_unset=True)
        changed = update(product_templates).where(self._is(template_id)).values(**changes, updated_at=func.now())
        row = self.connection.execute(changed.returning(product_templates)).mappings().one_or_none()
        if row is None:
            raise _missing(template_id)
        return _template(row)

    def remove(self, template_id: UUID) -> None:
        """Remove a template with its canvases and sizes, or Missing; InUse while mockup groups show it."""
        template = self.get(template_id)
        of_template = (mockups.c.user_id == self.user_id) & (mockups.c.product_template_id == template_id)
        groups = self.connection.execute(select(mockups.c.name).where(of_template)).scalars().all()
        if groups:
            named = ", ".join(f"'{name}'" for name in groups[:5])
            raise InUse(f"The template '{template.name}' has mockups ({named}); delete those first.")
        self.connection.execute(delete(product_templates).where(self._is(template_id)))

    def _is(self, template_id: UUID) -> ColumnElement[bool]:
        return (product_templates.c.user_id == self.user_id) & (product_templates.c.id == template_id)


def _missing(template_id: UUID) -> Missing:
    return Missing(f"There is no product template {template_id}.")


def _template(row: RowMapping) -> Template:
    return Template.model_validate(row)
