"""Dedup's settings, read from the environment once, at start."""

from pydantic import Field

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """When two pictures count as the same."""

    duplicate_distance: int = Field(
        default=5,
        ge=0,
        le=256,
        description="bits of 256 in which pHash or dHash may differ; higher finds more duplicates, above 5 more slowly",
    )
