"""What the hasher does when a batch arrives: each file becomes a print file with hashes, or is refused in words.

What lies on the NAS already is a print file and gets hashes only.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import structlog

from services.decoding.answers import ChildFailed
from services.decoding.isolation import Died, TookTooLong
from services.hasher.limits import Limits, check_bytes
from services.hasher.made import Looks, Result
from services.hasher.rejection import Lost, Rejected
from services.hasher.results import Results, key_of
from services.hasher.sniffing import misnamed
from shared.contracts import (
    BatchSubmitted,
    Blob,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    PictureFound,
    PictureHashed,
    PrintSpec,
    UploadedFile,
)

log = structlog.get_logger()

LOST = "the server has lost this file's bytes; upload it again, or try it again once your operator has restored them"

Make = Callable[[Blob, PrintSpec], Result]
Look = Callable[[Blob], Looks]
"""Both are `services.hasher.making`, in a child process."""


def on_batch_submitted(
    batch: BatchSubmitted, make: Make, limits: Limits, results: Results
) -> Iterator[ImageHashed | ImageRejected | ImageFailed]:
    """One answer per file, in the batch's order, each as soon as its blobs are stored.

    The order is part of the promise: an answer's id is made from its place, and a repeat must give the same ids.
    """
    for file in batch.files:
        yield _answer(batch, file, make, limits, results)


def on_picture_found(event: PictureFound, look: Look, limits: Limits) -> Iterator[PictureHashed]:
    """One answer, whatever the file is. No copy: it was answered before, perhaps, and nobody needs this answer."""
    facts: dict[str, str] = {}
    try:
        check_bytes(event.content.size, limits)
        with _refusing(event.content, limits):
            facts = look(event.content).model_dump()
    except Rejected as rejected:
        facts = {"problem": rejected.reason}
    except ChildFailed as failed:  # a fault of ours would come again at each try, and keep other files from their turn
        log.error("a file on the NAS can't be looked at", path=event.path, cause=str(failed))  # noqa: TRY400
        facts = {"problem": f"it could not be looked at ({failed}); tell your operator"}
    except Lost as lost:
        log.warning("the copy of a scanned file is gone", path=event.path, cause=str(lost))
    yield PictureHashed.model_validate(event.model_dump() | facts)


def _answer(
    batch: BatchSubmitted, file: UploadedFile, make: Make, limits: Limits, results: Results
) -> ImageHashed | ImageRejected | ImageFailed:
    try:
        return _hashed(batch, file, _result(batch, file, make, limits, results))
    except Rejected as rejected:
        return _rejected(batch, file, rejected)
    except Lost as lost:
        log.error("a file is lost on the server", filename=file.filename, sha256=file.upload.sha256, cause=str(lost))  # noqa: TRY400
        return _failed(batch, file, f"{LOST} ({file.upload.sha256[:12]})")
    except ChildFailed as failed:  # a fault of ours, as above: it would hold up the rest of its batch for minutes
        log.exception("a file can't be made a print", filename=file.filename, sha256=file.upload.sha256)
        return _failed(batch, file, f"it could not be made a print ({failed}); tell your operator")


def _result(batch: BatchSubmitted, file: UploadedFile, make: Make, limits: Limits, results: Results) -> Result:
    key = key_of(batch, file)
    result = results.find(key)
    if result is None:
        check_bytes(file.upload.size, limits)
        with _refusing(file.upload, limits):
            result = make(file.upload, batch.print_spec)
        results.keep(key, result)
    return result


@contextlib.contextmanager
def _refusing(content: Blob, limits: Limits) -> Iterator[None]:
    """Refuse what kills or holds up its decoder: it would do so again, and keep the rest of its batch from its end."""
    try:
        yield
    except Died as death:
        log.error("a file crashes its decoder", cause=death.how, sha256=content.sha256)  # noqa: TRY400
        raise _crashed(death) from death
    except TookTooLong as error:
        log.error("a file holds up its decoder", sha256=content.sha256)  # noqa: TRY400
        words = f"decoding it was given up after {limits.max_seconds:g} s; export it again as PNG"
        raise Rejected("timed_out", words) from error


def _crashed(death: Died) -> Rejected:
    if death.how == "signal SIGKILL":  # nobody but the kernel sends it twice
        how, advice = f"{death.how}: most likely it needs more memory than the server has", "export it smaller"
    else:
        how, advice = death.how, "export it again as PNG"
    return Rejected("crashed", f"this file makes the image decoder crash ({how}); {advice}")


def _hashed(batch: BatchSubmitted, file: UploadedFile, result: Result) -> ImageHashed:
    # By the name and not by the bytes, so it is said here and not remembered.
    wrong_name = misnamed(file.filename, result.format)
    return ImageHashed(
        **_about(batch, file),
        upload=file.upload,
        print_file=result.print_file,
        canonical=result.canonical,
        width=result.width,
        height=result.height,
        dpi=result.dpi,
        artwork=result.artwork,
        algorithm=result.algorithm,
        phash=result.phash,
        dhash=result.dhash,
        destination=batch.destination,
        duplicates=batch.duplicates,
        duplicate_distance=batch.duplicate_distance,
        kept=file.kept,
        warnings=(wrong_name, *result.warnings) if wrong_name else result.warnings,
    )


def _failed(batch: BatchSubmitted, file: UploadedFile, words: str) -> ImageFailed:
    return ImageFailed(**_about(batch, file), failed_stage="hasher", reason=f"{file.filename}: {words}")


def _rejected(batch: BatchSubmitted, file: UploadedFile, rejected: Rejected) -> ImageRejected:
    return ImageRejected(**_about(batch, file), code=rejected.code, reason=f"{file.filename}: {rejected.reason}")


def _about(batch: BatchSubmitted, file: UploadedFile) -> dict[str, Any]:
    """Which file an answer is about."""
    of_file = file.model_dump(include={"item_id", "index", "generation", "filename"})
    return of_file | {"tenant_id": batch.tenant_id, "session_id": batch.session_id}
