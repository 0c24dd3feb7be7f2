"""A template's folder into the catalog: checked as a whole, its pictures kept, then one transaction."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, select

from services.ingest.catalog.errors import Unusable
from services.ingest.catalog.mockup_templates import BoundTemplate, MockupTemplates, bound
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.pictures import Picture, Pictures
from services.ingest.catalog.users import Users
from services.ingest.lane_choice import loose_lane
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.tables import mockup_images, mockups
from services.mockup.authoring.folder import MOST_PICTURE_BYTES, Folder
from services.mockup.authoring.linting import lint
from services.mockup.faults import Mistaken, NotRenderable
from services.mockup.template import Template
from services.ops.mockup_names import group_named, photograph_named
from services.ops.place import database, of_kind
from services.ops.settings import Settings
from shared.blobs import Blobs
from shared.database import transaction

MOST_PIXELS = 60_000_000


def imported(
    path: Path,
    group: str | None,
    image: str | None,
    colours: Sequence[str | None],
    proportions: str | None,
    data: Path,
) -> list[UUID]:
    """The photographs that have the template now: a new one of the group for each colour, or the one named.

    Raises:
        NotRenderable, Unusable: nothing was imported.
    """
    folder, found = Folder(path), lint(Folder(path))
    if found.errors:
        raise Mistaken(tuple(found.errors))
    here = of_kind(Settings, data)
    keep = Pictures(Blobs(here.blob_dir), max_bytes=MOST_PICTURE_BYTES, max_pixels=MOST_PIXELS)
    given = folder.template().in_proportions(proportions)
    templates = [given.in_colour(colour) for colour in colours]
    lane = loose_lane(embedded=here.embedded)
    with database(data) as engine:
        with transaction(engine) as connection:  # before anything is kept
            where = group_named(connection, group) if group is not None else photograph_named(connection, image or "")
        layers = [_kept(folder, name, keep) for name in templates[0].layers]
        ready = [bound(_written(given), layers, keep.blobs) for given in templates]
        photo = _kept(folder, given.photograph, keep)
        with transaction(engine) as connection:
            if group is None:
                return [_put(connection, where, ready[0], photo)]
            return _added(connection, where, ready, photo, lane)


def _written(given: Template) -> bytes:
    return given.model_dump_json(exclude_defaults=True).encode()


def _kept(folder: Folder, name: str, keep: Pictures) -> Picture:
    with (folder.path / name).open("rb") as file:
        return keep.keep(name, file, keep.check(name, file))


def _put(connection: Connection, image: UUID, template: BoundTemplate, photograph: Picture) -> UUID:
    row = connection.execute(select(mockup_images).where(mockup_images.c.id == image)).one()
    if (row.width, row.height) != (photograph.width, photograph.height):
        raise NotRenderable(
            f"the photograph {image} has {row.width} x {row.height} pixels and the template's "
            f"{photograph.width} x {photograph.height}; its coordinates would not fit"
        )
    MockupTemplates(connection, row.user_id).put(row.id, template)
    return UUID(str(row.id))


def _added(
    connection: Connection, group: UUID, templates: Sequence[BoundTemplate], photograph: Picture, lane: str
) -> list[UUID]:
    owner = connection.execute(select(mockups.c.user_id).where(mockups.c.id == group)).scalar_one()
    user = Users(connection).active(owner)
    if user is None:
        raise Unusable("the account of this mockup group is not in use any more; nothing was imported")
    images, owed = Mockups(connection, user, "").add_photographs(group, [photograph] * len(templates), None)
    for image, template in zip(images, templates, strict=True):
        MockupTemplates(connection, user.id).put(image.id, template)
    for file in owed:
        owe(connection, lane, file)
    return [image.id for image in images]
