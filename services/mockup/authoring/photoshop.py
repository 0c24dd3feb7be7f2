"""From a Photoshop mockup to a template's folder: its smart objects are the places where designs go.

`psd-tools` reads the file and draws what is not a design. It can't fill a smart object anew; that is our own work.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from services.mockup.authoring.folder import Folder
from services.mockup.authoring.psd_warp import CUSTOM_WARP, PLAIN_WARP, meshed, style_of
from services.mockup.faults import NotRenderable
from services.mockup.pictures import MAX_PHOTO_PIXELS
from services.mockup.template import FILE_NAME, Template

PHOTOGRAPH, FOREGROUND = "photo.png", "foreground.png"
DARKENING = {"multiply", "darken", "linear_burn", "color_burn"}
LIGHTENING = {"screen", "lighten", "linear_dodge", "color_dodge"}
UPRIGHT_PIXELS = 0.5


@dataclass(frozen=True)
class Imported:
    """What was made of a file, and what of it could not be taken over."""

    template: Template
    remarks: tuple[str, ...]


def imported(file: Path, folder: Path, slots: Sequence[str] = ()) -> Imported:
    """Make a template's folder of a PSD or PSB. `slots` are the names of the layers that designs replace.

    Raises:
        NotRenderable: nothing was written.
    """
    for name in (FILE_NAME, PHOTOGRAPH, FOREGROUND):
        if (folder / name).exists():
            raise NotRenderable(f"{folder / name} is there already and would be lost; name a new folder")
    document = _opened(file)
    layers = [layer for layer in document.descendants() if layer.is_visible()]
    chosen = _slots(layers, slots, file.name)
    places = [layers.index(slot) for slot in chosen]
    above = [layer for layer in layers[max(places) + 1 :] if not layer.is_group()]
    front = [layer for layer in above if _mode(layer) == "normal"]
    photo = _drawn(document, [layer for layer in layers if layer not in chosen and layer not in front])
    given = Template.model_validate(
        {
            "presswork_mockup": 1,
            "name": file.stem[:100] or "mockup",
            "photograph": PHOTOGRAPH,
            "areas": [_area(slot, above) for slot in chosen],
            "foreground": FOREGROUND if front else None,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    if front:
        _drawn(document, front).save(folder / FOREGROUND)
    photo.save(folder / PHOTOGRAPH)
    Folder(folder).write(given)
    return Imported(given, tuple(words for slot in chosen for words in _lost(slot)))


def _opened(file: Path) -> Any:  # noqa: ANN401 - psd-tools is an extra, its types may not be there
    try:
        from psd_tools import PSDImage  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise NotRenderable(
            "reading Photoshop files needs psd-tools; install it: pip install 'presswork[psd]'"
        ) from error
    try:
        document = PSDImage.open(file)
    except (OSError, ValueError, AssertionError, EOFError) as error:
        raise NotRenderable(f"{file.name} can't be read as a Photoshop file: {error}") from error
    if document.width * document.height > MAX_PHOTO_PIXELS:
        raise NotRenderable(
            f"{file.name} has more than {MAX_PHOTO_PIXELS // 1_000_000} million pixels; make it smaller"
        )
    return document


def _slots(layers: list[Any], names: Sequence[str], file: str) -> list[Any]:
    """The smart objects, but for one that is the background of all others."""
    smart = [layer for layer in layers if layer.kind == "smartobject"]
    if names:
        found = [layer for layer in smart if layer.name in names]
    else:
        found = [layer for layer in smart if layer is not layers[0]]
    if not found:
        there = ", ".join(repr(layer.name) for layer in smart) or "none"
        raise NotRenderable(
            f"{file} has no visible smart object for a design; name one with --slot (there are: {there})"
        )
    return found


def _drawn(document: Any, layers: list[Any]) -> Image.Image:  # noqa: ANN401
    shown = {id(layer) for layer in layers}
    try:
        picture = document.composite(
            layer_filter=lambda layer: layer.is_visible() and (layer.is_group() or id(layer) in shown),
            ignore_preview=True,
        )
    except ImportError as error:
        words = f"a layer has effects that psd-tools can't draw ({error}); merge it with the one below in Photoshop"
        raise NotRenderable(words) from error
    return picture.convert("RGBA")  # type: ignore[no-any-return]


def _area(layer: Any, above: list[Any]) -> dict[str, Any]:  # noqa: ANN401
    points = [float(value) for value in layer.smart_object.transform_box or ()]
    if len(points) != 8 or not all(math.isfinite(value) for value in points):
        left, top, right, bottom = layer.bbox
        points = [left, top, right, top, right, bottom, left, bottom]
    corners = [(round(x, 2), round(y, 2)) for x, y in zip(points[::2], points[1::2], strict=True)]
    modes = {_mode(other) for other in above}
    area: dict[str, Any] = {
        "name": layer.name.strip("\x00 ")[:100] or "design",
        "shape": meshed(layer.smart_object, corners) or _shape(corners),
        "blend": "multiply" if _mode(layer) in DARKENING else "normal",
        "opacity": round(layer.opacity / 255, 3),
    }
    if area["blend"] == "normal" and modes & DARKENING:
        area["shading"] = 0.8
    if modes & LIGHTENING:
        area["highlights"] = 0.5
    return area


def _shape(corners: list[tuple[float, float]]) -> dict[str, Any]:
    (left, top), top_right, (right, bottom), bottom_left = corners
    upright = [(right, top), (left, bottom)]
    off = max(math.dist(one, other) for one, other in zip(upright, (top_right, bottom_left), strict=True))
    if off < UPRIGHT_PIXELS and left < right and top < bottom:
        return {"kind": "rectangle", "box": (left, top, right, bottom)}
    return {"kind": "quad", "corners": corners}


def _mode(layer: Any) -> str:  # noqa: ANN401
    return str(layer.blend_mode.name).lower()


def _lost(layer: Any) -> list[str]:  # noqa: ANN401
    """What of a smart object the template does not have."""
    said = []
    style = style_of(layer.smart_object)
    if style == CUSTOM_WARP:
        said.append(f"{layer.name}: its warp became a mesh of points; look whether it lies as in Photoshop")
    elif style != PLAIN_WARP:
        said.append(f"{layer.name}: it is warped, which is not taken over; a mug needs the shape 'cylinder'")
    if layer.has_effects():
        said.append(f"{layer.name}: its layer style is not taken over")
    if _is_cut(layer.mask):
        said.append(f"{layer.name}: its layer mask is not taken over; cut it as a foreground")
    return said


def _is_cut(mask: Any) -> bool:  # noqa: ANN401
    if mask is None or mask.disabled:
        return False
    picture = mask.topil()
    return picture is not None and picture.getextrema()[0] < 255
