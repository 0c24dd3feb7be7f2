"""The settings that `presswork up` gives to every service's process."""

import base64
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ADDRESSES = (
    *("DATABASE_URL", "AMQP_URL", "BLOB_DIR", "EMBEDDED"),
    *("NAS_URL", "NAS_PASSWORD", "NAS_PRIVATE_KEY", "NAS_HOST_KEY"),
)


def settings_for(
    given: Mapping[str, str], data_dir: Path, port: int, database_url: str, amqp_url: str | None
) -> dict[str, str]:
    """The caller's settings, completed with what was found or made here. Without a broker everything is embedded."""
    defaults = {
        "BLOB_DIR": str(data_dir / "blobs"),
        "NAS_URL": str(data_dir / "nas"),
        "LISTINGS_DIR": str(data_dir / "listings"),
        "COMPREHENSIVE_WORKFLOW_MAX_THREADS": "8",
        "PUBLISHER_TARGET": "dry-run",
    }
    if not given.get("JWT_SECRET_KEY"):
        defaults["JWT_SECRET_KEY"] = _secret(data_dir / "jwt-secret", secrets.token_urlsafe(48))
    if given.get("PUBLISHER_TARGET") == "etsy" and not given.get("ETSY_TOKEN_KEY"):
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        defaults["ETSY_TOKEN_KEY"] = _secret(data_dir / "etsy-token-key", key)
    fixed = {"DATABASE_URL": database_url, "PORT": str(port), "EMBEDDED": "1" if amqp_url is None else "0"}
    if amqp_url is not None:
        fixed["AMQP_URL"] = amqp_url
    # One thread each: eight hashers with a pool of threads each would fight for the same cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # an empty variable is none
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    return {**threads, **given, **chosen, **fixed}


def write_down(environment: Mapping[str, str], data_dir: Path) -> None:
    """Leave the addresses for the operators' commands: `presswork dead list` beside a running `presswork up`."""
    file = data_dir / "environment"
    names = [*ADDRESSES, *(name for name in environment if name.startswith("ETSY_"))]
    lines = [f"{name}={_quoted(environment[name])}\n" for name in names if name in environment]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # with passwords in it
    with os.fdopen(descriptor, "w") as out:
        out.writelines(lines)


def shop(environment: Mapping[str, str]) -> str:
    """Where listings go, in words."""
    if environment["PUBLISHER_TARGET"] == "dry-run":
        return f"dry run: listing drafts as folders in {environment['LISTINGS_DIR']}"
    api = environment.get("ETSY_API_URL")
    return f"{environment['PUBLISHER_TARGET']}{f' at {api}' if api else ''}, as drafts"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _secret(file: Path, value: str) -> str:
    """A secret of this machine, made on the first start and kept with the data."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(value)
    return file.read_text()
