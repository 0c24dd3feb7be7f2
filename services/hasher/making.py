"""A file of the blob store into a finished result: what runs in the child process."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import AvifImagePlugin, Image

from services.decoding.child import at_most
from services.hasher.hashing import fingerprint
from services.hasher.limits import Limits
from services.hasher.made import Looks, Result
from services.hasher.preparing import canonical_file, prepare, recognise
from services.hasher.rejection import OUT_OF_MEMORY, Lost, Rejected
from shared.blobs import Blobs
from shared.contracts import SCANNED, Blob, PrintSpec
from shared.errors import Permanent


def maker(blob_dir: Path, limits: Limits, small: bool = False) -> "Maker":
    """The function, in a process that does nothing else."""
    # Pools of threads would compete with the other hashers for the same cores, and take memory for each core.
    cv2.setNumThreads(1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    # Pillow warns above its limit and refuses above twice that: ours decides in between.
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    _load_everything()
    return Maker(Blobs(blob_dir), limits, small)


def _load_everything() -> None:
    """What is loaded with the first picture of its kind could fail later, for want of memory, and stay missing."""
    Image.init()
    fingerprint(np.dstack([np.arange(256, dtype=np.uint8).reshape(16, 16)] * 4))


@dataclass(frozen=True)
class Maker:
    """Prepares a design, or looks at a finished one. Files go into the blob store; only words and numbers come back."""

    blobs: Blobs
    limits: Limits
    small: bool = False

    def __call__(self, upload: Blob, spec: PrintSpec | None) -> Result | Looks:
        """Read, prepare, store; or without a print's size only look, at what was scanned.

        Raises:
            Rejected: the file can't become a print.
            Lost: its bytes are gone.
            Unavailable: the blob store can't be reached.
        """
        try:
            return self._seen(upload) if spec is None else self._made(upload, spec)
        except (MemoryError, cv2.error) as error:
            if isinstance(error, cv2.error) and error.code != cv2.Error.StsNoMem:
                raise
            # It would meet the same limit again, and take the rest of its batch with it.
            raise Rejected(OUT_OF_MEMORY, "too large for this server's memory; export it smaller") from error

    def _seen(self, scanned: Blob) -> Looks:
        data = _read(Blobs(self.blobs.root / SCANNED), scanned)
        with at_most(self.limits.max_seconds):
            found = recognise(data, self.limits)
        canonical = self.blobs.put(canonical_file(found))
        return Looks(canonical=canonical, algorithm=found.algorithm, phash=found.phash, dhash=found.dhash)

    def _made(self, upload: Blob, spec: PrintSpec) -> Result:
        data = _read(self.blobs, upload)
        with at_most(self.limits.max_seconds):
            design = prepare(data, spec, self.limits, small=self.small)
        return Result(
            print_file=self.blobs.put(design.print_file),
            canonical=self.blobs.put(design.canonical),
            width=design.width,
            height=design.height,
            dpi=design.dpi,
            artwork=design.artwork,
            algorithm=design.algorithm,
            phash=design.phash,
            dhash=design.dhash,
            format=design.format,
            warnings=design.warnings,
        )


def _read(blobs: Blobs, upload: Blob) -> bytes:
    try:
        return blobs.get(upload)
    except Permanent as error:  # one lost upload must not take its batch with it
        raise Lost(str(error)) from error
