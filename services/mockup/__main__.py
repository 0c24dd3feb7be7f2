"""Run the mockup service: `python -m services.mockup`."""

import os

from services.mockup.service import build
from services.mockup.settings import Settings
from shared.bus.run import Inspect, run

BEHIND = 10


def main(inspect: Inspect | None = None) -> None:
    """As far behind as hashers: in front of them, one seller's listings would hold up the uploads of the others."""
    os.nice(BEHIND)
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
