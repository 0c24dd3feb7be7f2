"""A mockup group's photographs, ready to draw on: fetched, decoded, prepared, and kept for the next design."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from services.mockup.composing import composed
from services.mockup.faults import NotRenderable
from services.mockup.light import Pixels
from services.mockup.pictures import layer, photograph
from services.mockup.reading import bound
from services.mockup.rendering import PreparedBackground, prepare
from shared.blobs import Blobs
from shared.contracts import Background, Blob
from shared.errors import Permanent


@dataclass(frozen=True, slots=True)
class Ready:
    """A prepared photograph and what its owner should know."""

    prepared: PreparedBackground
    warnings: tuple[str, ...]


class BackgroundCache:
    """The most recently used photographs, up to so many bytes. For several threads.

    The key is the message's `Background`: hashes of the bytes, and the masks. So an entry never goes stale.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._entries: OrderedDict[Background, Ready] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, background: Background) -> Ready | None:
        """What was kept, if it still is."""
        with self._lock:
            ready = self._entries.get(background)
            if ready is not None:
                self._entries.move_to_end(background)
            return ready

    def keep(self, background: Background, ready: Ready) -> None:
        """Keep it, at the cost of those that were not used for longest."""
        size = ready.prepared.nbytes
        with self._lock:
            if size > self.max_bytes or background in self._entries:
                return
            self._entries[background] = ready
            self.bytes += size
            while self.bytes > self.max_bytes:
                _, oldest = self._entries.popitem(last=False)
                self.bytes -= oldest.prepared.nbytes


def ready_background(background: Background, blobs: Blobs, cache: BackgroundCache) -> Ready:
    """From the cache, or fetched and prepared.

    Raises:
        NotRenderable: the photograph or one of its masks has to be mended.
    """
    found = cache.find(background)
    if found is not None:
        return found
    mark, mark_warnings = _watermark(background, blobs)
    try:
        photo, warnings = photograph(blobs.get(background.image))
        prepared = _prepared(photo, background, mark, blobs)
    except Permanent as error:
        raise NotRenderable("the server no longer has this photograph; upload it again") from error
    if not prepared.areas:
        warnings += ("it has no print area, so it shows no design",)
    ready = Ready(prepared, warnings + mark_warnings)
    if not mark_warnings:  # a lost watermark may be brought back under the same name
        cache.keep(background, ready)
    return ready


def template_fault(image: Blob, template: Blob, blobs: Blobs) -> str | None:
    """What has to be mended before a photograph can show its template, in words; None if nothing."""
    try:
        ready_background(Background(image=image, template=template), blobs, BackgroundCache(0))
    except NotRenderable as error:
        return str(error)
    return None


def _prepared(photo: Pixels, background: Background, mark: Pixels | None, blobs: Blobs) -> PreparedBackground:
    if background.template is None:
        return prepare(photo, background.masks, mark)
    found = bound(_fetched(background.template, "template", blobs))

    def read(name: str) -> bytes:
        if name not in found.pictures:
            raise NotRenderable(f"its template names {name}, which was not sent with it; import the template again")
        return _fetched(found.pictures[name], name, blobs)

    return composed(photo, found.template, read, background.masks, mark)


def _fetched(blob: Blob, what: str, blobs: Blobs) -> bytes:
    try:
        return blobs.get(blob)
    except Permanent as error:
        raise NotRenderable(f"the server no longer has its {what}; import its template again") from error


def _watermark(background: Background, blobs: Blobs) -> tuple[Pixels | None, tuple[str, ...]]:
    """A picture without its watermark is still a picture: the owner is told, and decides."""
    if background.watermark is None:
        return None, ()
    try:
        return layer(blobs.get(background.watermark)), ()
    except Permanent:
        return None, ("the server no longer has its watermark, so it was made without one; upload it again",)
    except NotRenderable as error:
        return None, (f"its watermark can't be used, so it was made without one: {error}",)
