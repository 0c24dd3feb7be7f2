"""The hasher's settings, read from the environment once, at start."""

from typing import Literal

from pydantic import Field

from services.hasher.limits import Limits
from shared.settings import BusSettings

BYTES_PER_PIXEL = 24  # the most, by VmHWM: for CMYK JPEG; 21 for TIFF, 19 for 16-bit and 17 for plain PNG
BESIDES_BYTES = 1_000_000_000  # for the file itself and the print file


class Settings(BusSettings):
    """How large a file may be, and how long it may take."""

    max_image_megapixels: int = Field(default=200, gt=0, description="larger pictures are refused from their header")
    max_image_side: int = Field(default=30_000, gt=0, description="longest side of a picture, in pixels")
    max_upload_bytes: int = Field(default=500_000_000, gt=0, description="larger files are refused unread")
    decode_limit_seconds: float = Field(
        default=300.0, gt=0, description="a picture that takes longer to decode, hash and encode is refused"
    )

    print_files: Literal["fast", "small"] = Field(
        default="fast", description="fast to encode, or small: for a NAS behind a slow link (docs/performance.md)"
    )

    @property
    def limits(self) -> Limits:
        """The same, as the pure part wants it."""
        return Limits(
            max_bytes=self.max_upload_bytes,
            max_pixels=self.max_image_megapixels * 1_000_000,
            max_side=self.max_image_side,
            max_seconds=self.decode_limit_seconds,
        )

    @property
    def decode_memory_bytes(self) -> int:
        """What a decoder may allocate for the largest picture."""
        return self.max_image_megapixels * 1_000_000 * BYTES_PER_PIXEL + BESIDES_BYTES
