"""The seller's NAS behind a small protocol, and the names that survive on it. One backend now: a mounted path."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.nas.path import PathNas
from shared.nas.protocol import Nas, Stat

__all__ = ["Nas", "PathNas", "Stat", "open_nas"]


def open_nas(url_or_path: str, *, require_mount: bool = False) -> Nas:
    """The NAS that a setting names: a path, or a file:// URL. Nothing is touched yet; `Nas.check` says if it is there.

    Raises:
        ValueError: in words, for the person who wrote the setting.
    """
    if "://" not in url_or_path:
        if not url_or_path.strip():
            raise ValueError("no NAS is set: give the path of its mounted folder, e.g. /mnt/nas/Graphics")
        return PathNas(Path(url_or_path), require_mount=require_mount)
    url = urlsplit(url_or_path)
    if url.scheme != "file":
        raise ValueError(f"a NAS by {url.scheme}:// is not supported: mount it, and give its path or a file:// URL")
    if url.netloc not in ("", "localhost") or len(url.path) < 2:
        raise ValueError(f"'{url_or_path}' names no folder of this machine: write file:///mnt/nas/Graphics")
    return PathNas(Path(unquote(url.path)), require_mount=require_mount)
