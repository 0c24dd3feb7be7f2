"""Who is here already: accounts with the same e-mail, files that a scan has learnt; and what is no old system."""

from pathlib import Path

from sqlalchemy import Engine, select
from typer.testing import CliRunner

from services.cli import app
from services.dedup.records.old_designs import LEGACY
from services.dedup.rule.known_picture import Known
from services.dedup.store import HashIndex
from services.dedup.tables import hashes
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import Users
from tests.integration.legacy.conftest import Import
from tests.integration.legacy.old import Old, old_id

CUPS = "NorthCups/UVDTF 16oz"


def learnt(path: str) -> Known:
    """A file that a scan has found and hashed."""
    facts = {"phash": "0f" * 32, "dhash": "f0" * 32, "upload_sha256": "1" * 64, "print_sha256": "1" * 64}
    return Known(source="nas", algorithm="ours", path=path, name=path.rpartition("/")[2], **facts)


def test_an_account_that_registered_here_gets_an_old_ones_things_only_if_that_is_said(
    old: Old, run: Import, engine: Engine
) -> None:
    ana = old.user("ana", "ana@example.com")
    old.template("UVDTF 16oz", ana)
    old.design("UV 100 UVDTF_16oz_100.png", ana, f"/share/Graphics/{CUPS}/UV 100 UVDTF_16oz_100.png")
    for which, made in (("newer", "2025-09-26"), ("older", "2025-09-25")):
        name = "UV 103 UVDTF_16oz_103.png"
        old.design(which, ana, f"/share/Graphics/{CUPS}/{name}", filename=name, created_at=made)
    with engine.begin() as connection:
        here = Users(connection).register("Ana@Example.com", "-", "NorthCups")
    for name in ("UV 100 UVDTF_16oz_100.png", "UV 103 UVDTF_16oz_103.png"):
        HashIndex(engine, 5).learn(here.id, learnt(f"{CUPS}/{name}"))

    refused = run()
    assert refused.exit_code == 1
    assert "users: 1 skipped" in refused.stdout
    assert "say --into-existing" in refused.stdout

    joined = run("--into-existing")
    assert joined.exit_code == 0, joined.stdout
    assert "users: 1 joined to who registered here with the same e-mail" in joined.stdout
    with engine.connect() as connection:
        assert [each.name for each in Templates(connection, here.id).all()] == ["UVDTF 16oz"]
        found = Users(connection).for_login("ana@example.com")
        rows = connection.execute(select(hashes.c.item_id, hashes.c.algorithm, hashes.c.source, hashes.c.tenant_id))
        known = {row.item_id: tuple(row)[1:] for row in rows}
    assert found is not None
    assert (found[0].id, found[1]) == (here.id, "-")
    assert known == {  # the scan's hashes are the designs' now: of two with one file, the newer one's
        old_id("design UV 100 UVDTF_16oz_100.png"): ("ours", "database", here.id),
        old_id("design newer"): ("ours", "database", here.id),
        old_id("design older"): (LEGACY, "database", here.id),
    }
    assert "designs: 3 unchanged" in run("--into-existing").stdout


def test_what_is_no_old_system_or_away_is_said_and_nothing_is_copied(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def ended(address: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["import-legacy", address, "--data", str(tmp_path)], env=environment)
        return done.exit_code, done.stderr

    code, words = ended(environment["DATABASE_URL"])
    assert (code, words.partition(":")[0]) == (3, "Nothing was copied")
    assert "no table users" in words
    assert ended("mysql://root@localhost/old")[0] == 3
    assert ended("no address")[0] == 3
    code, words = ended("postgresql://reader:secret@127.0.0.1:1/old")
    assert code == 4
    assert words.startswith("the old system's database can't be used")
    assert "secret" not in words
