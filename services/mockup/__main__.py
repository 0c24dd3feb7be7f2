"""Run the mockup service: `python -m services.mockup`."""

from services.mockup.service import build
from services.mockup.settings import Settings
from shared.bus.run import Inspect, run


def main(inspect: Inspect | None = None) -> None:
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
