"""The settings that `presswork up` gives to every service's process."""

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from services.local import files
from services.local.broker import StartedBroker
from services.local.listening import Listening
from services.local.process import NotStarted
from services.ops.management import OFF
from services.ops.place import STARTED_IN, environment_file

OF_NAS = ("NAS_REQUIRE_MOUNT", "NAS_PASSWORD", "NAS_PRIVATE_KEY", "NAS_HOST_KEY")
HASHERS, IN_FLIGHT = "COMPREHENSIVE_WORKFLOW_MAX_THREADS", "BATCHES_IN_FLIGHT"
OF_SHOP = ("PUBLISHER_TARGET", "ETSY_")

LEFT = (
    *("DATABASE_URL", "AMQP_URL", "MANAGEMENT_URL", "EMBEDDED", "BLOB_DIR", "NAS_URL", "NAS_SHOPS"),
    *OF_NAS,
    *("LISTINGS_DIR", "PUBLISHER_TARGET", HASHERS, IN_FLIGHT, "HOST"),
)
"""What commands and services need that run beside a `presswork up`. The file is for its owner only."""


def settings_for(
    given: Mapping[str, str],
    data_dir: Path,
    listening: Listening,
    database_url: str,
    broker: StartedBroker | None,
) -> dict[str, str]:
    """The caller's settings, completed with what was found or made here. Without a broker everything is embedded."""
    defaults = {
        "BLOB_DIR": str(data_dir / "blobs"),
        "NAS_URL": str(data_dir / "nas"),
        "LISTINGS_DIR": str(data_dir / "listings"),
        HASHERS: "8",
        "PUBLISHER_TARGET": "dry-run",
    }
    if not given.get("JWT_SECRET_KEY"):
        defaults["JWT_SECRET_KEY"] = files.secret(data_dir / "jwt-secret", lambda: secrets.token_urlsafe(48))
    if given.get("PUBLISHER_TARGET") == "etsy" and not given.get("ETSY_TOKEN_KEY"):
        defaults["ETSY_TOKEN_KEY"] = files.secret(data_dir / "etsy-token-key", _token_key)
    fixed = {"HOST": listening.host, "PORT": str(listening.port)}
    fixed |= {"DATABASE_URL": database_url, "EMBEDDED": "1" if broker is None else "0"}
    if broker is not None:
        fixed["AMQP_URL"] = broker.url
        if broker.url != given.get("AMQP_URL"):  # one that we found or started: nobody said where its API is
            fixed["MANAGEMENT_URL"] = broker.management_url or OFF
    # an empty variable counts as unset
    chosen = {name: given.get(name) or default for name, default in defaults.items()}
    chosen[IN_FLIGHT] = given.get(IN_FLIGHT) or str(_in_flight(chosen[HASHERS]))
    return {**given, **chosen, **fixed}


def _in_flight(hashers: str) -> int:
    """Enough to keep all cores at work, so that hashers are free for who comes later with a few files.

    Elsewhere two for each hasher are right, as nobody there knows the cores that hashers run on.
    """
    if not hashers.isdecimal():
        raise NotStarted(f"{HASHERS} is {hashers!r}: it should be a number, like 8")
    return min(2 * int(hashers), (os.cpu_count() or 1) + 2)


def left_in(data_dir: Path) -> dict[str, str]:
    """What the `presswork up` before left here; nothing if there was none."""
    found = dotenv_values(environment_file(data_dir), interpolate=False)
    return {name: value for name, value in found.items() if value is not None}


def keeping_nas(given: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The caller's settings with the NAS of the `up` before, unless they name one: its designs lie there.

    A folder of `up`'s own is not kept by its path, as it moves with the data. The password and keys of the one before
    are not kept for another NAS.
    """
    left = left_in(data_dir)
    url, own = left.get("NAS_URL", ""), str(Path(left.get(STARTED_IN) or data_dir) / "nas")
    kept = {name: left[name] for name in ("NAS_SHOPS",) if name in left}
    if url != own and (given.get("NAS_URL") or url) == url:
        kept |= {name: left[name] for name in OF_NAS if name in left}
        return {**kept, **given, "NAS_URL": url}
    return {**kept, **given}


def keeping_shop(given: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The caller's settings with the shop that the `up` before listed in, unless they name another target.

    Else they would be listed in a dry run, and missing in the shop. Where another app or address is named, the secrets
    of the one before are not kept, but for the key that seals tokens in the database. An empty variable is no setting.
    """
    left = {name: value for name, value in left_in(data_dir).items() if name.startswith(OF_SHOP)}
    named = {name: value for name, value in given.items() if value or not name.startswith(OF_SHOP)}
    if any(name in named and named[name] != left.get(name) for name in ("ETSY_KEYSTRING", "ETSY_API_URL")):
        left = {name: value for name, value in left.items() if name in ("PUBLISHER_TARGET", "ETSY_TOKEN_KEY")}
    return {**left, **named}


@contextlib.contextmanager
def written_down(environment: Mapping[str, str], data_dir: Path) -> Iterator[None]:
    """Write the settings down for the block, which looks at the NAS, and those of the NAS once it has ended well.

    If it doesn't, what was written down before is there again. The next start goes by that: not even a kill in the
    middle may leave a NAS that was not looked at.
    """
    file = environment_file(data_dir)
    before = file.read_text() if file.exists() else None
    write_down({name: value for name, value in environment.items() if not name.startswith("NAS_")}, data_dir)
    try:
        yield
    except BaseException:
        if before is None:
            file.unlink()
        else:
            files.write(file, before)
        raise
    write_down(environment, data_dir)


def write_down(environment: Mapping[str, str], data_dir: Path) -> None:
    """Leave what others need beside a running `presswork up`: `presswork dead list`, `presswork run hasher`."""
    names = [*LEFT, *(name for name in environment if name.startswith("ETSY_"))]
    said = {**environment, STARTED_IN: str(data_dir)}
    lines = [f"{name}={_quoted(said[name])}\n" for name in (*names, STARTED_IN) if name in said]
    files.write(environment_file(data_dir), "".join(lines))


def shop(environment: Mapping[str, str], named: str | None) -> str:
    """Where listings go, in words. `named` is what the caller's settings say of it."""
    if environment["PUBLISHER_TARGET"] == "dry-run":
        return f"dry run: listing drafts as folders in {environment['LISTINGS_DIR']}"
    api = environment.get("ETSY_API_URL")
    kept = "" if named else "; kept from the start before, PUBLISHER_TARGET=dry-run leaves it"
    return f"{environment['PUBLISHER_TARGET']}{f' at {api}' if api else ''}, as drafts{kept}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _token_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
