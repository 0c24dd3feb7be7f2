"""The settings that every service shares. Each adds its own in `services/<name>/settings.py`, read once at start."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

DRIVER = "postgresql+psycopg"
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


def with_driver(url: str) -> str:
    """A database's address with our driver in it: people and other programs write it with another one, or with none."""
    scheme, _, rest = url.partition("://")
    return f"{DRIVER}://{rest}" if scheme.partition("+")[0] in {"postgres", "postgresql"} else url


class BusSettings(BaseSettings):
    """Where the broker and the image bytes are."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    amqp_url: Annotated[str, Field(pattern="^(amqps?://|$)")] = Field(
        "amqp://guest:guest@localhost:5672/", description="RabbitMQ; percent-encode a vhost's slash"
    )
    management_url: str = Field("", description="RabbitMQ's management API, or off; empty: port 15672 at AMQP_URL")
    blob_dir: Path = Field(Path("var/blobs"), description="folder of image bytes; one shared volume for every service")
    log_level: LogLevel = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    stop_grace_seconds: float = Field(30.0, gt=0, description="how long a stopping service may finish what it began")


class DatabaseSettings(BusSettings):
    """For a service that owns tables."""

    database_url: Annotated[str, Field(pattern=r"^(postgres(ql)?(\+\w+)?://|$)"), AfterValidator(with_driver)] = Field(
        "postgresql://presswork@localhost:5432/presswork", description="PostgreSQL", validate_default=True
    )
