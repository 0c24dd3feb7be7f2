"""A NAS or a cloud that speaks S3. An object appears whole or not at all; a name is given by a copy on the server."""

import contextlib
import errno
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import obstore
from obstore import exceptions
from obstore.store import S3Store

from shared.errors import Retryable
from shared.nas.backend import Backend
from shared.nas.errors import OF_SHOPS, BadPath, NasUnavailable
from shared.nas.protocol import Stat

if TYPE_CHECKING:
    from obstore.store import S3Config

PART_BYTES, PARTS_AT_ONCE = 8 << 20, 4
PAST_THE_END = re.compile("status code: 416")
FULL = re.compile("status code: 507|StorageFull|QuotaExceeded|InsufficientCapacity")
NO_BUCKET = "NoSuchBucket"
BEFORE_CAUSE = re.compile(r"^Generic S3 error: Error performing (\w+ https?://[^/\s]+)\S* in \S+ - ")


@dataclass(frozen=True)
class Bucket:
    """Which bucket, and how to get in. Without a key, the usual AWS_... variables and roles count.

    `conditional`: the server knows `If-None-Match: *`, as Amazon and most others do.
    """

    name: str
    endpoint: str
    region: str
    key: str
    secret: str
    conditional: bool
    timeout_s: float


class S3(Backend[PurePosixPath]):
    """See `Backend`. A folder is there as long as something lies in it."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        config: S3Config = {"region": bucket.region, "copy_if_not_exists": "multipart"}
        if bucket.endpoint:
            config["endpoint"] = bucket.endpoint
        if bucket.key:
            config["access_key_id"], config["secret_access_key"] = bucket.key, bucket.secret
        once = timedelta(seconds=bucket.timeout_s)
        self.store = S3Store(
            bucket.name,
            config=config,
            client_options={"allow_http": True, "timeout": once, "connect_timeout": min(once, timedelta(seconds=10))},
            retry_config={"max_retries": 0},  # `VerifiedNas` does that
        )

    def resolved(self, path: PurePosixPath) -> PurePosixPath:
        return path

    def make_directory(self, new: PurePosixPath) -> None:
        """It is there with its first file."""

    def write(self, content: Iterable[bytes], target: PurePosixPath) -> None:
        """In several requests if it is large, so that each is short."""
        source = _Source(content)
        with self._faults(target):
            try:
                obstore.put(
                    self.store, str(target), source.parts(), chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
            except Exception:
                if source.fault is not None:
                    raise source.fault from None
                raise

    def digest(self, path: PurePosixPath) -> str:
        found = hashlib.sha256()
        with self._faults(path):
            for piece in obstore.get(self.store, str(path)).stream():
                found.update(piece)
        return found.hexdigest()

    def read(self, path: PurePosixPath, offset: int, size: int) -> bytes:
        with self._faults(path):
            try:
                return bytes(obstore.get_range(self.store, str(path), start=offset, length=size))
            except exceptions.GenericError as error:
                if PAST_THE_END.search(str(error)):
                    return b""
                raise

    def rename_new(self, source: PurePosixPath, target: PurePosixPath) -> None:
        """A copy that the server makes only if the name is free, then a removal."""
        with self._faults(target):
            if not self.bucket.conditional and self._head(target) is not None:
                raise FileExistsError(errno.EEXIST, "the name is taken", str(target))
            obstore.copy(self.store, str(source), str(target), overwrite=not self.bucket.conditional)
            obstore.delete(self.store, str(source))

    def remove(self, path: PurePosixPath) -> None:
        with self._faults(path):
            obstore.delete(self.store, str(path))

    def stat(self, path: PurePosixPath) -> Stat:
        found = self._head(path)
        if found is not None:
            return found
        with contextlib.suppress(BadPath):  # of something that lies in it
            if next(self.scan(path), None) is None:
                raise FileNotFoundError(errno.ENOENT, "no such object", str(path))
        return Stat(path.name, 0, 0, is_directory=True)

    def scan(self, folder: PurePosixPath) -> Iterator[Stat]:
        with self._faults(folder):
            found = obstore.list_with_delimiter(self.store, str(folder))
        for prefix in found["common_prefixes"]:
            yield Stat(PurePosixPath(prefix).name, 0, 0, is_directory=True)
        for entry in found["objects"]:
            yield _stat(PurePosixPath(entry["path"]).name, entry["size"], entry["last_modified"])

    def free_bytes(self, _directory: PurePosixPath) -> int | None:
        return None

    def close(self) -> None:
        """Its connections end by themselves."""

    def _head(self, path: PurePosixPath) -> Stat | None:
        try:
            with self._faults(path):
                found = obstore.head(self.store, str(path))
        except FileNotFoundError:
            return None
        return _stat(path.name, found["size"], found["last_modified"])

    @contextlib.contextmanager
    def _faults(self, path: PurePosixPath) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, exceptions.GenericError) as error:
            if NO_BUCKET in str(error):
                raise NasUnavailable(f"there is no bucket '{self.bucket.name}': make it, or correct NAS_URL") from error
            if isinstance(error, exceptions.GenericError):
                number = errno.ENOSPC if FULL.search(str(error)) else errno.ECONNRESET
                raise OSError(number, _first_line(error)) from error
            raise FileNotFoundError(errno.ENOENT, "no such object", str(path)) from error
        except exceptions.AlreadyExistsError as error:
            raise FileExistsError(errno.EEXIST, "the name is taken", str(path)) from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise NasUnavailable(
                f"the bucket '{self.bucket.name}' refuses this key: check the key in NAS_URL, NAS_PASSWORD "
                f"({OF_SHOPS}), and what the key may do"
            ) from error
        except exceptions.InvalidPathError as error:  # of one object, and then nothing beside it is listed either
            raise BadPath(f"rename or remove this in the bucket, no path can be so: {_first_line(error)}") from error
        except exceptions.BaseError as error:
            raise OSError(errno.EIO, _first_line(error)) from error


class _Source:
    """Content on its way, and the fault it had itself."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self.content = iter(content)
        self.fault: Retryable | None = None

    def parts(self) -> Iterator[bytes]:
        try:
            yield from itertools.chain([b""], self.content)  # a stream of nothing is no object to some servers
        except Retryable as error:
            self.fault = error
            raise


def _stat(name: str, size: int, modified: datetime) -> Stat:
    """In whole seconds: more is told in lists only."""
    return Stat(name, size, int(modified.timestamp()) * 1_000_000_000)


def _first_line(error: Exception) -> str:
    """Without the object, which is told anyway, and the time: advice follows, and what sellers read has an end."""
    return BEFORE_CAUSE.sub(r"\1: ", str(error).splitlines()[0])[:300]
