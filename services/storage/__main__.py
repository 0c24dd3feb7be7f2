"""Run storage: `python -m services.storage`."""

from services.storage.service import build
from services.storage.settings import Settings
from shared.bus.run import run

if __name__ == "__main__":
    settings = Settings()
    run(build(settings), settings)
