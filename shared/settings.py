"""The settings that every service shares. Each adds its own in `services/<name>/settings.py`, read once at start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BusSettings(BaseSettings):
    """Where the broker and the image bytes are."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    amqp_url: str = Field("amqp://guest:guest@localhost:5672/", description="RabbitMQ; percent-encode a vhost's slash")
    management_url: str = Field("", description="RabbitMQ's management API, or off; empty: port 15672 at AMQP_URL")
    blob_dir: Path = Field(Path("var/blobs"), description="folder of image bytes; one shared volume for every service")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    stop_grace_seconds: float = Field(30.0, gt=0, description="how long a stopping service may finish what it began")


class DatabaseSettings(BusSettings):
    """For a service that owns tables."""

    database_url: str = Field(
        "postgresql+psycopg2://presswork@localhost:5432/presswork", description="PostgreSQL, as an SQLAlchemy URL"
    )
