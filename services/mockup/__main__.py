"""Run the mockup service: `python -m services.mockup`."""

from services.mockup.service import build
from services.mockup.settings import Settings
from shared.bus.run import run

if __name__ == "__main__":
    settings = Settings()
    run(build(settings), settings)
