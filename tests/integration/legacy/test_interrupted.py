"""An import that is killed in the middle, of a large old system of the first version, is completed by the next."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from services.dedup.tables import hashes
from services.ingest.sessions.tables import items, sessions
from services.legacy.source import BATCH
from tests.integration.legacy.conftest import Import
from tests.integration.legacy.old import V0, Old, old_database, old_id

DESIGNS = 3 * BATCH + 1
MANY = f"""
INSERT INTO design_images (id, user_id, filename, file_path, phash, created_at)
SELECT uuid_in(md5(n::text)::cstring), '{old_id("ana")}', name, '/share/Graphics/NorthCups/UVDTF 16oz/' || name,
    repeat('0f', 32), timestamptz '2025-09-01' + n * interval '1 second'
FROM (SELECT n, 'UV ' || to_char(n, 'FM99000') || ' UVDTF_16oz_' || to_char(n, 'FM99000') || '.png' AS name
    FROM generate_series(1, {DESIGNS}) n) AS named
"""  # noqa: S608 - the test's own words


@pytest.fixture
def old(old_url: str) -> Iterator[Old]:
    with old_database(old_url, V0) as made:
        made.template("UVDTF 16oz", made.user("ana", "ana@example.com"))
        made.run(MANY)
        yield made


def copied(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(items)).scalar_one()


def killed_before(engine: Engine, number: int, words: list[str], environment: dict[str, str]) -> None:
    """Run the command, and kill it while it waits to copy this design: somebody holds its id."""
    with engine.connect() as held:
        held.execute(
            text(
                "INSERT INTO ingest.sessions (id, user_id, client_key, state) "
                "VALUES (gen_random_uuid(), gen_random_uuid(), 'held', 'announced')"
            )
        )
        held.execute(
            text(
                "INSERT INTO ingest.items (id, session_id, user_id, index, filename, size, state) "
                "SELECT uuid_in(md5(:n)::cstring), id, user_id, 0, '', 0, 'received' FROM ingest.sessions "
                "WHERE client_key = 'held'"
            ),
            {"n": str(number)},
        )
        process = subprocess.Popen([sys.executable, "-m", "services.cli", *words], env=os.environ | environment)
        while copied(engine) < BATCH:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        held.rollback()


def test_an_import_that_is_killed_is_completed_by_the_next(
    old: Old, run: Import, engine: Engine, environment: dict[str, str], tmp_path: Path
) -> None:
    words = ["import-legacy", old.url, "--data", str(tmp_path)]
    killed_before(engine, BATCH + 7, words, environment)
    assert copied(engine) == BATCH

    done = run()
    assert done.exit_code == 0, done.stdout
    assert f"designs: {DESIGNS - BATCH} copied, {BATCH} unchanged" in done.stdout
    assert "The old system: design_images has no ahash, dhash, whash (another version's)." in done.stdout
    with engine.connect() as connection:
        (session,) = connection.execute(select(sessions).where(sessions.c.received > 0)).all()
        places = connection.execute(select(items.c.index).order_by(items.c.index)).scalars().all()
        known = connection.execute(select(func.count()).select_from(hashes)).scalar_one()
    assert (session.state, session.received, session.stored) == ("finished", DESIGNS, DESIGNS)
    assert places == list(range(DESIGNS))
    assert known == DESIGNS
