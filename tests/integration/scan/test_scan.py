"""What lies on the NAS is known to dedup, and looking again costs next to nothing. Real hasher, dedup and database."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, update

from services.storage.comparing import LOOK_AGAIN
from services.storage.scan_progress import progress_of, unusable
from services.storage.scan_rows import Scanned
from services.storage.scanning import Scan, listing_of
from services.storage.tables import scanned
from shared.blobs import Blobs
from shared.contracts import SCANNED, Blob, DesignStored, PictureFound, PictureHashed, ShopScanRequested
from shared.nas import PathNas, open_nas
from shared.nas.errors import NasUnavailable
from tests import nas_servers
from tests.integration.scan.works import Works
from tests.nas_servers import Server
from tests.seller import artwork
from tests.waiting import somebody_waits, until

ROSE, TULIP, DAISY, IRIS = map(artwork, range(1, 5))


@pytest.fixture
def works(database_url: str, engine: Engine, tmp_path: Path) -> Works:
    PathNas(tmp_path / "nas").initialise()
    return Works(database_url, engine, tmp_path)


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "openssh").mkdir()
    with nas_servers.openssh(tmp_path / "openssh") as server:
        yield server


def lay(folder: Path, **files: bytes) -> None:
    """Put pictures into a shop's folder, as another program does; `__` stands for `/`."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def goes_on(request: ShopScanRequested) -> ShopScanRequested:
    """The message by which it does."""
    return request.model_copy(update={"goes_on": True})


def scan_of(works: Works) -> Scan:
    """A storage process's."""
    nas, copies = PathNas(works.root / "nas", first_wait_s=0.01), Blobs(works.root / "blobs" / SCANNED)
    return Scan(Scanned(works.engine, works.window), nas, copies)


def test_a_shops_pictures_are_hashed_once_and_what_changes_is_noticed(works: Works) -> None:
    shop = works.root / "nas" / works.shop
    lay(shop, Cups__old__rose=ROSE, Cups__tulip=TULIP, Digital__Cups__daisy=DAISY, torn=IRIS[:200])
    lay(shop, Mockups__Cups__rose_on_a_cup=ROSE)
    (shop / "prices.txt").write_text("4.00")
    works.run(works.scan())
    assert works.count("on_picture_found") == 4
    pictures = {"Cups/old/rose.png": "known", "Cups/tulip.png": "known", "Digital/Cups/daisy.png": "known"}
    assert works.states() == pictures | {"torn.png": "unusable"}
    assert works.learnt() == set(pictures)
    assert works.most_copies <= works.window
    assert works.copies() == []

    found = works.duplicate(ROSE)
    assert (found.kind, found.match.source, found.match.path) == ("identical", "nas", "NorthCups/Cups/old/rose.png")
    assert found.reason == "the same file as rose.png on the NAS, byte for byte"

    works.run(works.scan())
    assert works.count("on_picture_found") == 0
    with works.engine.connect() as connection:
        now = progress_of(connection, works.tenant)
        ((path, why),) = unusable(connection, works.tenant)
    assert now is not None
    assert (now.pictures, now.to_hash, now.known, now.unusable, now.waiting, now.gone) == (4, 0, 3, 1, 0, 0)
    assert path == "NorthCups/torn.png"
    assert why.startswith("not an image (truncated after 200 bytes); it was cut off or damaged on its way: ")

    os.utime(shop / "Cups/tulip.png", ns=(1, 1))  # looked at anew, and the same
    lay(shop, torn=IRIS)
    (shop / "Cups/old/rose.png").unlink()
    works.run(works.scan())
    assert works.count("on_picture_found") == 1
    assert works.learnt() == {"Cups/tulip.png", "Digital/Cups/daisy.png", "torn.png"}

    events = works.run(works.upload(ROSE))
    assert [type(event) for event in events][-1] is DesignStored  # nothing on the NAS is like it any more
    works.run(works.scan(anew=True))
    assert works.count("on_picture_found") == 3  # a design of ours is known anyway
    assert works.learnt() == {"Cups/tulip.png", "Digital/Cups/daisy.png", "torn.png"}


