"""Run the hasher: `python -m services.hasher`."""

from services.hasher.service import build
from services.hasher.settings import Settings
from shared.bus.run import run

if __name__ == "__main__":
    settings = Settings()
    run(build(settings), settings)
