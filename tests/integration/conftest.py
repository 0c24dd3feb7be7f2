"""Ingest's rows in the test's own database, for tests without a server."""

import pytest
from sqlalchemy import Engine

from services.ingest.sessions.serving.store import Sessions
from tests.integration.ops.letterbox import Letterbox


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    """Uploads as the server keeps them, with two hashers to share one."""
    return Sessions(engine, hashers=2)


@pytest.fixture
def box(engine: Engine) -> Letterbox:
    """Sessions and letters as rows of one tenant."""
    return Letterbox(engine)
