"""Storage's settings, read from the environment once, at start."""

from pydantic import Field

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Where designs are kept."""

    nas_url: str = Field(default="var/nas", description="the NAS: the path of its mounted folder, or a file:// URL")
    nas_require_mount: bool = Field(
        default=False, description="refuse to work unless something is mounted at exactly that path"
    )
    nas_max_connections: int = Field(
        default=4, ge=1, le=64, description="files on their way to the NAS at a time, per storage process"
    )
