"""Whoever uploads while the scan of the shop's folder goes on hears what the files could not be compared with."""

import contextlib
from collections.abc import Iterator
from uuid import uuid4

from sqlalchemy import create_engine, delete, func, insert, select
from typer.testing import CliRunner

from services.cli import app
from services.storage.tables import scanned, scans
from tests.integration.ingest import artworks
from tests.integration.ingest.frontend import Shop
from tests.waiting import eventually

NOTE = (
    "1 picture in your folder on the NAS is still to be compared with uploads: copies of it are not recognised yet, "
    "and may have been stored."
)


@contextlib.contextmanager
def in_a_hashers_hands(shop: Shop) -> Iterator[None]:
    """A picture in the shop's folder that a scan has sent to the hashers, whose answer does not come."""
    path, engine = f"{shop.folder}/old.png", create_engine(shop.server.place.database_url)
    picture = {
        "path": path,
        "size": 1,
        "modified_ns": 1,
        "state": "sent",
        "turn": 0,
        "ticket": uuid4(),
        "cause": uuid4(),
    }
    listed = select(scans.c.scan_id).where(scans.c.tenant_id == shop.user["id"])
    with engine.begin() as connection:
        connection.execute(insert(scanned).values(**picture, tenant_id=shop.user["id"], changed_at=func.now()))
    try:
        with engine.connect() as connection:
            eventually(lambda: connection.execute(listed).first())
            yield
    finally:
        with engine.begin() as connection:
            connection.execute(delete(scanned).where(scanned.c.path == path))
        engine.dispose()


def test_an_upload_beside_a_scan_is_told_what_it_was_not_compared_with(shop: Shop) -> None:
    files = artworks.designs(2)
    session = shop.start(files)
    with in_a_hashers_hands(shop):
        made = shop.uploaded(files, session)
        assert shop.get(session, "/receipt")["notes"] == [NOTE]
        listed = shop.list_designs([design["id"] for design in made["designs"]]).json()
        assert NOTE in listed["result"]["message"].split("\n"), "all that the client shows to its user"
        assert listed["message"].startswith("Successfully")
        told = CliRunner().invoke(app, ["receipt", session], env=dict(shop.server.place.environment))
        assert f"\n    {NOTE}\n" in told.output, "an operator reads it, too"
    assert shop.get(session, "/receipt")["notes"] == []
