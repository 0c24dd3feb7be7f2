"""Designs that are listed long after they were stored, and whose print on the NAS is gone or damaged by then."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.ingest.sessions.intake import print_check
from shared.nas.errors import NasRefused, NasUnavailable
from shared.nas.marker import MARKER
from tests.integration.ingest import artworks
from tests.integration.ingest.embedded import PRODUCT, Threaded
from tests.integration.ingest.frontend import Shop
from tests.waiting import eventually


class Stored:
    """An upload of yesterday, of which nothing was listed."""

    def __init__(self, server: Threaded, shop: Shop, count: int) -> None:
        self.engine, self.blobs = server.desk.sessions.engine, server.desk.prints.blobs
        sent = artworks.fresh(count)
        designs = shop.uploaded(sent, shop.start())["designs"]
        self.sent = [name for name, _ in sent]
        self.ids = [design["id"] for design in designs]
        self.files = [server.place.nas / shop.folder / PRODUCT / design["filename"] for design in designs]
        with self.engine.begin() as connection:
            item = "UPDATE ingest.items SET updated_at = updated_at - interval '1 day' WHERE id = :id"
            events = "UPDATE ingest.session_events SET created_at = created_at - interval '1 day' WHERE item_id = :id"
            for yesterday in (item, events):
                connection.execute(text(yesterday), [{"id": each} for each in self.ids])

    def lose_copy(self, index: int) -> None:
        """The blob store has it no more, as after `presswork spool sweep`."""
        of_it = text("SELECT print_sha256 FROM ingest.items WHERE id = :id")
        with self.engine.connect() as connection:
            digest = connection.execute(of_it, {"id": self.ids[index]}).scalar_one()
        (self.blobs.root / digest[:2] / digest).unlink()


@pytest.fixture
def stored(server: Threaded, shop: Shop) -> Stored:
    return Stored(server, shop, 2)


def told(shop: Shop, ids: list[str]) -> tuple[list[str], dict[str, Any]]:
    answer = shop.list_designs(ids).json()
    return answer["result"]["message"].split("\n"), answer["listings"]


def damage(file: Path) -> bytes:
    """Another byte in the middle, as a dying disk has it; return what it was."""
    before = file.read_bytes()
    file.write_bytes(before[:-9] + bytes([before[-9] ^ 1]) + before[-8:])
    return before


def test_a_print_that_is_gone_is_put_back_and_its_design_listed(shop: Shop, stored: Stored) -> None:
    file = stored.files[0]
    before = file.read_bytes()
    file.unlink()
    assert told(shop, stored.ids)[1]["listed"] == 2
    assert eventually(file.exists)
    assert file.read_bytes() == before


@pytest.mark.parametrize("looks", ["damaged", "cut off"])
def test_a_print_that_is_damaged_is_not_listed_until_it_is_out_of_the_way(
    shop: Shop, stored: Stored, looks: str
) -> None:
    file = stored.files[0]
    before = file.read_bytes()
    if looks == "damaged":
        damage(file)
    else:
        file.write_bytes(before[:100])
    lines, counts = told(shop, stored.ids)
    assert counts["listed"] == 1
    (line,) = (line for line in lines if f"{file.name}'" in line)
    assert line.startswith(
        f"{stored.sent[0]} ({file.name}): not listed: its print '{shop.folder}/{PRODUCT}/{file.name}' on the NAS is not"
    )
    assert line.endswith("rename or remove it and ask again, and the server puts its own copy there")
    file.unlink()
    assert told(shop, stored.ids)[1]["listed"] == 2
    assert eventually(file.exists)
    assert file.read_bytes() == before


def test_where_the_server_has_no_copy_either_the_seller_reads_what_to_do(shop: Shop, stored: Stored) -> None:
    for index in (0, 1):
        stored.lose_copy(index)
    stored.files[0].unlink()
    damage(stored.files[1])
    lines, counts = told(shop, stored.ids)
    assert counts["listed"] == 0
    upload_again = "or delete the design and upload it again"
    assert lines[1].endswith(f"so is the server's copy: put it back from a backup, {upload_again}")
    assert lines[2].endswith(f"or is damaged; put the stored one back from a backup, {upload_again}")


def test_while_the_nas_is_away_listings_are_made_from_the_servers_copies(
    server: Threaded, shop: Shop, stored: Stored, impatient: None
) -> None:
    mark = server.place.nas / MARKER
    content = mark.read_bytes()
    mark.unlink()
    try:
        assert told(shop, stored.ids)[1]["listed"] == 2
    finally:
        mark.write_bytes(content)


def test_more_prints_than_can_be_looked_at_in_time_hold_up_nobody(
    shop: Shop, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_check, "LOOKING_S", 0.0)
    damage(stored.files[0])
    assert told(shop, stored.ids)[1]["listed"] == 2


def test_what_was_seen_before_the_nas_went_away_counts(
    server: Threaded, shop: Shop, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first print is seen to be cut off; then the second one can't be read any more."""

    def goes_away(*_: object) -> bool:
        raise NasUnavailable("the NAS does not answer")

    monkeypatch.setattr(type(server.desk.prints.nas), "verify", goes_away)
    stored.files[0].write_bytes(b"")
    lines, counts = told(shop, stored.ids)
    assert counts["listed"] == 1
    assert [line for line in lines if f"({stored.files[0].name}): not listed: its print " in line]


@pytest.mark.parametrize("call", ["stat", "verify"])
def test_a_print_that_is_in_use_holds_up_no_other_and_is_not_called_damaged(
    server: Threaded, shop: Shop, stored: Stored, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    nas, name = type(server.desk.prints.nas), stored.files[0].name
    real = getattr(nas, call)

    def refuses(self: Any, path: str, *rest: Any) -> Any:
        if path.endswith(name):
            raise NasRefused("it is in use; close it where it is open")
        return real(self, path, *rest)

    monkeypatch.setattr(nas, call, refuses)
    lines, counts = told(shop, stored.ids)
    assert counts["listed"] == 1
    (line,) = (line for line in lines if f"({name}): not listed: " in line)
    assert line.endswith("' on the NAS can't be read: it is in use; close it where it is open; then ask again")


def test_a_link_that_leads_nowhere_holds_up_no_other(shop: Shop, stored: Stored) -> None:
    file = stored.files[0]
    file.unlink()
    file.symlink_to(file)
    lines, counts = told(shop, stored.ids)
    assert counts["listed"] == 1
    assert any(f"{file.name}' on the NAS can't be read: " in line for line in lines)


def test_a_design_whose_description_was_changed_just_now_is_looked_at_all_the_same(shop: Shop, stored: Stored) -> None:
    damage(stored.files[0])
    assert shop.client.put(f"/designs/update/{stored.ids[0]}", json={"description": "New words"}).status_code == 200
    assert told(shop, stored.ids)[1]["listed"] == 1


def test_a_print_that_storage_has_just_read_back_is_not_read_once_more(server: Threaded, shop: Shop) -> None:
    (design,) = shop.uploaded(artworks.fresh(1), shop.start())["designs"]
    damage(server.place.nas / shop.folder / PRODUCT / design["filename"])
    assert told(shop, [design["id"]])[1]["listed"] == 1