def test_a_scan_that_was_interrupted_anywhere_goes_on_where_it_was(works: Works) -> None:
    lay(works.root / "nas" / works.shop, **{f"n{number}": artwork(10 + number) for number in range(6)})
    scan, request = scan_of(works), works.scan()
    first = next(iter(scan.shop(request)))  # and the process dies, with all that was in its memory
    assert isinstance(first, PictureFound)
    handed = list(scan_of(works).shop(request))
    assert next(message.ticket for message in handed if isinstance(message, PictureFound)) == first.ticket
    assert len(handed) == works.window

    answer = PictureHashed.model_validate(first.model_dump() | {"problem": "torn"})
    (following,) = scan_of(works).next(answer)  # and dies again, before anybody had this
    assert list(scan_of(works).next(answer)) == [following]

    works.run(request)
    assert works.count("on_picture_found") == 5
    assert set(works.states().values()) == {"known", "unusable"}


class Watched(Scanned):
    """Rows that count, whenever a file gives its place in the window to another, whose copies lie there."""

    def __init__(self, works: Works) -> None:
        super().__init__(works.engine, works.window)
        self.works = works
        self.most_beside: list[int] = []

    def settle(self, ticket: UUID, state: str, **facts: object) -> None:
        super().settle(ticket, state, **facts)
        with self.works.engine.connect() as connection:
            copied = connection.execute(select(func.count(scanned.c.copied))).scalar_one()
        self.most_beside.append(len(self.works.copies()) - copied)


def test_a_copy_is_gone_before_its_place_is_given_to_another(works: Works) -> None:
    """Or as many copies more than the window lie there as answers come at one time."""
    shop = works.root / "nas" / works.shop
    lay(shop, rose=ROSE, tulip=TULIP, daisy=DAISY)
    works.run(works.scan())
    os.utime(shop / "rose.png", ns=(1, 1))
    lay(shop, tulip=IRIS)
    rows = Watched(works)
    scan = Scan(rows, PathNas(works.root / "nas", first_wait_s=0.01), Blobs(works.root / "blobs" / SCANNED))
    (found,) = scan.shop(works.scan())
    assert isinstance(found, PictureFound)
    assert list(scan.next(PictureHashed.model_validate(found.model_dump() | {"problem": "torn"}))) == []
    assert rows.most_beside == [0, 0]


class Overtaken(Blobs):
    """Something else happens once, in the moment in which a copy that nobody needs is to be removed."""

    def __init__(self, root: Path, meanwhile: Callable[[], object]) -> None:
        super().__init__(root)
        self.meanwhile = [meanwhile]

    def path(self, blob: Blob) -> Path:
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().path(blob)


def test_a_copy_of_which_another_file_is_a_double_is_there_when_that_is_sent(works: Works, engine: Engine) -> None:
    lay(works.root / "nas" / works.shop, rose=ROSE, same=ROSE)
    works.window = 1
    (first,) = scan_of(works).shop(works.scan())
    assert isinstance(first, PictureFound)
    works.window = 2
    sending: list[Future[list[object]]] = []

    def send_the_other() -> None:
        sending.append(pool.submit(lambda: [*scan_of(works).shop(goes_on(works.scan()))]))
        until(lambda: sending[0].done() or somebody_waits(engine))

    with ThreadPoolExecutor(1) as pool:
        scan = replace(scan_of(works), copies=Overtaken(works.root / "blobs" / SCANNED, send_the_other))
        assert list(scan.next(PictureHashed.model_validate(first.model_dump() | {"problem": "torn"}))) == []
        (second,) = sending[0].result(30)
    assert isinstance(second, PictureFound)
    assert works.copies() == [scan.copies.path(second.content)]


