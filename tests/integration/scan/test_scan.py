"""What lies on the NAS is known to dedup, and looking again costs next to nothing. Real hasher, dedup and database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.nas import PathNas
from tests.integration.scan.works import Works
from tests.seller import artwork

ROSE, TULIP, DAISY = artwork(1), artwork(2), artwork(3)


@pytest.fixture
def works(database_url: str, engine: Engine, tmp_path: Path) -> Works:
    PathNas(tmp_path / "nas").initialise()
    return Works(database_url, engine, tmp_path)


def lay(works: Works, **files: bytes) -> None:
    """Put files into the shop's folder, as another program does; `__` stands for `/`."""
    for name, content in files.items():
        path = works.root / "nas" / works.shop / (name.replace("__", "/") + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_an_upload_that_lies_on_the_nas_is_a_duplicate_of_it_with_its_path(works: Works) -> None:
    lay(works, Cups__old__rose=ROSE)
    works.run(works.scan())
    found = works.duplicate(ROSE)
    assert (found.kind, found.match.source, found.match.path) == ("identical", "nas", "NorthCups/Cups/old/rose.png")
    assert found.reason == "the same file as rose.png on the NAS, byte for byte"
    assert works.states() == {"Cups/old/rose.png": "known"}
    assert works.copies() == []
