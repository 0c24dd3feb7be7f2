"""How long a first scan and an unchanged one take: `python -m tests.integration.scan.measure FILES [WINDOW]`."""

import sys
import tempfile
import time
from pathlib import Path

from services.migrations import migrate
from shared.database import engine_of
from shared.nas import PathNas
from tests import backends
from tests.integration.scan.works import Works
from tests.seller import artwork


def main(files: int, window: int) -> None:
    """Say what each scan did and took."""
    with tempfile.TemporaryDirectory() as name, backends.postgres(Path(name) / "database") as database:
        migrate(database.url)
        works = Works(database.url, engine_of(database.url), Path(name), window=window)
        PathNas(works.root / "nas").initialise()
        for number in range(files):
            path = works.root / "nas" / works.shop / f"Template {number % 10}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artwork(number))
        for scan in ("first", "unchanged"):
            began = time.monotonic()
            works.run(works.scan(), within_s=7200)
            took = time.monotonic() - began
            hashed, learnt = works.count("on_picture_found"), len(works.learnt())
            words = f"{scan}: {files} files, {hashed} hashed, {learnt} known to dedup, {took:.1f} s"
            print(words, flush=True)  # noqa: T201 - it is what this is run for


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2)
