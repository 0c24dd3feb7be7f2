"""The hasher's own function, for files of which some kill or hold up their decoder, as no known file does any more."""

from ctypes import PyDLL
from pathlib import Path
from signal import Signals

from services.hasher import making
from services.hasher.limits import Limits
from services.hasher.preparing import Design
from shared.contracts import PrintSpec
from tests.unit.hasher import deadly

MAKER = "tests.unit.hasher.poisoned:poisoned_maker"
KILLS = b"kills its decoder: "
HANGS = b"hangs its decoder"


def killer(picture: bytes, number: Signals = Signals.SIGSEGV) -> bytes:
    """A file that looks like a picture and kills whoever decodes it."""
    return picture + KILLS + number.name.encode()


def poisoned_maker(blob_dir: Path, limits: Limits, small: bool = False) -> making.Maker:
    """For a child process: there is no way back."""
    prepare = making.prepare

    def poisoned(data: bytes, spec: PrintSpec, limits: Limits, *, small: bool) -> Design:
        if KILLS in data:
            deadly.killed(Signals[data.rpartition(KILLS)[2].decode()])
        if HANGS in data:
            PyDLL(None).pause()
        return prepare(data, spec, limits, small=small)

    making.prepare = poisoned
    return making.maker(blob_dir, limits, small)
