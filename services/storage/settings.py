"""Storage's settings, read from the environment once, at start."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from services.storage.shops import Nases, key_of
from shared.nas import Access, Nas, open_nas
from shared.settings import DatabaseSettings


class UnusableNas(ValueError):  # noqa: N818 - reads as what it is
    """What the settings say of a NAS can't be meant; the words are for the person who wrote them."""


def _host_keys(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class OneNas(BaseModel):
    """A NAS, and how to get in (docs/nas.md). Of a shop's own one nothing is taken from the common one's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    password: SecretStr = SecretStr("")
    private_key: SecretStr = SecretStr("")
    host_key: Annotated[tuple[str, ...], BeforeValidator(_host_keys)] = ()
    require_mount: bool = False

    def opened(self, connections: int) -> Nas:
        """The NAS. Nothing is touched yet."""
        secrets = (self.password.get_secret_value(), self.private_key.get_secret_value())
        access = Access(*secrets, self.host_key, connections)
        return open_nas(self.url, require_mount=self.require_mount, access=access)


def _shops(value: object) -> object:
    """A map of shops as it stands, as JSON, or in a file; an address alone is short for the rest."""
    if isinstance(value, str):
        try:
            text = value.strip() or "{}"
            value = json.loads(text if text.startswith("{") else Path(text).read_text())
        except (OSError, ValueError) as error:
            raise ValueError(f"it is neither JSON in braces nor a file with it ({type(error).__name__})") from error
    if not isinstance(value, Mapping):
        raise ValueError('it must look like {"NorthCups": "sftp://user@nas2.local/share"}')  # noqa: TRY004 - pydantic's
    keys = [key_of(name) for name in value]
    if len(keys) > len(set(keys)):
        raise ValueError("two of its shops have the same folder on the NAS")
    return {name: {"url": nas} if isinstance(nas, str) else nas for name, nas in value.items()}


class Settings(DatabaseSettings):
    """Where designs are kept."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

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
    nas_host_key: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_host_keys)] = Field(
        default=(), description="SFTP: the server's key or its fingerprint (SHA256:...); several with commas between"
    )
    nas_max_connections: int = Field(
        default=4, ge=1, le=64, description="files on their way to the NAS at a time, per storage process"
    )
    nas_shops: Annotated[Mapping[str, OneNas], NoDecode, BeforeValidator(_shops)] = Field(
        default={},
        description="shops with a NAS of their own: JSON, or a file with it (nas.md); the others use NAS_URL",
    )
    nas_scan_files_at_once: int = Field(
        default=2, ge=1, le=64, description="files of a scan in the hashers' hands; more is faster, and delays uploads"
    )

    def nases(self) -> Nases:
        """The NAS for all, and those of single shops. Nothing is touched yet.

        Raises:
            UnusableNas: one of them can't be.
        """
        common = OneNas(
            url=self.nas_url,
            password=self.nas_password,
            private_key=self.nas_private_key,
            host_key=self.nas_host_key,
            require_mount=self.nas_require_mount,
        )
        own = {name: self._opened(shop, f"NAS_SHOPS, {name}: ") for name, shop in self.nas_shops.items()}
        return Nases(self._opened(common), own)

    def url_of(self, shop: str) -> str:
        """Where a shop's own NAS is, or without a shop the one for all."""
        return self.nas_shops[shop].url if shop else self.nas_url

    def _opened(self, nas: OneNas, whose: str = "") -> Nas:
        try:
            return nas.opened(self.nas_max_connections)
        except ValueError as error:
            raise UnusableNas(f"{whose}{error}") from error
