"""Where a mockup comes from: what is written in its file, looked up among the designs and photographs of now."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from services.ingest.catalog.choices import photograph
from services.ingest.sessions.tables import items
from services.ingest.tables import mockup_images, mockups
from services.mockup.provenance import RENDERING, Origin, origin_of
from shared.contracts import Blob

PARTS = {"template": "template", "masks": "masks of the editor", "watermark": "watermark"}


def described(origin: Origin, connection: Connection) -> Iterator[str]:
    """Line by line: the design, each photograph that it may be of, and what of that is another today."""
    designs = connection.execute(select(items).where(items.c.print_sha256 == origin.design)).all()
    for design in designs:
        yield f"design: {design.name}, number {design.number} (uploaded as {design.filename}, id {design.id})"
    if not designs:
        yield f"design: none that is known here (SHA-256 {origin.design})"
    here = (
        select(mockup_images.c.id, mockup_images.c.filename, mockups.c.name)
        .join(mockups, mockups.c.id == mockup_images.c.mockups_id)
        .where(mockup_images.c.sha256 == origin.photograph)
        .order_by(mockups.c.name, mockup_images.c.position)
    )
    photographs = connection.execute(here).all()
    for row in photographs:
        now = origin_of(Blob(sha256=origin.design, size=0), photograph(connection, row.id))
        changed = [words for part, words in PARTS.items() if getattr(now, part) != getattr(origin, part)]
        since = f"another {', '.join(changed)} today" if changed else "a picture made today has the same parts"
        yield f"photograph: {row.filename} of the mockup {row.name!r} (id {row.id}): {since}"
    if not photographs:
        yield f"photograph: none that is known here (SHA-256 {origin.photograph})"
    if origin.presswork_picture != RENDERING:
        yield f"drawn by rendering {origin.presswork_picture}; this version has {RENDERING}, so it may look otherwise"
