"""The publisher's settings, read from the environment once, at start."""

from pathlib import Path

from pydantic import Field

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Where listings go."""

    publisher_target: str = Field(default="dry-run", description="where listings go: dry-run")
    listings_dir: Path = Field(default=Path("var/listings"), description="folder that the dry run writes listings to")
