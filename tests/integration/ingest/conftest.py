"""One server with the whole pipeline in it for the tests of the HTTP side, and a new user for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.bus import breaker
from shared.nas import persistence
from tests.integration.ingest import embedded, frontend
from tests.integration.ingest.embedded import Place, Threaded
from tests.integration.ingest.frontend import Shop


@pytest.fixture(scope="package")
def server(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Threaded]:
    """A server that tests leave as they found it. Users see nothing of each other, so they may share it."""
    folder = tmp_path_factory.mktemp("embedded")
    with embedded.place(folder, postgres_url, _template) as here, embedded.serving(here) as running:
        yield running


@pytest.fixture
def shop(server: Threaded) -> Iterator[Shop]:
    """A user with all that an upload needs."""
    with frontend.shop(server) as found:
        yield found


@pytest.fixture(scope="package")
def user(server: Threaded) -> Iterator[Shop]:
    """One user for all tests that don't care what else that user has; registering takes longer than most tests."""
    with frontend.shop(server) as found:
        yield found


@pytest.fixture
def stranger(server: Threaded) -> Iterator[Shop]:
    """Another user, who must not see the first one's things."""
    with frontend.shop(server) as found:
        yield found


@pytest.fixture
def here(postgres_url: str, _template: str, tmp_path: Path) -> Iterator[Place]:
    """A NAS and a database of the test's own."""
    with embedded.place(tmp_path / "data", postgres_url, _template) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries tell that a NAS is away, and it is soon asked again: what comes then is what a test is about."""
    monkeypatch.setattr(persistence, "TRIES", 2)
    monkeypatch.setattr(breaker, "LONGEST_PAUSE_S", 0.2)
