"""A blob store in a temporary folder, and requests for the pictures of one design."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from services.mockup.backgrounds import BackgroundCache
from shared.blobs import Blobs
from shared.contracts import Background, Blob, ListingTemplate, Mask, MockupsRequested
from tests.images import saved

Encode = Callable[..., bytes]
BOX = ((40.0, 20.0), (160.0, 20.0), (160.0, 60.0), (40.0, 60.0))


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


@pytest.fixture
def cache() -> BackgroundCache:
    return BackgroundCache(100_000_000)


@pytest.fixture
def encoded() -> Encode:
    """A picture of one colour as a file."""

    def encode(
        colour: tuple[int, ...], size: tuple[int, int] = (200, 80), format_: str = "PNG", **options: object
    ) -> bytes:
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[len(colour)]
        return saved(Image.new(mode, size, colour if len(colour) > 1 else colour[0]), format_, **options)

    return encode


@pytest.fixture
def request_for(blobs: Blobs, encoded: Encode) -> Callable[..., MockupsRequested]:
    """A request with a red design and one grey photograph with one mask, unless said otherwise."""

    def make(**changes: Any) -> MockupsRequested:
        grey = Background(image=blobs.put(encoded((128, 128, 128))), masks=(Mask(polygon=BOX),))
        fields: dict[str, Any] = {
            "tenant_id": UUID(int=1),
            "session_id": UUID(int=2),
            "item_id": UUID(int=3),
            "index": 4,
            "generation": 1,
            "filename": "rose.png",
            "mockup_id": UUID(int=5),
            "design": blobs.put(encoded((200, 0, 0, 255), (300, 100))),
            "design_name": "UV 207 UVDTF_16oz_207.png",
            "number": 207,
            "shop": "NorthCups",
            "template": ListingTemplate(
                template_id=UUID(int=6),
                name="UVDTF 16oz",
                title="| Cup Wrap",
                description="Ready to apply",
                price=4,
                quantity=100,
                who_made="i_did",
                when_made="made_to_order",
            ),
            "backgrounds": (grey,),
        }
        return MockupsRequested(**{**fields, **changes})

    return make


@pytest.fixture
def pixels(blobs: Blobs) -> Callable[[Blob], np.ndarray[Any, np.dtype[np.uint8]]]:
    """The picture in a blob, (h, w, 3)."""
    return lambda blob: np.asarray(Image.open(io.BytesIO(blobs.get(blob))))
