"""The settings of ingest. The old system's names are kept; `Settings()` reads the environment, once, at start."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.ingest.catalog.limits import Rate, rate
from services.ingest.lane_choice import LaneRule
from services.ingest.sessions.intake.admission import Room
from services.ingest.sessions.outgoing.fairness import Windows
from shared.settings import DatabaseSettings

SECRET_BYTES = 32  # RFC 7518, 3.2: an HS256 key is at least as long as the hash


def _origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())


class Settings(DatabaseSettings):
    """Accounts, addresses and limits."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = Field(default="0.0.0.0", description="address to listen on; `presswork up`: 127.0.0.1")  # noqa: S104 - a server in a container
    port: int = Field(default=3003, ge=0, le=65535, description="port to listen on; 0: any free one")

    jwt_secret_key: SecretStr = Field(
        default=SecretStr(""), validate_default=True, description="signs logins; at least 32 random bytes, required"
    )
    jwt_algorithm: Literal["HS256"] = Field(default="HS256", description="how logins are signed; only this one")
    user_login_access_token_expire_minutes: int = Field(default=30, gt=0, description="how long a login is valid")
    token_refresh_grace_minutes: int = Field(
        default=60,
        ge=0,
        description="how long after its end a login can be renewed without the password, and uploads go on",
    )
    disable_registration: bool = Field(
        default=False, description="nobody can register; `presswork account add` opens accounts"
    )
    registration_rate_limit: Annotated[Rate | None, NoDecode, BeforeValidator(rate)] = Field(
        default=Rate(5, 3600), description="registrations per address, like 5/hour, or off"
    )
    login_rate_limit: Annotated[Rate | None, NoDecode, BeforeValidator(rate)] = Field(
        default=Rate(10, 60), description="failed logins per address and e-mail, like 10/minute, or off"
    )

    frontend_url: str = Field(default="", description="the web frontend's origin, like https://app.example.com")
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        default=(), description="further origins that may call, separated by commas"
    )
    public_url: str = Field(default="", description="this service as browsers reach it; empty: as the request says")
    file_link_minutes: int = Field(default=60, gt=0, description="how long a gallery link to a file is valid")

    nas_base_path: str = Field(default="/share/Graphics", description="where the shop folders are, as paths are shown")
    publisher_target: Literal["dry-run", "etsy"] = Field(default="dry-run", description="where listings go")
    nas_scan_minutes: float = Field(
        default=60, ge=0, description="how often shops' folders are looked through for new pictures; 0: never by itself"
    )
    mockup_max_megapixels: int = Field(default=60, gt=0, description="largest mockup photograph or watermark")
    mockup_max_megabytes: int = Field(default=50, gt=0, description="largest mockup photograph or watermark")
    mockup_upload_max_megabytes: int = Field(
        default=1024, gt=0, description="all photographs of one request; the temporary folder holds them meanwhile"
    )

    use_comprehensive_workflow: bool = Field(
        default=True, description="over RabbitMQ; false: one after the other, in this process"
    )
    comprehensive_workflow_min_files: int = Field(
        default=2, ge=1, description="smaller uploads are worked on in this process (the original lane)"
    )
    original_lane_share: float = Field(
        default=0.0, ge=0, le=1, description="of the other uploads, to compare the lanes: 0.1 is every tenth"
    )
    comprehensive_workflow_max_threads: int = Field(
        default=8, ge=1, le=64, description="hasher consumers: an upload is split into at least so many batches"
    )
    batches_in_flight: int = Field(
        default=0,
        ge=0,
        description="of all tenants together, in turns; 0: two for each hasher. With fewer cores than hashers, "
        "cores + 2 keeps small uploads quick (`presswork up` sets that)",
    )
    listings_in_flight: int = Field(default=16, ge=1, description="of all tenants together, in turns")
    files_ahead_of_storage: int = Field(
        default=1000, ge=500, description="hashed and not stored, of one tenant: more waits until the NAS follows"
    )
    embedded: bool = Field(default=False, description="no broker at all: every service in this process")
    max_upload_bytes: int = Field(default=500_000_000, gt=0, description="a larger file is refused, the others go on")
    max_files_per_upload: int = Field(default=5000, gt=0, description="files in one request")
    min_free_bytes: int = Field(
        default=500_000_000, ge=0, description="an upload that would leave the blob folder's disk less is refused"
    )
    max_spool_bytes: int = Field(default=0, ge=0, description="most that the blob folder may hold; 0: no limit")
    max_outbox_age_seconds: float = Field(
        default=900, gt=0, description="uploads are refused when the broker is away, and earlier ones wait, for longer"
    )
    max_files_in_progress: int = Field(default=20_000, ge=1, description="of one user; more are refused until then")
    http_wait_seconds: float = Field(
        default=840, gt=0, description="how long an upload call waits for its designs; below the proxy's read timeout"
    )
    listing_grace_seconds: float = Field(
        default=10,
        ge=0,
        description="a session ends when its designs are stored and no listings are asked for so long; "
        "outages of the database don't count",
    )

    dead_letter_keep_days: int = Field(
        default=90, ge=0, description="dead letters that are over (not those that wait) are deleted then; 0: never"
    )
    outbox_keep_days: int = Field(
        default=30, ge=0, description="what ingest sent for uploads that ended is forgotten then; 0: never"
    )

    @field_validator("jwt_secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < SECRET_BYTES:
            make = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
            raise ValueError(f"JWT_SECRET_KEY must be at least {SECRET_BYTES} random bytes; make one with: {make}")
        return secret

    @property
    def room(self) -> Room:
        """What there has to be for an upload."""
        return Room(self.min_free_bytes, self.max_spool_bytes, self.max_outbox_age_seconds, self.max_files_in_progress)

    @property
    def lane_rule(self) -> LaneRule:
        """Which lane an upload takes."""
        few, share = self.comprehensive_workflow_min_files, self.original_lane_share
        return LaneRule(self.embedded, self.use_comprehensive_workflow, few, share)

    @property
    def windows(self) -> Windows:
        """How much the comprehensive lane has in flight."""
        batches = self.batches_in_flight or 2 * self.comprehensive_workflow_max_threads
        return Windows(batches=batches, listings=self.listings_in_flight, files=self.files_ahead_of_storage)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Every origin that a browser may call from."""
        local = ("http://localhost:3000", "http://127.0.0.1:3000")
        frontend = (self.frontend_url.rstrip("/"),) if self.frontend_url else ()
        return (*local, *frontend, *self.cors_origins)
