"""Multipart bodies, read as they arrive: files go to the blob store in constant memory, whatever their size.

Parsing, hashing and writing run in a thread, a piece at a time: a long upload never blocks another request.
"""

import asyncio
import contextlib
import hashlib
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData

from services.ingest.api.filenames import clean
from services.ingest.sessions.lifecycle.records import Received
from shared.blobs import Blobs, BlobWriter
from shared.contracts import Blob

FEED_BYTES = 2 << 20
FEED_CHUNKS = 2000
"""How many chunks are held at most, however small: one of a single byte takes more than fifty of memory."""
MAX_FIELD_BYTES = 1 << 20
MAX_FIELDS = 100

FILES = "files"
"""A part of this name is a file, with a file name or without: if it were dropped, nobody would miss it."""
FIELDS = frozenset({"design_data", "product_data", "session_id"})
"""The fields that are read. They are no files even if they have a file name: JavaScript gives one to every Blob."""


@dataclass(frozen=True)
class Limits:
    """What one request may hold."""

    files: int
    file_bytes: int


@dataclass
class Form:
    """What a multipart body held."""

    sizes: list[int] = field(default_factory=list)
    """In bytes, of all its files, kept or not."""
    files: list[Received] = field(default_factory=list)
    """Those that are kept, and those that were too large for that; none if there is no blob store."""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def received(self) -> FormData | None:
        """The form as an error repeats it to the client, with its files as one field; None: nothing came."""
        fields = self.fields | ({"files": ""} if self.sizes else {})
        return FormData(fields) if fields else None


class BadUpload(Exception):  # noqa: N818
    """The body can't be taken: `status` and words for the client."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Part(Protocol):
    """Takes the bytes of one part."""

    def write(self, data: bytes | memoryview) -> None: ...
    def end(self) -> None: ...
    def abandon(self) -> None: ...


async def receive(request: Request, blobs: Blobs | None, limits: Limits, wanted: str) -> Form:
    """Read a whole multipart body. Without a blob store the files are counted and thrown away.

    No body at all is an empty form. `wanted` names what is missing from a body that is no form.

    Raises:
        BadUpload: too many files, or the body is no well-formed multipart.
        RequestValidationError: it is not multipart at all.
    """
    reader: _Reader | None = None
    waiting: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            if chunk and reader is None:
                reader = _Reader(_boundary(request, wanted), blobs, limits)
            waiting.append(chunk)
            size += len(chunk)
            if reader is not None and (size >= FEED_BYTES or len(waiting) >= FEED_CHUNKS):
                piece, waiting, size = b"".join(waiting), [], 0  # held once, while the piece before is written
                await reader.feed(piece)
        if reader is None:
            return Form()
        await reader.finish(b"".join(waiting))
    except FormParserError as error:
        raise BadUpload(400, f"The upload is damaged ({error}); send it again.") from error
    finally:
        if reader is not None:
            await reader.close()
    return reader.form


def _boundary(request: Request, wanted: str) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise missing(wanted)
    if not options.get(b"boundary"):
        raise FormParserError("its Content-Type names no boundary")
    return options[b"boundary"]


def missing(field_name: str, form: FormData | None = None) -> RequestValidationError:
    """A required part is not there, of the form or of no form at all; as FastAPI would say it."""
    problem = {"type": "missing", "loc": ("body", field_name), "msg": "Field required", "input": None}
    return RequestValidationError([problem], body=form)


class _Reader:
    """Multipart callbacks; one thread at a time works in it."""

    def __init__(self, boundary: bytes, blobs: Blobs | None, limits: Limits) -> None:
        self.form = Form()
        self.blobs = blobs
        self.limits = limits
        self.headers: dict[str, bytes] = {}
        self.name = b""
        self.value = b""
        self.part: Part | None = None
        self.ended = False
        self.at_work: asyncio.Task[Any] | None = None
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all_ended,
        }
        self.parser = MultipartParser(boundary, callbacks)

    async def feed(self, data: bytes) -> None:
        """Begin with a piece, once the one before is done: the next one arrives while this one is hashed and written.

        What went wrong with a piece is raised by the call after it.
        """
        await self._done()
        self.at_work = asyncio.create_task(asyncio.to_thread(self.parser.write, data))

    async def finish(self, data: bytes) -> None:
        await self.feed(data)
        await self._done()
        await asyncio.to_thread(self.parser.finalize)
        if not self.ended:
            raise FormParserError("it ends before its last boundary")

    async def close(self) -> None:
        if self.at_work is not None:  # the client has gone: what is wrong with its last piece matters no more
            await asyncio.wait({self.at_work})
            self.at_work.exception()
        if self.part is not None:
            await asyncio.to_thread(self.part.abandon)  # a large file takes a while to go, and its disk may hang

    async def _done(self) -> None:
        if self.at_work is not None:
            await asyncio.wait({self.at_work})  # whoever ends this call ends no thread: `close` waits for it then
            at_work, self.at_work = self.at_work, None
            at_work.result()

    def _begin(self) -> None:
        self.headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def _header_end(self) -> None:
        self.headers[self.name.decode("latin-1").lower()] = self.value
        self.name = self.value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        field_name = options.get(b"name", b"").decode(errors="replace")
        nameless = b"filename" not in options and field_name != FILES
        if nameless or field_name in FIELDS:
            if len(self.form.fields) >= MAX_FIELDS:
                raise BadUpload(413, f"More than {MAX_FIELDS} fields in one upload.")
            self.part = _Field(self.form, field_name)
            return
        if len(self.form.sizes) >= self.limits.files:
            raise BadUpload(413, f"More than {self.limits.files} files in one upload; send them in several uploads.")
        if self.blobs is None:
            self.part = _Counted(self.form)
        else:
            self.part = _File(self.form, clean(options.get(b"filename", b"")), self.limits.file_bytes, self.blobs)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self.part is not None:
            self.part.write(memoryview(data)[start:end])

    def _end(self) -> None:
        part, self.part = self.part, None
        if part is not None:
            part.end()

    def _all_ended(self) -> None:
        self.ended = True


class _Field:
    def __init__(self, form: Form, name: str) -> None:
        self.form = form
        self.name = name
        self.data = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self.data += data
        if len(self.data) > MAX_FIELD_BYTES:
            raise BadUpload(
                413, f"The field {self.name} is longer than {MAX_FIELD_BYTES} bytes: send less in one call."
            )

    def end(self) -> None:
        wanted = self.name in FIELDS  # the others are counted only
        self.form.fields[self.name] = self.data.decode(errors="replace") if wanted else ""

    def abandon(self) -> None:
        self.data.clear()


class _Counted:
    """A file of an announcement, of which only the size counts: it comes again with the upload."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self.size += len(data)

    def end(self) -> None:
        self.form.sizes.append(self.size)

    def abandon(self) -> None:
        """Nothing is kept of it."""


