"""A ledger, a blob store, and a dry-run shop that can break, together as one publisher."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text, update

from services.publisher.dry_run import DryRunShop
from services.publisher.handlers import on_mockups_rendered
from services.publisher.store import Ledger, listings
from shared.blobs import Blobs
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered
from shared.database import engine_of
from tests.integration.publisher.shops import BreakingShop
from tests.unit.publisher.events import pictures, rendered

# pg_locks shows those of every database of the server, other tests' among them
LOCKS = """
    pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass
class Publisher:
    """What a running publisher has in its hands."""

    engine: Engine
    shop: BreakingShop
    blobs: Blobs
    root: Path

    def event(self, *images: bytes, **changes: Any) -> MockupsRendered:
        """One design with these pictures; three by default."""
        stored = [self.blobs.put(image) for image in images or (b"first", b"second", b"third")]
        return rendered(**{"mockups": pictures(*stored), **changes})

    def handle(self, event: MockupsRendered, lock_wait_s: float = 30) -> ListingPublished | ListingFailed:
        """One delivery."""
        ledger = Ledger(self.engine, lock_wait_s=lock_wait_s)
        (answer,) = on_mockups_rendered(event, ledger, self.shop, self.blobs)
        return answer

    def publish(self, event: MockupsRendered) -> ListingPublished:
        """One delivery that must end in a listing."""
        answer = self.handle(event)
        assert isinstance(answer, ListingPublished)
        return answer

    def folders(self, shop: str = "NorthCups") -> list[Path]:
        """The listings there are."""
        return sorted(path for path in (self.root / shop).iterdir() if path.is_dir())

    def images(self) -> list[bytes]:
        """The pictures of the only listing, in order."""
        (folder,) = self.folders()
        return [path.read_bytes() for path in sorted((folder / "images").iterdir())]

    def status(self) -> str:
        """The only ledger row's."""
        with self.engine.connect() as connection:
            return str(connection.execute(select(listings.c.status)).scalar_one())

    def passes(self, seconds: float) -> None:
        """So much time since the last create."""
        change = update(listings).values(tried_at=listings.c.tried_at - timedelta(seconds=seconds))
        with self.engine.begin() as connection:
            connection.execute(change)

    def of_locks(self, what: str) -> list[Any]:
        """This expression over the advisory locks that are held in this database."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(f"SELECT {what} FROM {LOCKS}")).scalars())  # noqa: S608 - our own words


@pytest.fixture
def publisher(database_url: str, tmp_path: Path) -> Iterator[Publisher]:
    engine = engine_of(database_url)
    root = tmp_path / "listings"
    yield Publisher(engine, BreakingShop(DryRunShop(root)), Blobs(tmp_path / "blobs"), root)
    engine.dispose()


@pytest.fixture
def other_session() -> UUID:
    return UUID("00000000-0000-4000-8000-0000000000ff")
