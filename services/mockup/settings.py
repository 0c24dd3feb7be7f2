"""The mockup service's settings, read from the environment once, at start."""

from pydantic import Field

from shared.settings import BusSettings


class Settings(BusSettings):
    """How much memory prepared photographs may take; one takes about 25 MB."""

    mockup_cache_megabytes: int = Field(
        default=256, ge=0, description="prepared mockup photographs kept in memory, per process"
    )
