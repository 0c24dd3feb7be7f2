"""Run the publisher: `python -m services.publisher`."""

import sys

from services.publisher.service import UnknownTarget, build, ledger_of, target_of
from services.publisher.settings import Settings
from shared.bus.run import Inspect, run


def main(inspect: Inspect | None = None) -> None:
    settings = Settings()
    try:
        for problem in target_of(settings, ledger_of(settings)).check():
            print(f"The publisher starts, but {problem.field}: {problem.text}", file=sys.stderr)
        service = build(settings)
    except UnknownTarget as error:
        sys.exit(f"The publisher can't start: {error}")
    run(service, settings, inspect)


if __name__ == "__main__":
    main()
