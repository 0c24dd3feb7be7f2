"""Which NAS a setting names, and how to get in. Each protocol's library is loaded only by those who use it."""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from shared.nas.backend import Backend
from shared.nas.path import PathNas
from shared.nas.protocol import Nas
from shared.nas.verified_nas import FIRST_WAIT_S, SPARE_BYTES, VerifiedNas

Parts = tuple[Backend[PurePosixPath], PurePosixPath]
EXAMPLES = {
    "file": "file:///mnt/nas/Graphics",
    "sftp": "sftp://user@nas.local/share/Graphics",
    "smb": "smb://user@nas.local/share/Graphics",
    "s3": "s3://bucket/Graphics?endpoint=http://nas.local:9000",
}


@dataclass(frozen=True)
class Access:
    """What does not belong into a URL. `connections` is how many files may be on their way at a time."""

    password: str = ""
    private_key: str = ""
    host_keys: tuple[str, ...] = ()
    connections: int = 4


def open_nas(
    url_or_path: str,
    *,
    require_mount: bool = False,
    access: Access | None = None,
    first_wait_s: float = FIRST_WAIT_S,
    spare_bytes: int = SPARE_BYTES,
) -> Nas:
    """The NAS that a setting names: a path or a URL. Nothing is touched yet; `Nas.check` says if it is there.

    Raises:
        ValueError: in words, for the person who wrote the setting.
    """
    if not url_or_path.strip():
        raise ValueError("no NAS is set: give the path of its mounted folder, e.g. /mnt/nas/Graphics, or its URL")
    url = urlsplit(url_or_path) if "://" in url_or_path else None
    if url and url.fragment:  # else it would be another folder
        raise ValueError("NAS_URL: a # in a URL is written %23")
    if url is None or url.scheme == "file":
        path = Path(_folder(url) if url else url_or_path)
        return PathNas(path, require_mount=require_mount, first_wait_s=first_wait_s, spare_bytes=spare_bytes)
    if url.scheme not in REMOTE:
        raise ValueError(f"a NAS by {url.scheme}:// is not supported: mount it, and give its path or a file:// URL")
    if url.password is not None:
        raise ValueError("a password in a URL ends up in logs: take it out of NAS_URL, and set NAS_PASSWORD")
    backend, root = REMOTE[url.scheme](url, access or Access(), _options(url))
    name = url._replace(query="").geturl()
    return VerifiedNas(root, backend, name, first_wait_s=first_wait_s, spare_bytes=spare_bytes)


def _folder(url: SplitResult) -> str:
    if url.netloc not in ("", "localhost") or len(url.path) < 2:
        raise ValueError(f"'{url.geturl()}' names no folder of this machine: write {EXAMPLES['file']}")
    return unquote(url.path)


def _options(url: SplitResult) -> dict[str, str]:
    """What stands behind the question mark; each protocol takes out what it knows."""
    known = {"sftp": {"timeout"}, "smb": {"timeout", "encrypt"}, "s3": {"timeout", "endpoint", "region", "conditional"}}
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if unknown := options.keys() - known[url.scheme]:
        raise ValueError(f"NAS_URL: {', '.join(sorted(unknown))} is no option of {url.scheme}://")
    return options


def _sftp(url: SplitResult, access: Access, options: Mapping[str, str]) -> Parts:
    from shared.nas.sftp import Sftp  # noqa: PLC0415
    from shared.nas.ssh import SshLogin, fingerprint  # noqa: PLC0415

    host, user = _server(url)
    root = PurePosixPath(unquote(url.path).removeprefix("/~/"))
    login = SshLogin(
        host,
        url.port or 22,
        user,
        access.password,
        access.private_key,
        tuple(map(fingerprint, access.host_keys)),
        _timeout_s(options),
    )
    return Sftp(login), root


def _smb(url: SplitResult, access: Access, options: Mapping[str, str]) -> Parts:
    from shared.nas.smb import Smb  # noqa: PLC0415
    from shared.nas.smb_pool import SmbLogin  # noqa: PLC0415

    host, user = _server(url)
    login = SmbLogin(
        host,
        url.port or 445,
        user.replace(";", "\\"),  # DOMAIN;user
        access.password,
        options.get("encrypt", "no") == "yes",
        _timeout_s(options),
    )
    return Smb(login, access.connections), PurePosixPath(unquote(url.path).strip("/"))


def _s3(url: SplitResult, access: Access, options: Mapping[str, str]) -> Parts:
    from shared.nas.s3 import S3, Bucket  # noqa: PLC0415

    prefix = unquote(url.path).strip("/")
    if not url.hostname or not prefix:
        raise ValueError(f"'{url.geturl()}' names no folder of a bucket: write {EXAMPLES['s3']}")
    bucket = Bucket(
        url.hostname,
        options.get("endpoint", ""),
        options.get("region", "us-east-1"),
        unquote(url.username or ""),
        access.password,
        options.get("conditional", "yes") == "yes",
        _timeout_s(options),
    )
    return S3(bucket), PurePosixPath(prefix)


def _server(url: SplitResult) -> tuple[str, str]:
    if not url.hostname or not url.username or not unquote(url.path).strip("/"):
        raise ValueError(f"'{url.geturl()}' names no folder of a server: write {EXAMPLES[url.scheme]}")
    return url.hostname, unquote(url.username)


def _timeout_s(options: Mapping[str, str]) -> float:
    text = options.get("timeout", "30")
    with contextlib.suppress(ValueError):
        if 0 < (timeout_s := float(text)) < math.inf:
            return timeout_s
    raise ValueError(f"NAS_URL: timeout={text} is no number of seconds")


Opener = Callable[[SplitResult, Access, Mapping[str, str]], Parts]
REMOTE: Mapping[str, Opener] = {"sftp": _sftp, "smb": _smb, "s3": _s3}
