"""Figures for Prometheus. They name no seller and no file, and need no log-in."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from services.ingest.api.resources import Using
from services.ingest.dead_letters.measuring import measured
from shared.errors import Retryable

routes = APIRouter(tags=["health"])


@dataclass(frozen=True, eq=False)  # the registry hashes it
class _Once(Collector):
    """What was measured for one call."""

    found: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.found


@routes.get("/metrics", response_class=Response)
def metrics(using: Using) -> Response:
    """Dead letters per service, the age of the oldest, and replays by result."""
    try:
        found = list(measured(using.engine))
    except Retryable as error:
        raise HTTPException(503, f"Nothing can be measured: {error}") from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(found))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
