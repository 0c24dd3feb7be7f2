"""The few things that a NAS must be able to do, whatever protocol it speaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class Stat(NamedTuple):
    """One file or folder. `modified_ns` is by the NAS's clock, in nanoseconds since 1970."""

    path: str
    size: int
    modified_ns: int
    is_directory: bool = False


class Nas(Protocol):
    """Files by their path below one root: '/' between the parts, as in `shared.nas.names.checked`.

    Each call blocks, tries again for some seconds when the NAS stumbles, and may be repeated: after a crash in the
    middle the same call ends where the first would have ended. No call overwrites a file.

    Every call raises `NasUnavailable` when the NAS as a whole can't be used, `NasRefused` when only this path can't,
    and `BadPath` for a path that is none; `shared.nas.errors` has the others. Each says in words what to do.
    """

    def initialise(self, *, adopt: bool = False) -> str:
        """Mark the root as ours, once, and return the mark's id; the only call that works on an unmarked root.

        A root that holds anything but the mark is refused with `NameTaken`, unless its files are to be adopted.
        """

    def check(self, *, thorough: bool = False) -> str:
        """Prove that the NAS is there, is the one that was initialised and can be written; return its id.

        A `thorough` check, once before use, also proves that the NAS never overwrites a file when renaming.
        """

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        """Copy a local file and return once its bytes were read back from the NAS and compared.

        The name appears with its whole content or not at all. If the content is there already, nothing is written.

        Raises:
            NameTaken: other content has this name.
            NasFull: there is no room for it.
            Retryable: what was read back differs from what was sent.
            Permanent: the local file is not what `sha256` and `size` say.
        """

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        """Rename a file that was put before, and whose content `sha256` names.

        Raises:
            NameTaken: other content has the new name.
            FileGone: neither name has the content.
        """

    def stat(self, path: str) -> Stat | None:
        """Size and time of a file or folder; None if there is none."""

    def read(self, path: str) -> Iterator[bytes]:
        """The file's bytes, piece by piece. Opened at the first piece, where `FileGone` is raised."""

    def list(self, directory: str = "") -> tuple[Stat, ...]:
        """What a folder holds, by name; empty if there is no such folder; "" is the root.

        Left out: hidden names (files in the making, a Mac's leavings), a NAS's own folders (recycle bin, thumbnails),
        links, and names that are not UTF-8, which no message could carry.
        """

    def delete(self, path: str) -> None:
        """Remove a file; fine if it is gone."""

    def verify(self, path: str, sha256: str, size: int) -> bool:
        """Read the file back: is it there with exactly this content?"""

    def sweep(self, older_than_s: float) -> tuple[str, ...]:
        """Remove part files that a crash left and nobody has written to for that long; return their paths."""

    def free_bytes(self) -> int | None:
        """What may still be written there; None if the NAS does not tell."""

    def close(self) -> None:
        """Give connections back; the next call makes new ones."""
