"""What the hasher does when a batch arrives: each file becomes a print file with hashes, or is refused in words."""

from collections.abc import Iterator

import cv2

from services.hasher.limits import Limits, check_bytes
from services.hasher.preparing import prepare
from services.hasher.rejection import Rejected
from services.hasher.results import Result, Results, key_of
from services.hasher.sniffing import misnamed
from shared.blobs import Blobs
from shared.contracts import BatchSubmitted, ImageHashed, ImageRejected, PrintSpec, UploadedFile
from shared.errors import Permanent


def on_batch_submitted(
    batch: BatchSubmitted, blobs: Blobs, limits: Limits, results: Results
) -> Iterator[ImageHashed | ImageRejected]:
    """One answer per file, in the batch's order, each as soon as its blobs are stored.

    The order is part of the promise: an answer's id is made from its place, and a repeat must give the same ids.
    """
    for file in batch.files:
        yield _answer(batch, file, blobs, limits, results)


def _answer(
    batch: BatchSubmitted, file: UploadedFile, blobs: Blobs, limits: Limits, results: Results
) -> ImageHashed | ImageRejected:
    try:
        return _hashed(batch, file, _result(batch, file, blobs, limits, results))
    except Rejected as rejected:
        return _rejected(batch, file, rejected)


def _result(batch: BatchSubmitted, file: UploadedFile, blobs: Blobs, limits: Limits, results: Results) -> Result:
    key = key_of(batch, file)
    result = results.find(key)
    if result is None:
        check_bytes(file.upload.size, limits)
        result = _made(file, batch.print_spec, blobs, limits)
        results.keep(key, result)
    return result


def _made(file: UploadedFile, spec: PrintSpec, blobs: Blobs, limits: Limits) -> Result:
    try:
        data = blobs.get(file.upload)
    except Permanent as error:  # one lost upload must not take its batch with it
        raise Rejected("upload_lost", "the server no longer has this file's bytes; upload it again") from error
    try:
        design = prepare(data, spec, limits)
    except (MemoryError, cv2.error) as error:
        if isinstance(error, cv2.error) and error.code != cv2.Error.StsNoMem:
            raise
        # It would meet the same limit again, and take the rest of its batch with it.
        raise Rejected("out_of_memory", "too large for this server's memory; export it smaller") from error
    return Result(
        print_file=blobs.put(design.print_file),
        canonical=blobs.put(design.canonical),
        width=design.width,
        height=design.height,
        dpi=design.dpi,
        algorithm=design.algorithm,
        phash=design.phash,
        dhash=design.dhash,
        format=design.format,
        warnings=design.warnings,
    )


def _hashed(batch: BatchSubmitted, file: UploadedFile, result: Result) -> ImageHashed:
    # By the name and not by the bytes, so it is said here and not remembered.
    wrong_name = misnamed(file.filename, result.format)
    return ImageHashed(
        tenant_id=batch.tenant_id,
        session_id=batch.session_id,
        item_id=file.item_id,
        index=file.index,
        generation=file.generation,
        filename=file.filename,
        upload=file.upload,
        print_file=result.print_file,
        canonical=result.canonical,
        width=result.width,
        height=result.height,
        dpi=result.dpi,
        algorithm=result.algorithm,
        phash=result.phash,
        dhash=result.dhash,
        destination=batch.destination,
        warnings=(wrong_name, *result.warnings) if wrong_name else result.warnings,
    )


def _rejected(batch: BatchSubmitted, file: UploadedFile, rejected: Rejected) -> ImageRejected:
    return ImageRejected(
        tenant_id=batch.tenant_id,
        session_id=batch.session_id,
        item_id=file.item_id,
        index=file.index,
        generation=file.generation,
        filename=file.filename,
        code=rejected.code,
        reason=f"{file.filename}: {rejected.reason}",
    )