def test_one_message_takes_its_turns_worth_of_unchanged_files_and_the_next_goes_on(works: Works) -> None:
    shop = works.root / "nas" / works.shop
    lay(shop, **{f"n{number}": artwork(30 + number) for number in range(5)})
    works.run(works.scan())
    for number in range(4):
        os.utime(shop / f"n{number}.png", ns=(1, 1))  # as when the folder is copied to a new NAS
    lay(shop, n4=ROSE)
    scan, request, known = replace(scan_of(works), turn_s=0), works.scan(), []
    (handed,) = first = list(scan.shop(request))
    assert list(scan.shop(request)) == first, "a repeat goes on by the same message"
    while isinstance(handed, ShopScanRequested):
        known.append(list(works.states().values()).count("known"))
        (handed,) = scan.shop(handed)
    assert known == [2, 3, 4]
    assert isinstance(handed, PictureFound)
    assert handed.path == "NorthCups/n4.png"
    assert works.copies() == [scan.copies.path(handed.content)]


def test_a_file_that_cant_be_read_now_is_looked_at_again_and_one_that_is_gone_is_forgotten(works: Works) -> None:
    shop = works.root / "nas" / works.shop
    lay(shop, a=ROSE, b=TULIP)
    scan = scan_of(works)
    scan.rows.note(request := works.scan(), listing_of(scan.nas, works.shop))
    (shop / "a.png").write_bytes(ROSE[:-1])  # its program has not finished
    (shop / "b.png").unlink()
    assert [type(message).__name__ for message in scan.shop(goes_on(request))] == ["PicturesGone"]
    assert works.states() == {"a.png": "unusable", "b.png": "gone"}
    with works.engine.connect() as connection:
        assert LOOK_AGAIN in connection.execute(select(scanned.c.modified_ns)).scalars().all()
    (message,) = [m for m in scan.shop(works.scan()) if isinstance(m, PictureFound)]
    assert message.path == "NorthCups/a.png"


def test_a_known_file_that_could_not_be_read_once_is_known_again_when_it_can(works: Works) -> None:
    shop = works.root / "nas" / works.shop
    lay(shop, a=ROSE)
    works.run(works.scan())
    scan = scan_of(works)
    os.utime(shop / "a.png", ns=(1, 1))
    scan.rows.note(request := works.scan(), listing_of(scan.nas, works.shop))
    (shop / "a.png").write_bytes(ROSE[:-1])  # its program has not finished
    assert list(scan.shop(goes_on(request))) == []
    assert works.states() == {"a.png": "unusable"}
    lay(shop, a=ROSE)
    works.run(works.scan())
    assert works.states() == {"a.png": "known"}
    assert works.learnt() == {"a.png"}


def test_a_design_of_ours_that_was_deleted_from_the_nas_blocks_nothing_until_it_is_back(works: Works) -> None:
    def stored() -> DesignStored:
        (found,) = [event for event in works.run(works.upload(ROSE)) if isinstance(event, DesignStored)]
        return found

    first = stored()
    file = works.root / "nas" / first.path
    content = file.read_bytes()
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == first.item_id
    shop = works.root / "nas" / works.shop
    shop.rename(shop.with_name("renamed"))
    works.run(works.scan())
    shop.with_name("renamed").rename(shop)
    assert works.duplicate(ROSE).match.item_id == first.item_id
    file.unlink()
    works.run(works.scan())
    second = stored()
    assert second.path != first.path
    (works.root / "nas" / second.path).unlink()
    file.write_bytes(content)
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == first.item_id
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == first.item_id


def test_a_design_of_ours_that_was_overwritten_blocks_nothing_and_what_lies_there_now_does(works: Works) -> None:
    (first,) = [event for event in works.run(works.upload(ROSE)) if isinstance(event, DesignStored)]
    file = works.root / "nas" / first.path
    content = file.read_bytes()
    file.write_bytes(TULIP)
    works.run(works.scan())
    match = works.duplicate(TULIP).match
    assert (match.source, match.path) == ("nas", first.path)
    file.write_bytes(content)
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == first.item_id
    file.write_bytes(TULIP)
    works.run(works.scan())
    assert any(isinstance(event, DesignStored) for event in works.run(works.upload(ROSE)))


