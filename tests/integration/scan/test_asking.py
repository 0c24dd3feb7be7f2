"""Who asks for a scan: the clock, once for all processes, and people."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from services.cli import app
from services.ingest.catalog.users import User, Users
from services.ingest.scan_requests import ask, ask_when_due, named
from services.ingest.sessions.progress.delays import Delays
from services.ingest.sessions.tables import outbox
from shared.contracts import ShopScanRequested, WorkDelayed
from shared.nas import PathNas
from tests.integration.scan.works import Works
from tests.seller import artwork

HOUR = timedelta(hours=1)
Command = Callable[..., Result]


@pytest.fixture
def command(database_url: str, tmp_path: Path) -> Command:
    (tmp_path / "environment").touch()  # as `presswork up` leaves it

    def run(*words: str) -> Result:
        return CliRunner().invoke(
            app, ["nas", *words, "--data", str(tmp_path)], env={"DATABASE_URL": database_url, "EMBEDDED": "true"}
        )

    return run


def register(engine: Engine, shop: str) -> User:
    with engine.begin() as connection:
        return Users(connection).register(f"{shop.lower()}@example.com", "-", shop)


def owed(engine: Engine) -> list[ShopScanRequested]:
    asked = select(outbox.c.data).where(outbox.c.type == "ShopScanRequested").order_by(outbox.c.created_at)
    with engine.connect() as connection:
        return [ShopScanRequested.model_validate(data) for data in connection.execute(asked).scalars()]


def test_each_shop_is_asked_for_once_in_an_interval_whoever_looks_at_the_clock(engine: Engine) -> None:
    users = [register(engine, shop) for shop in ("NorthCups", "SouthCups", "WestCups")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ask_when_due(engine, "comprehensive", HOUR), range(8)))
    assert {(asked.tenant_id, asked.shop) for asked in owed(engine)} == {(user.id, user.shop_folder) for user in users}
    assert len(owed(engine)) == 3
    assert ask_when_due(engine, "comprehensive", timedelta(0)) == 3


def test_the_shop_whose_folder_has_just_that_name_is_meant(engine: Engine) -> None:
    first = register(engine, "NorthCups")
    with engine.begin() as connection:
        second = Users(connection).register("other@example.com", "-", "NorthCups")
        assert second.shop_folder == "NorthCups 2"
        for name, meant in (("NorthCups", first), ("NorthCups 2", second), ("other@example.com", second)):
            assert [asked.tenant_id for asked in ask(connection, "comprehensive", named(name))] == [meant.id]


def test_people_have_a_shop_scanned_and_read_what_came_of_it(
    command: Command, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    tenant = UUID(str(register(engine, "NorthCups").id))
    PathNas(tmp_path / "nas").initialise()
    folder = tmp_path / "nas" / "NorthCups"
    folder.mkdir()
    (folder / "rose.png").write_bytes(artwork(1))
    (folder / "torn.png").write_bytes(artwork(2)[:200])
    nobody = command("scan", "--shop", "EastCups")
    assert (nobody.exit_code, nobody.stderr) == (3, "No shop is called EastCups.\n")
    delays = Delays(engine)
    away = WorkDelayed(service="storage", session_id=None, cause="NasUnavailable: the NAS does not answer")
    delays.note(away)
    assert command("scans").stdout == ("NorthCups: not looked through yet\n  waits  storage: the NAS does not answer\n")
    delays.note(away.model_copy(update={"cause": ""}))
    assert command("scans").stdout == "NorthCups: not looked through yet\n"

    asked = command("scan", "--shop", "northcups@example.com")
    assert (asked.exit_code, asked.stdout) == (
        0, "1 shop will be looked through in the background: presswork nas scans\n",
    )  # fmt: skip
    works = Works(database_url, engine, tmp_path, tenant=tenant)
    works.run(*owed(engine))
    listed, _, rest = command("scans", "--tenant", str(tenant)).stdout.partition("; listed ")
    at, _, faults = rest.partition("\n")
    assert datetime.now(UTC) - datetime.strptime(f"{at} +0000", "%Y-%m-%d %H:%M:%S UTC %z") < HOUR
    assert f"{listed}\n{faults}" == (
        "NorthCups: 2 pictures, 1 known, 2 of them new or changed, 1 unusable; and 0 designs of ours\n"
        "  unusable  NorthCups/torn.png: not an image (truncated after 200 bytes); it was cut off or damaged on its "
        "way: send it again, or export it anew\n"
    )

    assert command("reindex").exit_code == 0
    *_, anew = owed(engine)
    assert anew.anew
    works.run(anew)
    assert works.count("on_picture_found") == 4


def test_a_name_on_the_nas_neither_steers_a_terminal_nor_forges_a_line(
    command: Command, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    tenant = UUID(str(register(engine, "NorthCups").id))
    PathNas(tmp_path / "nas").initialise()
    folder = tmp_path / "nas" / "NorthCups" / "old\nNorthCups: all is well"
    folder.mkdir(parents=True)
    (folder.parent / "rose\n\x1b[2J.png").write_bytes(artwork(1))
    asked = command("scan", "--shop", "NorthCups")
    assert asked.exit_code == 0
    Works(database_url, engine, tmp_path, tenant=tenant).run(*owed(engine))
    _, folders, files = command("scans").stdout.splitlines()
    assert folders.startswith("  not listed  NorthCups/old\ufffdNorthCups: all is well: ")
    assert files.startswith("  unusable  NorthCups/rose\ufffd\ufffd[2J.png: ")
