"""Which NAS, and how to get in: for every service that puts files there or reads them."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from shared.nas.address import Access, open_nas
from shared.nas.protocol import Nas


def host_keys(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class NasSettings(BaseSettings):
    """One URL, and what does not belong into it (docs/nas.md)."""

    nas_url: str = Field(
        default="var/nas",
        description="the NAS: a mounted folder's path, or sftp://, smb:// or s3:// and where it is (nas.md)",
    )
    nas_require_mount: bool = Field(
        default=False, description="refuse to work unless something is mounted at exactly that path"
    )
    nas_password: SecretStr = Field(
        default=SecretStr(""), description="password for SFTP or SMB, or S3's secret key; NAS_URL has the user"
    )
    nas_private_key: SecretStr = Field(
        default=SecretStr(""), description="SFTP: a private key's file, or the key itself; instead of a password"
    )
    nas_host_key: Annotated[tuple[str, ...], NoDecode, BeforeValidator(host_keys)] = Field(
        default=(), description="SFTP: the server's key or its fingerprint (SHA256:...); several with commas between"
    )
    nas_max_connections: int = Field(
        default=4, ge=1, le=64, description="files on their way to the NAS at a time, per storage process"
    )

    def nas(self) -> Nas:
        """The NAS. Nothing is touched yet."""
        access = Access(
            self.nas_password.get_secret_value(),
            self.nas_private_key.get_secret_value(),
            self.nas_host_key,
            self.nas_max_connections,
        )
        return open_nas(self.nas_url, require_mount=self.nas_require_mount, access=access)
