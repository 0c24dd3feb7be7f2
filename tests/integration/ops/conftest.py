"""One pipeline over RabbitMQ for all tests of operating it, and a new seller for each of them."""

from collections.abc import Iterator

import pytest

from services.local.broker import Broker
from tests import backends
from tests.integration.ingest import embedded, frontend
from tests.integration.ingest.frontend import Shop
from tests.integration.ops import pipeline
from tests.integration.ops.pipeline import System


@pytest.fixture(scope="package")
def system(
    rabbit: Broker, postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A pipeline in which nothing is broken until a test breaks it."""
    folder = tmp_path_factory.mktemp("ops")
    with (
        backends.virtual_host(rabbit) as amqp_url,
        embedded.place(folder, postgres_url, _template, HTTP_WAIT_SECONDS="20") as here,
        pipeline.running(here, amqp_url) as found,
    ):
        yield found


@pytest.fixture
def shop(system: System) -> Iterator[Shop]:
    """A seller with all that an upload needs."""
    with frontend.shop(system.server) as found:
        yield found