def test_a_design_of_ours_that_was_torn_blocks_nothing_until_it_is_whole_again(works: Works) -> None:
    (first,) = [event for event in works.run(works.upload(ROSE)) if isinstance(event, DesignStored)]
    file = works.root / "nas" / first.path
    content = file.read_bytes()
    file.write_bytes(content[:1000])
    works.run(works.scan())
    assert list(works.states().values()) == ["unusable"]
    (second,) = [event for event in works.run(works.upload(ROSE)) if isinstance(event, DesignStored)]
    (works.root / "nas" / second.path).unlink()
    file.write_bytes(content)
    works.run(works.scan())
    assert works.duplicate(ROSE).match.item_id == first.item_id


class Unread(PathNas):
    """A NAS of which nobody may read a file."""

    def read(self, path: str) -> Iterator[bytes]:
        raise AssertionError(f"{path} was read")


def test_ten_thousand_unchanged_files_are_listed_and_none_is_read(works: Works) -> None:
    for folder in range(10):
        lay(works.root / "nas" / works.shop, **{f"T{folder}__{number}": b"x" for number in range(1000)})
    scan = Scan(Scanned(works.engine, works.window), Unread(works.root / "nas"), Blobs(works.root / "blobs"))
    scan.rows.note(works.scan(), listing_of(scan.nas, works.shop))
    with works.engine.begin() as connection:
        connection.execute(update(scanned).values(state="known"))
    assert list(scan.shop(works.scan())) == []
    with works.engine.connect() as connection:
        now = progress_of(connection, works.tenant)
    assert now is not None
    assert (now.pictures, now.to_hash, now.known) == (10_000, 0, 10_000)


def test_what_lies_on_a_nas_that_is_away_is_not_believed_to_be_gone(works: Works) -> None:
    nas = works.root / "nas"
    lay(nas / works.shop, rose=ROSE)
    list(scan_of(works).shop(works.scan()))
    nas.rename(works.root / "unmounted")
    nas.mkdir()
    with pytest.raises(NasUnavailable):
        list(scan_of(works).shop(works.scan()))
    assert works.states() == {"rose.png": "sent"}


@pytest.mark.nas
def test_a_nas_that_is_reached_by_sftp_is_scanned_alike(works: Works, openssh: Server) -> None:
    assert openssh.folder is not None
    open_nas(openssh.url, access=openssh.access).initialise()
    lay(openssh.folder / works.shop, Cups__rose=ROSE, tulip=TULIP)
    works.nas_url, works.access = openssh.url, openssh.access
    works.run(works.scan())
    assert works.learnt() == {"Cups/rose.png", "tulip.png"}
    works.run(works.scan())
    assert works.count("on_picture_found") == 2
    other = Works(works.database_url, works.engine, works.root)
    assert other.tenant != works.tenant
    assert type(other.run(other.upload(ROSE))[-1]) is DesignStored  # another tenant's is nobody's duplicate


def test_files_on_a_nas_that_is_away_take_no_room_from_those_on_another(works: Works) -> None:
    nas = PathNas(works.root / "nas", first_wait_s=0.01)
    copies = Blobs(works.root / "blobs" / SCANNED)
    south, north = (
        Scan(Scanned(works.engine, works.window, here), nas, copies)
        for here in (lambda folder: folder == "SouthCups", lambda folder: folder != "SouthCups")
    )
    for shop, scan in (("SouthCups", south), ("NorthCups", north)):
        lay(works.root / "nas" / shop, rose=ROSE, tulip=TULIP, daisy=DAISY)
        sent = list(scan.shop(ShopScanRequested(tenant_id=uuid4(), shop=shop, scan_id=uuid4())))
        assert [message.path.partition("/")[0] for message in sent if isinstance(message, PictureFound)] == [shop] * 2
