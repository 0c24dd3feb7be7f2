"""Finished results, remembered beside the blobs: a redelivered batch or the same bytes again cost no second decode."""

import hashlib
import os
import tempfile
from pathlib import Path

import structlog
from pydantic import ValidationError

from services.hasher.made import Result
from services.hasher.versions import ALGORITHM, CANONICAL, PRINT
from shared.blobs import Blobs
from shared.contracts import BatchSubmitted, Blob, UploadedFile
from shared.errors import Permanent, Unavailable

log = structlog.get_logger()


class Results:
    """One small JSON file per result, in `<blob root>/derived`.

    Losing one costs a second decode and nothing else, so they are not synced to disk. Refusals are not remembered:
    they are worked out again alike, and a raised limit must count.
    """

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.root = blobs.root / "derived"

    def find(self, key: str) -> Result | None:
        """The remembered result, if its blobs are still what they were: a damaged one is made again like a lost one.

        They count as written now: until the file's rows name them, their age alone keeps `presswork spool sweep` away.

        Raises:
            Unavailable: the blob store can't be read.
        """
        try:
            result = Result.model_validate_json(self._path(key).read_bytes())
            kept = all(self._sound(blob) for blob in (result.print_file, result.canonical))
        except (FileNotFoundError, ValidationError):  # never made, or torn by a crash: made again
            return None
        except OSError as error:
            raise Unavailable(f"the remembered results in {self.root} can't be read: {error}") from error
        return result if kept else None

    def keep(self, key: str, result: Result) -> None:
        """Remember a result; the last of two writers wins, and both wrote the same.

        Raises:
            Unavailable: the blob store can't be written.
        """
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(result.model_dump_json())
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"the results in {self.root} can't be written: {error}") from error

    def _sound(self, blob: Blob) -> bool:
        try:
            found = len(self.blobs.get(blob)) == blob.size
            os.utime(self.blobs.path(blob))
        except Permanent as error:
            log.warning("what was made of a file is made anew", cause=str(error))
            return False
        return found

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"


def key_of(batch: BatchSubmitted, file: UploadedFile) -> str:
    """Names everything that the result depends on, and the tenant, whose work is never shown to another."""
    spec = batch.print_spec.model_dump_json()
    facts = "\n".join((file.upload.sha256, spec, ALGORITHM, CANONICAL, PRINT, str(batch.tenant_id)))
    return hashlib.sha256(facts.encode()).hexdigest()
