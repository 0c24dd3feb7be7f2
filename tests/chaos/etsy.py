"""The stand-in for Etsy in a process of its own, as the shop that a world's publisher writes to."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine, delete, func, update

from services.etsy_fake.faults import Fault
from services.etsy_fake.serve import settings_for
from services.etsy_fake.state import Etsy
from services.local import process
from services.publisher.etsy.tables import connections, keys
from services.publisher.etsy.wiring import etsy
from services.publisher.settings import Settings
from services.publisher.store import Ledger
from tests.etsy.seller import TOKEN_KEY, connected

TIMEOUT_S = 2.0
"""Of one call: what answers later than this does not answer."""


@dataclass(frozen=True)
class Stand:
    """The stand-in."""

    url: str
    settings: Mapping[str, str]

    def listings(self) -> list[dict[str, Any]]:
        """All that its shops have."""
        return list(self._ok("GET", "state")["listings"])

    def met(self) -> list[str]:
        """The kinds of faults that calls have met."""
        return [str(each["kind"]) for each in self._ok("GET", "faults")["met"]]

    def arm(self, fault: Fault) -> None:
        self._ok("POST", "faults", json=fault.model_dump())

    def disarm(self) -> None:
        self._ok("DELETE", "faults")

    def change(self, **how: Any) -> None:
        """Its limits, its clock."""
        self._ok("POST", "state", json=how)

    def a_day_passes(self, engine: Engine) -> bool:
        """There and here, where all wait for it; whether they do."""
        day = timedelta(days=1)
        waiting = update(keys).where(keys.c.stopped_until > func.now() + timedelta(hours=1))
        earlier = {"stopped_until": keys.c.stopped_until - day, "seen_at": keys.c.seen_at - day}
        with engine.begin() as connection:
            passed = connection.execute(waiting.values(earlier)).rowcount > 0
        if passed:
            self.change(advance_s=day.total_seconds())
        return passed

    def connect(self, engine: Engine, tenant_id: UUID) -> None:
        """The account has the shop; who had it before has none."""
        with engine.begin() as connection:
            connection.execute(delete(connections))
        settings = Settings.model_validate({name.lower(): value for name, value in self.settings.items()})
        target = etsy(settings, Ledger(engine))
        with target.http:
            connected(target, tenant_id)

    def _ok(self, method: str, what: str, **how: Any) -> Any:
        answer = httpx.request(method, f"{self.url}/_fake/{what}", trust_env=False, timeout=30, **how)
        return answer.raise_for_status().json()


@contextmanager
def stand_in(folder: Path, environment: Mapping[str, str]) -> Iterator[Stand]:
    """One that listens, for the length of the block."""
    (port,) = process.free_ports(1)
    settings = settings_for(Etsy(), port) | {"ETSY_TOKEN_KEY": TOKEN_KEY, "ETSY_CALLS_PER_SECOND": "50"}
    settings |= {"ETSY_TIMEOUT_SECONDS": str(TIMEOUT_S), "ETSY_DAILY_RESERVE": "0"}
    command = [sys.executable, "-m", "services.cli", "etsy-fake", "--port", str(port)]
    log = folder / "etsy-fake.log"
    child = process.start(command, when_orphaned="KILL", log=log, env=environment)
    stand = Stand(settings["ETSY_API_URL"], settings)

    def answers() -> bool | None:
        try:
            stand.change(per_second=100, per_day=100_000)
        except httpx.TransportError:
            return None
        return True

    try:
        process.wait_for(answers, child, what="the stand-in for Etsy", log=log, limit_s=60)
        yield stand
    finally:
        child.kill()
        child.wait()
