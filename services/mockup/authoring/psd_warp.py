"""The warp of a Photoshop smart object, a Bezier surface over its contents, as the points of a mesh."""

from typing import Any

import numpy as np

from services.mockup.faults import NotRenderable
from services.mockup.shapes import Points, flat, projected

PLAIN_WARP, CUSTOM_WARP = b"warpNone", b"warpCustom"
ORDER = 4  # control points of a patch, each way
STEPS = 6  # of the mesh, each way
BINOMIAL = (1, 3, 3, 1)
SIDES = (b"Left", b"Top ", b"Rght", b"Btom")


def style_of(smart: Any) -> bytes:  # noqa: ANN401 - psd-tools is an extra, its types may not be there
    """Which of Photoshop's warps it has. A custom one that can't be read (a split one) counts as another."""
    style = bytes(getattr(_warp(smart).get(b"warpStyle"), "enum", PLAIN_WARP))
    if style == CUSTOM_WARP and _control(smart) is None:
        return b"warpSplit"
    return style


def meshed(smart: Any, corners: list[tuple[float, float]]) -> dict[str, Any] | None:  # noqa: ANN401
    """The mesh that its warp bends it to; `corners` is where its contents would lie without. None if it has none."""
    if style_of(smart) != CUSTOM_WARP:
        return None
    control = _control(smart)
    if control is None:
        return None
    at = np.linspace(0, 1, STEPS + 1)
    weights = np.stack([part * at**k * (1 - at) ** (ORDER - 1 - k) for k, part in enumerate(BINOMIAL)], axis=1)
    surface = np.einsum("ri,cj,ijk->rck", weights, weights, control)
    try:
        seen = projected(flat(np.array(corners)).to_photo, surface)
    except NotRenderable:  # turned inside out; its upright box is taken, and said to be
        return None
    return {"kind": "mesh", "rows": seen.round(2).tolist()}


def _warp(smart: Any) -> Any:  # noqa: ANN401
    """The newer record of a placed layer has it, or the older one."""
    config = getattr(smart, "_config", None)
    newer = None if config is None else config.data.get(b"warp")
    if hasattr(newer, "get"):
        return newer
    older = getattr(getattr(smart, "_placed_layer", None), "warp", None)
    return older if hasattr(older, "get") else {}


def _control(smart: Any) -> Points | None:  # noqa: ANN401
    """The control points (4, 4, 2) of a single patch, in shares of the contents."""
    warp = _warp(smart)
    envelope, bounds = warp.get(b"customEnvelopeWarp"), warp.get(b"bounds")
    if not hasattr(envelope, "get") or not hasattr(bounds, "get"):
        return None
    mesh = envelope.get(b"meshPoints")
    x, y = (getattr(mesh.get(axis), "values", None) for axis in (b"Hrzn", b"Vrtc")) if hasattr(mesh, "get") else (0, 0)
    sides = [getattr(bounds.get(side), "value", None) for side in SIDES]
    if None in sides or not _is_patch(x) or not _is_patch(y):
        return None
    left, top, right, bottom = np.array(sides, np.float64)
    points = np.stack([np.array(x, np.float64), np.array(y, np.float64)], axis=-1).reshape(ORDER, ORDER, 2)
    size = np.array([right - left, bottom - top])
    return (points - (left, top)) / size if (size > 0).all() else None


def _is_patch(values: object) -> bool:
    return isinstance(values, list | tuple) and len(values) == ORDER * ORDER
