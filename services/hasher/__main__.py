"""Run the hasher: `python -m services.hasher`."""

from services.hasher.service import build
from services.hasher.settings import Settings
from shared.bus.run import Inspect, run


def main(inspect: Inspect | None = None) -> None:
    settings = Settings()
    run(build(settings), settings, inspect)


if __name__ == "__main__":
    main()
