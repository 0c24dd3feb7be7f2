"""The deployment files as data, and what the code says about them."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from services.hasher.settings import Settings as HasherSettings
from services.ingest.serve import STREAM_GRACE_S
from services.settings_table import SERVICES, settings_of
from shared.bus.rabbit import CONNECT_TIMEOUT_S

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PATHS = ("BLOB_DIR", "NAS_URL", "LISTINGS_DIR")
NOT_OURS = {"FORWARDED_ALLOW_IPS"}  # uvicorn's
PROCESS_BYTES = 500_000_000  # what the decoder has before it begins, and its parent, which may be ingest
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

COMPOSE_TEXT = (DEPLOY / "compose.yaml").read_text()
CONTAINERS: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
NGINX = (DEPLOY / "nginx.conf").read_text()

KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DEPLOY / "k8s/kustomization.yaml").read_text())
CONFIG_MAP = dict(literal.split("=", 1) for literal in KUSTOMIZATION["configMapGenerator"][0]["literals"])
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for file in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((DEPLOY / "k8s" / file).read_text())
]


def names_of(service: str) -> set[str]:
    """The settings that a process reads: ingest those of all, because it runs all handlers; `init` storage's."""
    read = {"ingest": SERVICES, "init": ("storage",)}.get(service, (service,))
    return {name.upper() for each in read for name in settings_of(each).model_fields}


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The manifests of one kind, by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in MANIFESTS if manifest["kind"] == kind}


def longest_stop_s(grace_s: float) -> float:
    """Ingest stops its streams, its in-process lane and then its consumers; cancelling those can take a connect."""
    return STREAM_GRACE_S + 2 * grace_s + CONNECT_TIMEOUT_S


def seconds(duration: str) -> int:
    """Of `150s`."""
    return int(duration.removesuffix("s"))


def largest_picture_bytes() -> int:
    """The memory that a hasher with its decoder may take for the largest picture that the settings allow.

    The decoder's own limit must be reached before the container's, at which Kubernetes kills all that is in it.
    """
    return HasherSettings().decode_memory_bytes + PROCESS_BYTES
