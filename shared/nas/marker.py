"""The mark in a NAS root: a folder without it may be the empty mount point of a NAS that is away: never fill it."""

import contextlib
import re
import secrets
from typing import Generic

from shared.nas.backend import Backend, P
from shared.nas.errors import NameTaken, NasUnavailable
from shared.nas.folders import make_folders

MARKER = ".presswork-nas"
# Folders that NAS systems keep beside the user's, lower-case: recycle bins, snapshots, thumbnails.
SYSTEM_FOLDERS = frozenset({"@recycle", "@eadir", "#recycle", "#snapshot", "lost+found"})
TEXT = "{id}\nPresswork stores files here only while this file is here. Do not delete it.\n"


def is_ours(name: str) -> bool:
    """Whether a name is one of the users' files or folders, not a hidden one or the NAS system's."""
    return not name.startswith(".") and name.lower() not in SYSTEM_FOLDERS


class Marker(Generic[P]):
    """The file `.presswork-nas`, with an id by which another NAS at the same place is noticed."""

    def __init__(self, root: P, files: Backend[P], name: str, *, require_mount: bool) -> None:
        self.root = root
        self.files = files
        self.name = name
        self.require_mount = require_mount
        self.known: str | None = None

    def require(self) -> str:
        """The NAS's id. Read anew each time: it is one small read, and remembering it would hide an unmounting.

        Raises:
            NasUnavailable: it is not mounted, was never initialised, or is another one than before.
        """
        found = self._read()
        if self.known not in (None, found):
            raise NasUnavailable(f"another NAS is mounted at {self.name} than before; mount the right one or restart")
        self.known = found
        return found

    def initialise(self, *, adopt: bool) -> str:
        """Write the mark unless it is there. Of two at once one writes, and both return its id."""
        self._require_mounted()
        make_folders(self.files, self.root)
        present = {entry.path for entry in self.files.scan(self.root)}
        if MARKER not in present:
            if not adopt and any(is_ours(name) for name in present):
                raise NameTaken(
                    f"{self.name} is not empty; if it is the NAS folder to work in, initialise it with adopt"
                )
            self._write()
        return self.require()

    def _write(self) -> None:
        part = self.root / f"{MARKER}.{secrets.token_hex(4)}.part"
        try:
            self.files.write([TEXT.format(id=secrets.token_hex(16)).encode()], part)
            self.files.rename_new(part, self.root / MARKER)
        except FileExistsError:
            return  # somebody else was quicker: theirs is the mark
        finally:
            with contextlib.suppress(FileNotFoundError):
                self.files.remove(part)

    def _read(self) -> str:
        self._require_mounted()
        try:
            text = self.files.read(self.root / MARKER, 0, 1000).decode(errors="replace")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NasUnavailable(
                f"{self.name} is not the NAS ({MARKER} is missing): {self.files.advice}; "
                "if it is new, take it into use once"
            ) from error
        found = re.match("[0-9a-f]{32}$", text, re.MULTILINE)
        if found is None:
            raise NasUnavailable(
                f"{MARKER} on {self.name} is damaged: put it back from a copy, or delete it and initialise again"
            )
        return found[0]

    def _require_mounted(self) -> None:
        if self.require_mount and not self.files.mounted(self.root):
            raise NasUnavailable(f"nothing is mounted at {self.name}: mount the NAS")
