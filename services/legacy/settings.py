"""What the import reads from the environment."""

from pydantic import Field

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Where the system keeps its files, whether it has a broker, and what the old system's paths begin with."""

    embedded: bool = Field(default=False, description="no broker at all")
    nas_base_path: str = Field(default="/share/Graphics", description="where the shop folders are, as paths are shown")
