"""What a preview shows: a picture as an upload of it would be printed, on a photograph as listings show it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from services.hasher.hashing import fingerprint
from services.hasher.preparing import opened, printed
from services.hasher.rejection import Rejected
from services.hasher.settings import Settings
from services.ingest.catalog.choices import photograph
from services.ingest.sessions.tables import items
from services.ingest.tables import mockup_images, mockups
from services.mockup.authoring.folder import Folder, drawn
from services.mockup.authoring.outlines import outlined
from services.mockup.backgrounds import BackgroundCache, ready_background
from services.mockup.faults import NotRenderable
from services.mockup.light import Pixels
from services.mockup.pictures import design
from services.mockup.rendering import PreparedBackground
from services.ops.mockup_names import photograph_named
from services.ops.mockup_print_sizes import of_product, without_product
from services.ops.place import database, of_kind, settings
from shared.blobs import Blobs
from shared.contracts import PrintSpec
from shared.database import transaction


@dataclass(frozen=True)
class Scene:
    """A photograph, ready for any design; what its print areas are called; what designs are printed as.

    `finished`: the picture that is to be shown on it is a print file already.
    """

    prepared: PreparedBackground
    names: tuple[str, ...]
    spec: PrintSpec
    remarks: tuple[str, ...] = ()
    finished: bool = False


@dataclass(frozen=True)
class Print:
    """A picture's print file, as pixels (H, W, 4), and what was done to it."""

    pixels: Pixels
    done: str
    remarks: tuple[str, ...]


def of_folder(path: Path, colour: str | None, proportions: str | None, size: str | None) -> Scene:
    """A template in a folder.

    Raises:
        NotRenderable: no mockup can be made with it.
    """
    place, spec = Folder(path), without_product(size)
    given = place.template().in_colour(colour).in_proportions(proportions)
    return Scene(place.prepared(given), tuple(area.name for area in given.areas), spec)


def of_photograph(words: str, size: str | None, content: bytes, data: Path) -> Scene:
    """A photograph as the mockup service sees it, for a picture: with masks, template and watermark.

    A name that means none or several ends the command.

    Raises:
        NotRenderable, Unusable: no mockup can be made with it, or it can't be told what is printed.
    """
    chosen = select(mockups.c.user_id, mockups.c.product_template_id).join_from(mockup_images, mockups)
    # Not by its pixels: with specks at its edge, which shrinking faded, it would be trimmed once more.
    known = select(items.c.id).where(items.c.print_sha256 == hashlib.sha256(content).hexdigest()).limit(1)
    with database(data) as engine:
        with transaction(engine) as connection:
            image_id = photograph_named(connection, words)
            group = connection.execute(chosen.where(mockup_images.c.id == image_id)).one()
            spec = of_product(connection, group.user_id, group.product_template_id, size)
            background = photograph(connection, image_id)
            finished = connection.execute(known).one_or_none() is not None
        ready = ready_background(background, Blobs(settings(data).blob_dir), BackgroundCache(0))
    return Scene(ready.prepared, (), spec, ready.warnings, finished)


def content_of(path: Path) -> bytes:
    """A picture's file; NotRenderable if it can't be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotRenderable(f"{path} can't be read: {error.strerror or error}") from error


def print_of(path: Path, content: bytes, scene: Scene, data: Path) -> Print:
    """Decode, trim and lay out a picture with the hasher's own steps, so that it becomes what a listing shows.

    Raises:
        NotRenderable: nothing could be printed of it.
    """
    if scene.finished:
        return Print(design(content), "as it is, as it is a design's print file", ())
    limits = of_kind(Settings, data).limits
    Image.MAX_IMAGE_PIXELS = limits.max_pixels  # as in a hasher
    try:
        picture, visible = opened(content, limits)
        pixels, _ = printed(picture, visible, scene.spec, limits)
    except Rejected as rejected:
        raise NotRenderable(f"{path}: {rejected.reason}") from rejected
    return Print(pixels, _done(picture.pixels, visible, scene.spec), (*picture.warnings, *_refusal(visible)))


def picture_of(scene: Scene, pixels: Pixels, *, outlines: bool) -> Pixels:
    """The finished picture, (H, W, 3), with a print on it, and the print areas drawn over it if wanted."""
    picture = drawn(scene.prepared, pixels)
    return outlined(picture, scene.prepared, scene.names) if outlines else picture


def _refusal(visible: Pixels) -> tuple[str, ...]:
    """One colour is enough to look at a photograph, and is nothing to list."""
    try:
        fingerprint(visible)
    except Rejected as rejected:
        return (f"an upload of it would be refused: {rejected.reason}",)
    return ()


def _done(whole: Pixels, visible: Pixels, spec: PrintSpec) -> str:
    high, wide = visible.shape[:2]
    trimmed = "" if visible.shape == whole.shape else f"trimmed to what is visible of it ({wide} x {high} pixels), "
    if spec.digital:
        return f"{trimmed}in its own proportions"
    width, height = spec.canvas_width_inches, spec.canvas_height_inches
    return f"{trimmed}{'stretched to' if spec.stretch else 'laid on'} {width:g} x {height:g} inches"
