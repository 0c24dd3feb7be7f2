"""The settings that `presswork up` gives to every service's process."""

import base64
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from services.local.broker import StartedBroker
from services.ops.management import OFF

LEFT = (
    *("DATABASE_URL", "AMQP_URL", "MANAGEMENT_URL", "EMBEDDED", "BLOB_DIR", "NAS_URL", "NAS_REQUIRE_MOUNT"),
    *("NAS_PASSWORD", "NAS_PRIVATE_KEY", "NAS_HOST_KEY", "NAS_SHOPS"),
    *("LISTINGS_DIR", "PUBLISHER_TARGET", "COMPREHENSIVE_WORKFLOW_MAX_THREADS"),
)
"""What commands and services need that run beside a `presswork up`. The file is for its owner only."""


def settings_for(
    given: Mapping[str, str], data_dir: Path, port: int, database_url: str, broker: StartedBroker | None
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
    fixed = {"DATABASE_URL": database_url, "PORT": str(port), "EMBEDDED": "1" if broker is None else "0"}
    if broker is not None:
        fixed["AMQP_URL"] = broker.url
        if broker.url != given.get("AMQP_URL"):  # one that we found or started: nobody said where its API is
            fixed["MANAGEMENT_URL"] = broker.management_url or OFF
    # One thread each: eight hashers with a pool of threads each would fight for the same cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    # an empty variable is none
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    return {**threads, **given, **chosen, **fixed}


def write_down(environment: Mapping[str, str], data_dir: Path) -> None:
    """Leave what others need beside a running `presswork up`: `presswork dead list`, `presswork run hasher`."""
    file = data_dir / "environment"
    names = [*LEFT, *(name for name in environment if name.startswith("ETSY_"))]
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
