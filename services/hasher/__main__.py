"""Run the hasher: `python -m services.hasher`."""

import os

from services.hasher.service import build
from services.hasher.settings import Settings
from shared.bus.run import Inspect, run

BEHIND = 10


def main(inspect: Inspect | None = None) -> None:
    """Behind all that waits for no picture: answers, progress, one file of somebody who looks on (original lane)."""
    os.nice(BEHIND)
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
