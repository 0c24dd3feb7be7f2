"""Storage's settings, read from the environment once, at start."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.nas.settings import NasSettings
from shared.settings import DatabaseSettings


class Settings(DatabaseSettings, NasSettings):
    """Where designs are kept."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    nas_scan_files_at_once: int = Field(
        default=2, ge=1, le=64, description="files of a scan in the hashers' hands; more is faster, and delays uploads"
    )
