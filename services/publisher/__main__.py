"""Run the publisher: `python -m services.publisher`."""

import sys

from services.publisher.service import UnknownTarget, build
from services.publisher.settings import Settings
from shared.bus.run import run

if __name__ == "__main__":
    settings = Settings()
    try:
        service = build(settings)
    except UnknownTarget as error:
        sys.exit(f"The publisher can't start: {error}")
    run(service, settings)
