"""A photograph that takes minutes to come from the NAS: PostgreSQL ends a transaction that is idle for one."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.legacy.files import Files
from tests.integration.legacy.conftest import Import
from tests.integration.legacy.old import Old
from tests.integration.legacy.test_import import count, fill, lay, old_id, photograph

IDLE = text("""
    SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
    AND query NOT LIKE '%pg_advisory_xact_lock%'
""")
"""The lock that lets in one import at a time has no such limit."""


def test_no_transaction_waits_for_the_nas(
    old: Old,
    environment: dict[str, str],
    engine: Engine,
    run: Import,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(old)
    folder = Path(environment["NAS_URL"]) / "NorthCups/Mockups/BaseMockups"
    lay(folder, f"UVDTF 16oz/mockup_{old_id('group')}_0.png", photograph())
    lay(folder, "Watermarks/mark.png", photograph())
    keep, waiting, fetched = Files.keep, list[str](), list[str]()

    def watched(files: Files, paths: Any, **given: Any) -> Any:
        fetched.extend(paths[:1])
        with engine.connect() as connection:
            waiting.extend(connection.execute(IDLE).scalars())
        return keep(files, paths, **given)

    monkeypatch.setattr(Files, "keep", watched)
    run()

    assert (len(fetched), count(engine, "ingest.mockup_images")) == (4, 1)
    assert waiting == []
