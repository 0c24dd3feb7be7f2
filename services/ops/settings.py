"""What the operators' commands read from the environment."""

from pydantic import Field

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Database, broker, and how uploads are split."""

    comprehensive_workflow_max_threads: int = Field(default=8, ge=1, le=64, description="hasher consumers")
    embedded: bool = Field(default=False, description="in one process, without a broker")
