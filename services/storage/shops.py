"""Shops with a NAS of their own: which NAS a path lies on, and in which queue the work for each waits.

As soon as there is one, storage's inbox only sorts: work that needs a NAS goes on to that NAS's own queue, where nobody
else's work waits for the end of its outage. Handlers know nothing of that: to them it is one NAS, with all shops on it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from shared.errors import Elsewhere
from shared.nas import Nas, Stat
from shared.nas.names import collision_key, safe_folder_name

COMMON = "presswork.storage.nas"
"""The queue of the shops that share the common NAS; a shop with its own NAS has one named by its folder."""


def key_of(shop: str) -> str:
    """A key that is equal for names that would be one folder on some NAS."""
    return collision_key(safe_folder_name(shop))


@dataclass(frozen=True)
class Nases:
    """The NAS for all, and those of single shops by the shop's folder."""

    common: Nas
    own: Mapping[str, Nas]

    @cached_property
    def _by_key(self) -> Mapping[str, Nas]:
        return {key_of(shop): nas for shop, nas in self.own.items()}

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues, one for each NAS; none where all shops share one NAS."""
        return (COMMON, *(f"{COMMON}.{key}" for key in self._by_key)) if self.own else ()

    def of(self, path: str) -> Nas:
        """The NAS that a path lies on."""
        return self._by_key.get(_folder_key(path), self.common)

    def queue_of(self, path: str) -> str:
        """The queue of the work that needs this NAS; empty: it is the inbox."""
        key = _folder_key(path)
        return "" if not self.own else f"{COMMON}.{key}" if key in self._by_key else COMMON

    def as_one(self) -> Nas:
        """All NASes as one `Nas`, which finds each shop's folder on the NAS of the shop."""
        return ByShop(self.of, self.close) if self.own else self.common

    def sorting(self) -> Nas:
        """Stands for the NASes in the inbox: raises `Elsewhere` with the queue in which the work for a NAS belongs."""

        def elsewhere(path: str) -> Nas:
            raise Elsewhere(self.queue_of(path))

        return ByShop(elsewhere, self.close)

    def __iter__(self) -> Iterator[tuple[str, Nas]]:
        """The NASes, each with its shop; the common one comes first, with no shop."""
        yield "", self.common
        yield from self.own.items()

    def close(self) -> None:
        """Give all connections back."""
        for _, nas in self:
            nas.close()


@dataclass(frozen=True)
class ByShop:
    """Several as one `Nas`: a path's first part says whose it is."""

    of: Callable[[str], Nas]
    close_all: Callable[[], None]

    def initialise(self, *, adopt: bool = False) -> str:
        return self.of("").initialise(adopt=adopt)

    def check(self, *, thorough: bool = False) -> str:
        return self.of("").check(thorough=thorough)

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self.of(path).put(path, source, sha256, size)

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        self.of(target_path).move(source_path, target_path, sha256)

    def stat(self, path: str) -> Stat | None:
        return self.of(path).stat(path)

    def read(self, path: str) -> Iterator[bytes]:
        return self.of(path).read(path)

    def list(self, directory: str = "") -> tuple[Stat, ...]:
        return self.of(directory).list(directory)

    def delete(self, path: str) -> None:
        self.of(path).delete(path)

    def verify(self, path: str, sha256: str, size: int) -> bool:
        return self.of(path).verify(path, sha256, size)

    def sweep(self, older_than_s: float) -> tuple[str, ...]:
        return self.of("").sweep(older_than_s)

    def free_bytes(self) -> int | None:
        return self.of("").free_bytes()

    def close(self) -> None:
        self.close_all()


def _folder_key(path: str) -> str:
    return collision_key(path.strip("/").partition("/")[0])
