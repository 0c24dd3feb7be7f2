"""A file that kills its decoder, in the middle of an upload to the whole system in one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.hasher import service
from tests.integration.ingest import artworks, embedded, frontend
from tests.integration.ingest.frontend import Shop
from tests.unit.hasher import poisoned


@pytest.fixture
def shop(tmp_path: Path, postgres_url: str, _template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A user of a server whose decoder can be killed."""
    monkeypatch.setattr(service, "MAKER", poisoned.MAKER)
    place = embedded.place(tmp_path, postgres_url, _template)
    with place as here, embedded.serving(here) as server, frontend.shop(server) as found:
        yield found


def test_a_killer_in_an_upload_costs_only_itself(shop: Shop) -> None:
    files = artworks.designs(5)
    files[2] = ("rose.png", poisoned.killer(files[2][1]))
    session = shop.start()
    assert shop.uploaded(files, session)["total"] == 4
    items = shop.items(session)
    assert [item["state"] for item in items] == ["stored", "stored", "rejected", "stored", "stored"]
    assert items[2]["reason"] == (
        "rose.png: this file makes the image decoder crash (signal SIGSEGV); export it again as PNG"
    )
    receipt = shop.get(session, "/receipt")
    assert (receipt["received"], receipt["stored"], receipt["rejected"], receipt["failed"]) == (5, 4, 1, 0)
    again = shop.start()
    assert shop.uploaded(artworks.designs(1, first=90), again)["total"] == 1, "the server goes on"
