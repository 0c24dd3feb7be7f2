"""Every setting, read from the classes that take it from the environment: as `deploy/.env.example`, and as a table.

    python -m services.settings_table env > deploy/.env.example
    python -m services.settings_table markdown > docs/settings.md

A test fails while one of the two files says something else than the classes.
"""

import importlib
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from services.embedded import WORKERS
from services.ingest.catalog.limits import SECONDS, Rate
from shared.settings import BusSettings, DatabaseSettings

UNITS = {seconds: unit for unit, seconds in SECONDS.items()}
SERVICES = ("ingest", *WORKERS)

COMPOSE = (
    (
        "POSTGRES_PASSWORD",
        "",
        "password of the database's owner, who migrates it; letters and digits only",
    ),
    ("SERVICES_PASSWORD", "", "password of the services' own database roles (postgres/roles.sql); the same"),
    ("RABBITMQ_PASSWORD", "", "password of the broker's user; the same"),
    (
        "NAS_MOUNT",
        "nas",
        "folder where this machine has the NAS mounted, writable for user 10001; or a volume's name; or NAS_URL, below",
    ),
    ("LISTINGS_MOUNT", "listings", "folder for the dry run's listings, writable for user 10001; or a volume's name"),
)
"""What only `deploy/compose.yaml` asks for: name, default (none: required), meaning."""

FIXED_BY_COMPOSE = (
    *("AMQP_URL", "BLOB_DIR", "DATABASE_URL", "EMBEDDED", "HOST", "LISTINGS_DIR", "NAS_REQUIRE_MOUNT"),
    "STOP_GRACE_SECONDS",
)
"""What `deploy/compose.yaml` decides itself, whatever `deploy/.env` says."""


@dataclass(frozen=True)
class Setting:
    """One environment variable of one group. `default` is as it would be written; None: it must be set."""

    name: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Group:
    """The settings that a service adds to those that it shares with others."""

    title: str
    settings: tuple[Setting, ...]


def settings_of(service: str) -> type[BusSettings]:
    """A service's class."""
    found: type[BusSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return found


def groups() -> tuple[Group, ...]:
    """The shared settings, those of services with a database, then each service's own."""
    found = [
        _group("every service", BusSettings, ()),
        _group("every service with tables", DatabaseSettings, BusSettings.model_fields),
        *(_group(name, settings_of(name), DatabaseSettings.model_fields) for name in SERVICES),
    ]
    return tuple(group for group in found if group.settings)


def env_example() -> str:
    """The text of `deploy/.env.example`: what must be set, and everything else as a comment with its default."""
    lines = [
        "# Copy this file to deploy/.env, fill in what is empty, and take away the # where you want another value.",
        "# Made by: python -m services.settings_table env > deploy/.env.example",
        "#",
        "# deploy/compose.yaml decides these itself, whatever stands here:",
        f"# {', '.join(FIXED_BY_COMPOSE)}",
        "",
        "# ---- only deploy/compose.yaml ----",
    ]
    for name, default, meaning in COMPOSE:
        lines += ["", f"# {meaning}", f"{'#' if default else ''}{name}={default}"]
    meanings = _meanings()
    written: set[str] = set()
    for group in groups():
        new = [setting for setting in group.settings if setting.name not in written]
        written |= {setting.name for setting in new}
        lines += ["", f"# ---- {group.title} ----"] if new else []
        for setting in new:
            lines += ["", *(f"# {meaning}" for meaning in meanings[setting.name])]
            lines += [f"{setting.name}=" if setting.default is None else f"#{setting.name}={setting.default}"]
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The text of `docs/settings.md`: one table for each group."""
    lines = [
        "# Settings",
        "",
        "Environment variables, read once, when a process starts. This page is made from the classes that read them:",
        "`python -m services.settings_table markdown > docs/settings.md`.",
        "",
        "`ingest` also runs the other services' handlers, for small uploads and while the broker is away (decision",
        "[0003](decisions/0003-lanes.md)), so it takes every setting on this page.",
    ]
    for group in groups():
        lines += ["", f"## {group.title.capitalize()}", "", "| name | default | meaning |", "|---|---|---|"]
        lines += [_row(setting) for setting in group.settings]
    return "\n".join(lines) + "\n"


def _group(title: str, settings: type[BusSettings], without: Collection[str]) -> Group:
    own = {name: field for name, field in settings.model_fields.items() if name not in without}
    return Group(title, tuple(_setting(name, field) for name, field in own.items()))


def _setting(name: str, field: FieldInfo) -> Setting:
    # A default that is validated all the same is one that nobody may keep: JWT_SECRET_KEY's empty one.
    required = field.is_required() or (isinstance(field.default, SecretStr) and field.validate_default is True)
    return Setting(name.upper(), None if required else _written(field.get_default()), field.description or "")


def _written(value: object) -> str:
    """A value as it is written in the environment."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Rate(times, seconds):
            return f"{times}/{UNITS[seconds]}"
        case tuple():
            return ",".join(map(_written, value))
        case bool() | None:
            return "" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meanings() -> Mapping[str, list[str]]:
    """What each name means, once for each different wording; a service that says more than another is named."""
    found: dict[str, list[tuple[str, str]]] = {}
    for group in groups():
        for setting in group.settings:
            said = found.setdefault(setting.name, [])
            if setting.meaning not in [meaning for _, meaning in said]:
                said.append((group.title, setting.meaning))
    return {
        name: [meaning if len(said) == 1 else f"{title}: {meaning}" for title, meaning in said]
        for name, said in found.items()
    }


def _row(setting: Setting) -> str:
    default = "**required**" if setting.default is None else f"`{setting.default}`" if setting.default else "empty"
    return f"| `{setting.name}` | {default} | {setting.meaning.replace('|', '&#124;')} |"


if __name__ == "__main__":
    texts = {"env": env_example, "markdown": markdown}
    if sys.argv[1:] not in ([name] for name in texts):
        sys.exit("say which text to print: env or markdown")
    sys.stdout.write(texts[sys.argv[1]]())
