"""What a finished picture was made of: hashes, as a comment in the JPEG, which no renaming or copying parts from it."""

import hashlib
import io
import json

from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from services.decoding.unreadable import UNREADABLE
from services.mockup.faults import NotRenderable
from shared.contracts import Background, Blob

RENDERING = 1  # to be raised by whoever changes what the same parts look like; it is in every picture


class Origin(BaseModel):
    """SHA-256 of each part, None where there was none. `rendering` is the version of what put them together."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    presswork_picture: int = RENDERING
    design: str
    photograph: str
    template: str | None = None
    masks: str | None = None
    watermark: str | None = None


def origin_of(design: Blob, background: Background, *, watermarked: bool = True) -> Origin:
    """What a picture of this design on this photograph is made of."""
    template, mark = background.template, background.watermark if watermarked else None
    masks = json.dumps([mask.model_dump(mode="json") for mask in background.masks], sort_keys=True)
    return Origin(
        design=design.sha256,
        photograph=background.image.sha256,
        template=template.sha256 if template else None,
        masks=hashlib.sha256(masks.encode()).hexdigest() if background.masks else None,
        watermark=mark.sha256 if mark else None,
    )


def written(origin: Origin) -> bytes:
    """For a JPEG's comment."""
    return origin.model_dump_json(exclude_none=True).encode()


def origin_in(data: bytes) -> Origin:
    """Of a picture's bytes.

    Raises:
        NotRenderable: it is no JPEG of ours, or a shop or an editor has written it anew.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            comment = picture.info.get("comment", b"")
        return Origin.model_validate_json(comment)
    except (*UNREADABLE, ValidationError) as error:
        raise NotRenderable(
            "it does not say what it was made of: it is no mockup of Presswork's, or was saved anew by a shop or an "
            "editor; take the copy in the shop's folder on the NAS"
        ) from error
