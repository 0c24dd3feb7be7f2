"""Storage's settings, read from the environment once, at start."""

from pydantic_settings import SettingsConfigDict

from shared.nas.settings import NasSettings
from shared.settings import DatabaseSettings


class Settings(DatabaseSettings, NasSettings):
    """Where designs are kept."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
