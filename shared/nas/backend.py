"""What a kind of NAS can do for `VerifiedNas`: few, plain calls. What is safe about them is decided there, for all."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Protocol, TypeVar

from shared.nas.protocol import Stat

P = TypeVar("P", bound=PurePath)


class Backend(Protocol[P]):
    """Calls on real paths, root included. Threads may share one.

    A fault of the NAS is an OSError, whose number says which (`shared.nas.errors`), or one of our errors where the
    system has no number for it (a login that is refused). A fault of `content` is passed on as it is.
    """

    advice: str = "correct its path in the settings"
    """What to do when the root is not there."""

    def mounted(self, _root: P) -> bool:
        """Whether something is mounted at exactly that path; always where that is the server's business."""
        return True

    def resolved(self, path: P) -> P:
        """The path with links followed, whether it is there or not; BadPath if this NAS can't have such a name."""

    def make_directory(self, new: P) -> None:
        """Make one folder; FileExistsError if something has its name."""

    def write(self, content: Iterable[bytes], target: P) -> None:
        """Write a new file and have it flushed to the disk, as far as the server lets us."""

    def digest(self, path: P) -> str:
        """SHA-256 of what the server holds, in hex."""

    def read(self, path: P, offset: int, size: int) -> bytes:
        """At most so many bytes from there on; none at the end."""

    def rename_new(self, source: P, target: P) -> None:
        """Give a file a name that nobody has; FileExistsError if somebody has it. A crash may leave both names."""

    def remove(self, path: P) -> None:
        """Remove a file; FileNotFoundError if there is none."""

    def stat(self, path: P) -> Stat:
        """Of a file or folder, by its name alone. Whatever is no plain file counts as a folder."""

    def scan(self, folder: P) -> Iterator[Stat]:
        """Files and folders in it, by name, hidden ones too; no links, nothing that was deleted meanwhile."""

    def free_bytes(self, directory: P) -> int | None:
        """What this account may still write; None where the server does not tell."""

    def close(self) -> None:
        """Give connections back. The next call makes new ones."""
