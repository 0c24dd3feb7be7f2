"""A scan finds the same on every kind of NAS: all of it once, nothing twice, what has changed, what is gone."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from services.storage.scan_progress import progress_of
from services.storage.scan_rows import Scanned
from services.storage.scanning import Scan
from services.storage.tables import scanned
from shared.blobs import Blobs
from shared.contracts import SCANNED, PictureFound, PictureHashed, PicturesGone, ShopScanRequested
from shared.nas import Nas, PathNas, open_nas
from tests.integration.nas.test_nas import REMOTE

pytestmark = [pytest.mark.nas, pytest.mark.postgres]
SHOP = "Nördlich & Söhne"
ROSE, TULIP, DAISY = "UV 1/old/Grüne Rose #1 100%.png", "tulip.JPG", "Digital/daisy+1.png"
MANGLED = 'rose: "new"?.png'
"""A name that a share can't tell its clients: its server makes another up."""


@dataclass
class Shop:
    """A shop's folder on a NAS, its scans, and what came of them."""

    engine: Engine
    nas: Nas
    root: Path
    folder: Path | None = None
    """Where it lies on this machine, if a server here has it in files."""
    tenant: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.copies = Blobs(self.root / SCANNED)
        self.scan_all = Scan(Scanned(self.engine, 2), self.nas, self.copies)

    def lay(self, path: str, content: bytes) -> None:
        """Put a file there, as another program does; what was there goes."""
        source, path = self.root / "source", f"{SHOP}/{path}"
        source.write_bytes(content)
        self.nas.delete(path)
        self.nas.put(path, source, hashlib.sha256(content).hexdigest(), len(content))

    def scan(self) -> tuple[dict[str, bytes], list[str]]:
        """What was handed to the hashers, who answer each, and what is gone."""
        request = ShopScanRequested(tenant_id=self.tenant, shop=SHOP, scan_id=uuid4())
        messages, handed, gone = list(self.scan_all.shop(request)), dict[str, bytes](), list[str]()
        while messages:
            message = messages.pop(0)
            if isinstance(message, PicturesGone):
                gone += map(below, message.paths)
            else:
                assert isinstance(message, PictureFound)
                assert below(message.path) not in handed, "twice"
                handed[below(message.path)] = self.copies.get(message.content)
                messages += self.scan_all.next(hashed(message))
        return handed, gone

    def states(self) -> dict[str, str]:
        with self.engine.connect() as connection:
            rows = connection.execute(select(scanned.c.path, scanned.c.state))
            return {below(row.path): row.state for row in rows}


def below(path: str) -> str:
    return path.removeprefix(f"{SHOP}/")


def hashed(found: PictureFound) -> PictureHashed:
    """The hashers' answer."""
    return PictureHashed.model_validate(
        found.model_dump() | {"algorithm": "test", "phash": "0" * 64, "dhash": "0" * 64}
    )


@pytest.fixture(params=["path", *REMOTE])
def shop(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Iterator[Shop]:
    server = None
    if request.param in REMOTE:
        server = request.getfixturevalue(REMOTE[request.param]).below(uuid4().hex)
    with closing(open_nas(server.url, access=server.access) if server else PathNas(tmp_path / "nas")) as nas:
        nas.initialise()
        yield Shop(engine, nas, tmp_path, server.folder if server else None)


def test_a_scan_finds_all_once_then_what_has_changed_and_what_is_gone(shop: Shop) -> None:
    content = {ROSE: b"a rose", TULIP: b"a tulip" * 300_000, DAISY: b"a daisy"}
    for path, data in content.items():
        shop.lay(path, data)
    shop.lay("Mockups/UV 1/rose on a cup.png", b"a cup")
    shop.lay("prices.txt", b"4.00")
    assert shop.scan() == (content, [])
    assert shop.states() == dict.fromkeys(content, "known")

    assert shop.scan() == ({}, [])
    with shop.engine.connect() as connection:
        now = progress_of(connection, shop.tenant)
    assert now is not None
    assert (now.pictures, now.to_hash, now.known, now.unread) == (3, 0, 3, {})

    shop.lay(TULIP, b"another tulip")
    shop.nas.delete(f"{SHOP}/{ROSE}")
    assert shop.scan() == ({TULIP: b"another tulip"}, [ROSE])
    assert shop.states() == {TULIP: "known", DAISY: "known", ROSE: "gone"}
    assert not [path for path in shop.copies.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("shop", ["smb"], indirect=True)
def test_a_file_whose_name_a_share_cant_tell_is_scanned_by_the_name_that_it_makes_up(shop: Shop) -> None:
    shop.lay(DAISY, b"a daisy")
    assert shop.folder is not None
    (shop.folder / SHOP / MANGLED).write_bytes(b"a rose")
    handed, _ = shop.scan()
    assert sorted(handed.values()) == [b"a daisy", b"a rose"]
    assert shop.scan() == ({}, [])
