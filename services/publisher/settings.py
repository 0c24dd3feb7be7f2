"""The publisher's settings, read from the environment once, at start."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import DatabaseSettings


class Settings(DatabaseSettings):
    """Where listings go."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    publisher_target: str = Field(default="dry-run", description="where listings go: dry-run, etsy")
    listings_dir: Path = Field(default=Path("var/listings"), description="folder that the dry run writes listings to")

    etsy_keystring: str = Field(default="", description="the app's keystring at Etsy (etsy.com/developers/your-apps)")
    etsy_shared_secret: SecretStr = Field(default=SecretStr(""), description="the app's shared secret, beside it")
    etsy_redirect_uri: str = Field(
        default="http://localhost:3000/oauth/redirect",
        description="where Etsy sends the seller back to; registered there, letter by letter",
    )
    etsy_scopes: str = Field(
        default="listings_r listings_w shops_r", description="what sellers are asked to allow, separated by spaces"
    )
    etsy_token_key: SecretStr = Field(
        default=SecretStr(""), description="encrypts sellers' tokens in the database; a new key goes before the old one"
    )
    etsy_api_url: str = Field(default="https://openapi.etsy.com", description="Etsy's API; or `presswork etsy-fake`")
    etsy_consent_url: str = Field(
        default="https://www.etsy.com/oauth/connect", description="the page on which sellers allow the app"
    )
    etsy_calls_per_second: float = Field(
        default=10, gt=0, description="of all processes together; fewer where Etsy's answers name a lower limit"
    )
    etsy_daily_reserve: int = Field(
        default=200, ge=0, description="calls of the day that listings leave over, for people and set-up"
    )
    etsy_timeout_seconds: float = Field(default=60, gt=0, description="how long one call to Etsy may take")
