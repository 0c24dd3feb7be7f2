"""Templates of a user's mockup photographs: kept here as they were sent, understood by the mockup service.

`docs/mockups.md` is the format. What is kept is the template, the blobs of the pictures that it names, and the blob
in which the mockup service reads both: a request for mockups carries no more than its hash.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, update

from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.fields import storable
from services.ingest.catalog.pictures import Picture
from services.ingest.tables import mockup_images
from shared.blobs import Blobs
from shared.contracts import Blob

MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class BoundTemplate:
    """A template with its pictures. `blob` holds both, as JSON."""

    template: Mapping[str, Any]
    pictures: Mapping[str, Blob]
    blob: Blob

    def row(self) -> dict[str, Any]:
        """As it is kept and shown."""
        pictures = {name: blob.model_dump() for name, blob in self.pictures.items()}
        return {"template": dict(self.template), "pictures": pictures, "blob": self.blob.model_dump()}


def bound(document: bytes, pictures: Sequence[Picture], blobs: Blobs) -> BoundTemplate:
    """Tie a template to its pictures, by their file names.

    Raises:
        Unusable: it is no JSON object, or two pictures have one name.
    """
    template = _object(document)
    named = {picture.filename: picture.blob for picture in pictures}
    if len(named) < len(pictures):
        raise Unusable("Two of the template's pictures have the same name; give each a name of its own.")
    body = {"template": template, "pictures": {name: blob.model_dump() for name, blob in sorted(named.items())}}
    blob = blobs.put(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())
    return BoundTemplate(template, named, blob)


@dataclass(frozen=True)
class MockupTemplates:
    """Another user's photographs do not exist here."""

    connection: Connection
    user_id: UUID

    def photograph(self, image_id: UUID) -> Blob:
        """The bytes of a photograph, or Missing."""
        chosen = select(mockup_images.c.sha256, mockup_images.c.size).where(self._is(image_id))
        row = self.connection.execute(chosen).one_or_none()
        if row is None:
            raise _missing(image_id)
        return Blob(sha256=row.sha256, size=row.size)

    def get(self, image_id: UUID) -> dict[str, Any]:
        """A photograph's template with its pictures, or Missing."""
        found = self.connection.execute(select(mockup_images.c.template).where(self._is(image_id))).one_or_none()
        if found is None:
            raise _missing(image_id)
        if found.template is None:
            raise Missing(f"The mockup image {image_id} has no template.")
        kept: dict[str, Any] = found.template
        return kept

    def put(self, image_id: UUID, template: BoundTemplate) -> dict[str, Any]:
        """Give a photograph this template, in place of one that it had, or Missing."""
        row = template.row()
        self._change(image_id, row)
        return row

    def remove(self, image_id: UUID) -> None:
        """Take a photograph's template away, or Missing. Masks of the editor stay."""
        self._change(image_id, None)

    def _change(self, image_id: UUID, row: dict[str, Any] | None) -> None:
        changed = update(mockup_images).where(self._is(image_id)).values(template=row, updated_at=func.now())
        if not self.connection.execute(changed).rowcount:
            raise _missing(image_id)

    def _is(self, image_id: UUID) -> ColumnElement[bool]:
        return (mockup_images.c.user_id == self.user_id) & (mockup_images.c.id == image_id)


def _object(document: bytes) -> dict[str, Any]:
    if len(document) > MOST_BYTES:
        raise Unusable(f"The template is larger than {MOST_BYTES >> 20} MB; pictures go beside it, not into it.")
    try:
        found = json.loads(document, parse_constant=_no_number)
        text = storable(json.dumps(found, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError) as error:
        raise Unusable(f"The template can't be read as JSON: {error}.") from error
    if not isinstance(found, dict) or "\\u0000" in text:
        raise Unusable("The template must be a JSON object without NUL characters; docs/mockups.md has an example.")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _missing(image_id: UUID) -> Missing:
    return Missing(f"There is no mockup image {image_id}.")
