"""The hasher's own function, for files of which some kill or hold up their decoder, as no known file does any more."""

from collections.abc import Callable
from pathlib import Path
from signal import Signals

from services.hasher.limits import Limits
from services.hasher.making import maker
from services.hasher.results import Result
from shared.contracts import Blob, PrintSpec
from tests.unit.hasher import deadly

MAKER = "tests.unit.hasher.poisoned:poisoned_maker"
KILLS = b"kills its decoder: "
HANGS = b"hangs its decoder"


def killer(picture: bytes, number: Signals = Signals.SIGSEGV) -> bytes:
    """A file that looks like a picture and kills whoever decodes it."""
    return picture + KILLS + number.name.encode()


def poisoned_maker(blob_dir: Path, limits: Limits) -> Callable[[Blob, PrintSpec], Result]:
    make = maker(blob_dir, limits)

    def call(upload: Blob, spec: PrintSpec) -> Result:
        data = make.blobs.get(upload)
        if KILLS in data:
            deadly.killed(Signals[data.rpartition(KILLS)[2].decode()])
        if HANGS in data:
            deadly.hangs()
        return make(upload, spec)

    return call
