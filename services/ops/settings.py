"""What the operators' commands read from the environment."""

from pathlib import Path

from pydantic import Field

from services.ops.place import of_kind
from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Database, broker, and how uploads are split."""

    comprehensive_workflow_max_threads: int = Field(default=8, ge=1, le=64, description="hasher consumers")
    embedded: bool = Field(default=False, description="in one process, without a broker")


def why_no_broker(data: Path) -> str | None:
    """In words, where there is none and nobody named one."""
    found = of_kind(Settings, data)
    if not found.embedded or "amqp_url" in found.model_fields_set:
        return None
    return f"The system of {data} is embedded, in one process without a broker"


def hashers(data: Path) -> int:
    """How many batches an upload is split into at least: as many as ingest itself would."""
    return of_kind(Settings, data).comprehensive_workflow_max_threads
