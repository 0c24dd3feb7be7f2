"""Run the hasher: `python -m services.hasher`."""

import os

from services.hasher.service import build
from services.hasher.settings import Settings
from shared.bus.run import Inspect, run

BEHIND = 10  # as `nice` counts


def main(inspect: Inspect | None = None) -> None:
    """Run it behind ingest's answers, progress and original lane: these take little, and somebody looks on."""
    os.nice(BEHIND)
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
