"""Half-written blobs go when nobody writes to them any more, and whole ones stay."""

import os
import time
from pathlib import Path

from services.ops.spool import A_DAY_S, sweep
from shared.blobs import Blobs


def test_what_nobody_has_written_to_for_a_day_goes_and_all_else_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert sweep(tmp_path) == []  # before the first upload there is no such folder
    kept = blobs.put(b"whole")
    with blobs.writer() as writer:
        writer.write(b"half")
        (begun,) = (tmp_path / "incoming").iterdir()
        abandoned = begun.with_name("abandoned")
        abandoned.write_bytes(b"half")
        old = time.time() - A_DAY_S - 60
        os.utime(abandoned, (old, old))
        assert sweep(tmp_path) == [abandoned]
        assert begun.exists()
    assert blobs.get(kept) == b"whole"
    assert blobs.get(writer.blob) == b"half"
