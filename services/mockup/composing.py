"""A photograph with its template: the layers that it names are opened, checked and laid in their places."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from services.mockup.faults import NotRenderable
from services.mockup.framing import cut, framed
from services.mockup.layers import Dye
from services.mockup.light import Pixels
from services.mockup.pictures import layer
from services.mockup.rendering import PreparedBackground, prepare
from services.mockup.template import Garment, Template
from shared.contracts import Mask

Read = Callable[[str], bytes]
"""The bytes of a picture by the name that the template has for it; NotRenderable if there is none."""

GREY = np.array([77, 150, 29], np.uint16)  # of 256: how bright red, green and blue are to the eye


def composed(
    photo: Pixels, template: Template, read: Read, masks: Sequence[Mask] = (), mark: Pixels | None = None
) -> PreparedBackground:
    """Prepare a photograph (H, W, 3) as its template says; masks of the web editor are drawn after its areas.

    Raises:
        NotRenderable: an area or a layer can't be used.
    """
    size = (photo.shape[1], photo.shape[0])
    frame = framed(size, template)
    front = None if template.foreground is None else cut(_front(read, template.foreground), frame, size)
    dye = None if template.garment is None else _dye(template.garment, read)
    if dye is not None:
        dye = replace(dye, mask=cut(dye.mask, frame, size))
    marking = template.watermark
    if mark is None and marking and marking.picture:
        mark = _opened("the watermark", read, marking.picture)
    origin = (frame.left, frame.top)
    return prepare(photo[frame.slices], (*template.areas, *masks), mark, front, dye, marking, origin)


def _front(read: Read, name: str) -> Pixels:
    picture = _opened("the foreground", read, name)
    if (picture[..., 3] == 255).all():
        raise NotRenderable(
            "the foreground has no transparent part, so it would hide the whole photograph; export it anew"
        )
    return picture


def _dye(garment: Garment, read: Read) -> Dye | None:
    if garment.colour is None:
        return None
    picture = _opened("the garment's mask", read, garment.mask)
    alpha = picture[..., 3]
    mask = alpha if (alpha < 255).any() else (picture[..., :3] @ GREY >> 8).astype(np.uint8)
    return Dye(mask, garment.colours[garment.colour])


def _opened(what: str, read: Read, name: str) -> Pixels:
    try:
        return layer(read(name))
    except NotRenderable as error:
        raise NotRenderable(f"{what} can't be used: {error}") from error
