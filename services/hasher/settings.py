"""The hasher's settings, read from the environment once, at start."""

from pydantic import Field

from services.hasher.limits import Limits
from shared.settings import BusSettings


class Settings(BusSettings):
    """How large a file may be. A picture takes about 9 bytes of memory per pixel as PNG, up to 15 otherwise."""

    max_image_megapixels: int = Field(default=200, gt=0, description="larger pictures are refused from their header")
    max_image_side: int = Field(default=30_000, gt=0, description="longest side of a picture, in pixels")
    max_upload_bytes: int = Field(default=500_000_000, gt=0, description="larger files are refused unread")

    @property
    def limits(self) -> Limits:
        """The same, as the pure part wants it."""
        return Limits(
            max_bytes=self.max_upload_bytes,
            max_pixels=self.max_image_megapixels * 1_000_000,
            max_side=self.max_image_side,
        )