class _File:
    """One file: counted and hashed to its end, kept unless it is too large."""

    def __init__(self, form: Form, filename: str, limit: int, blobs: Blobs) -> None:
        self.form = form
        self.filename = filename
        self.limit = limit
        self.size = 0
        self.digest = hashlib.sha256()  # goes on for the writer, which is gone once it is too large
        self.stack = contextlib.ExitStack()
        self.writer: BlobWriter | None = self.stack.enter_context(blobs.writer())

    def write(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        if self.writer is None:
            self.digest.update(data)
        elif self.size > self.limit:
            self.digest = self.writer.digest.copy()
            self.digest.update(data)
            self.abandon()
        else:
            self.writer.write(data)

    def end(self) -> None:
        self.form.sizes.append(self.size)
        if self.writer is not None:
            self.stack.close()
            self.form.files.append(Received(self.filename, self.writer.blob))
            return
        refused = (
            f"{self.filename}: {_megabytes(self.size)} is more than the {_megabytes(self.limit)} that one file "
            "may have; export it smaller"
        )
        self.form.files.append(Received(self.filename, Blob(sha256=self.digest.hexdigest(), size=self.size), refused))

    def abandon(self) -> None:
        if self.writer is not None:
            self.writer = None
            with contextlib.suppress(_Abandoned):
                self.stack.__exit__(_Abandoned, _Abandoned(), None)


class _Abandoned(Exception):  # noqa: N818
    """Takes a half-written blob away."""


def _megabytes(size: int) -> str:
    # Rounded up, so that what is over a limit never reads as equal to it.
    return f"{math.ceil(size / 1e5) / 10:g} MB"
