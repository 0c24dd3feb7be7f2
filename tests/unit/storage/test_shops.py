"""Which shop has which NAS, and in which queue its work waits."""

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.storage.service import build
from services.storage.settings import Settings
from shared.contracts import Blob, PictureHashed, ShopScanRequested
from shared.errors import Elsewhere
from shared.nas import PathNas

NORTH, SOUTH = "presswork.storage.nas", "presswork.storage.nas.southcups"


def settings(tmp_path: Path, nas_shops: str) -> Settings:
    return Settings(nas_url=str(tmp_path / "common"), nas_shops=nas_shops)  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["", "{}"])
def test_without_such_shops_nothing_is_sorted(tmp_path: Path, written: str) -> None:
    nases = settings(tmp_path, written).nases()
    assert (nases.queues, nases.queue_of("NorthCups"), nases.as_one()) == ((), "", nases.common)
    assert build(settings(tmp_path, written)).branches == ()


def test_each_shop_has_its_own_queue_and_the_others_share_one(tmp_path: Path) -> None:
    found = settings(tmp_path, '{"SouthCups": "/mnt/south"}')
    nases = found.nases()
    assert nases.queues == (NORTH, SOUTH)
    assert [nases.queue_of(path) for path in ("NorthCups/a.png", "southcups/UV/a.png")] == [NORTH, SOUTH]
    assert [branch.queue for branch in build(found).branches] == [NORTH, SOUTH]
    with pytest.raises(Elsewhere, match=f"^{SOUTH}$"):
        nases.sorting().list("SouthCups/UVDTF 16oz")


def test_a_file_goes_to_the_nas_of_its_shop_and_comes_back_from_there(tmp_path: Path) -> None:
    nases = settings(tmp_path, f'{{"SouthCups": "{tmp_path}/south"}}').nases()
    for _, nas in nases:
        nas.initialise()
    one, source = nases.as_one(), tmp_path / "a.png"
    source.write_bytes(b"a picture")
    sha256 = hashlib.sha256(b"a picture").hexdigest()
    for shop in ("NorthCups", "SouthCups"):
        one.put(f"{shop}/.a", source, sha256, 9)
        one.move(f"{shop}/.a", f"{shop}/a.png", sha256)
        assert one.verify(f"{shop}/a.png", sha256, 9)
        assert [stat.path for stat in one.list(shop)] == [f"{shop}/a.png"]
        assert b"".join(one.read(f"{shop}/a.png")) == b"a picture"
    assert (tmp_path / "south/SouthCups/a.png").exists()
    assert not (tmp_path / "common/SouthCups").exists()
    one.delete("SouthCups/a.png")
    assert one.stat("SouthCups/a.png") is None


def test_nothing_of_the_common_nas_counts_for_a_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_PASSWORD", "of the common one")
    monkeypatch.setenv("NAS_REQUIRE_MOUNT", "true")
    file = tmp_path / "shops.json"
    file.write_text('{"SouthCups": "/mnt/south", "WestCups": {"url": "smb://u@west/share", "password": "secret"}}')
    found = settings(tmp_path, str(file))
    assert [shop.password.get_secret_value() for shop in found.nas_shops.values()] == ["", "secret"]
    assert "secret" not in repr(found)
    south = dict(found.nases())["SouthCups"]
    assert isinstance(south, PathNas)
    assert not south.marker.require_mount


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("nowhere.json", "neither JSON in braces nor a file"),
        ('{"SouthCups": ', "neither JSON in braces nor a file"),
        ('{"SouthCups": "/a", "southcups": "/b"}', "the same folder"),
        ('{"SouthCups": {"url": "/a", "pasword": "x"}}', "pasword"),
        ('{"SouthCups": 5}', "SouthCups"),
    ],
    ids=["no-file", "torn", "twice", "unknown", "number"],
)
def test_what_can_not_be_meant_is_refused_in_words(tmp_path: Path, written: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(tmp_path, written)


def test_an_address_that_can_not_be_meant_names_its_shop(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NAS_SHOPS, SouthCups: a NAS by ftp:// is not supported"):
        settings(tmp_path, '{"SouthCups": "ftp://south/share"}').nases()


def test_a_scan_is_sorted_too(tmp_path: Path) -> None:
    inbox = build(settings(tmp_path, '{"SouthCups": "/mnt/south"}'))
    asked = ShopScanRequested(tenant_id=uuid4(), shop="SouthCups", scan_id=uuid4())
    hashed = PictureHashed(
        tenant_id=asked.tenant_id,
        ticket=uuid4(),
        path="SouthCups/rose.png",
        content=Blob(sha256="ab" * 32, size=1),
    )
    for message in (asked, hashed):
        with pytest.raises(Elsewhere, match=f"^{SOUTH}$"):
            inbox.handlers[type(message)].call(message)
