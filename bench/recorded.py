"""A hasher that does no image work: it answers with what the real one made of the same files, `bench/recording.py`."""

import json
import sys
from pathlib import Path

from services.hasher.handlers import on_batch_submitted
from services.hasher.made import Result
from services.hasher.results import Results
from services.hasher.settings import Settings
from shared.blobs import Blobs
from shared.bus.run import run
from shared.bus.service import Service
from shared.contracts import Blob, PrintSpec


class Forgetful(Results):
    """Remembers nothing: a recording needs no second memory."""

    def find(self, key: str) -> Result | None:
        del key
        return None

    def keep(self, key: str, result: Result) -> None:
        """Nothing is kept."""


def service(recordings: Path, settings: Settings) -> Service:
    """The hasher's own handler, with the recordings in place of its child process."""
    results = {sha256: Result.model_validate(each) for sha256, each in json.loads(recordings.read_text()).items()}

    def make(upload: Blob, spec: PrintSpec) -> Result:
        del spec
        return results[upload.sha256]

    found = Service("hasher")
    forgetful = Forgetful(Blobs(settings.blob_dir))
    found.on(on_batch_submitted, make=make, limits=settings.limits, results=forgetful)
    return found


if __name__ == "__main__":
    read = Settings()
    run(service(Path(sys.argv[1]), read), read)
