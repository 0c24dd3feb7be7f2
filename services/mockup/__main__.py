"""Run the mockup service: `python -m services.mockup`."""

import os

from services.mockup.service import build
from services.mockup.settings import Settings
from shared.bus.run import Inspect, run

BEHIND = 10  # as `nice` counts


def main(inspect: Inspect | None = None) -> None:
    """Run it, as far behind as hashers: before them, one seller's listings would hold up the uploads of the others."""
    os.nice(BEHIND)
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
