"""Whether the blob store has what is wanted of it."""

from pathlib import Path

import pytest

from services.ingest.sessions.intake.print_files import has
from shared.blobs import Blobs
from shared.contracts import Blob
from shared.errors import Unavailable


def test_of_a_store_that_is_not_there_nobody_knows_what_it_has(tmp_path: Path) -> None:
    """Not mounted, or named wrongly to a command: its bytes are not gone, and nobody need upload them again."""
    store, missing = Blobs(tmp_path / "blobs"), Blob(sha256="ab" * 32, size=1)
    with pytest.raises(Unavailable, match="not mounted"):
        has(store, missing)
    kept = store.put(b"a picture")
    assert (has(store, kept), has(store, missing)) == (True, False)
