"""Run dedup: `python -m services.dedup`."""

from services.dedup.service import build
from services.dedup.settings import Settings
from shared.bus.run import run

if __name__ == "__main__":
    settings = Settings()
    run(build(settings), settings)
