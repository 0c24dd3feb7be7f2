"""Run dedup: `python -m services.dedup`."""

from services.dedup.service import build
from services.dedup.settings import Settings
from shared.bus.run import Inspect, run


def main(inspect: Inspect | None = None) -> None:
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
