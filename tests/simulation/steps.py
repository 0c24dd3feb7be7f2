"""The steps of a handler, between which it can be broken off, or others do something: its calls and its answers."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event

from services.publisher.limits import ETSY, Problem
from services.publisher.listing import Capabilities, ListingDraft
from services.publisher.shop import Ambiguous, Asset, Intent, RemoteRef
from shared.nas import PathNas

T = TypeVar("T")
Happens = Callable[[str], None]


class Broken(Exception):  # noqa: N818
    """The process died here: nothing after this line has run, and the message comes again."""


class Steps:
    """Counts the steps of what is at work; at the one that was chosen something happens."""

    def __init__(self) -> None:
        self._at: int | None = None
        self._happens: Happens | None = None
        self.open_transactions = 0

    @contextlib.contextmanager
    def during(self, at: int | None, happens: Happens) -> Iterator[None]:
        """For the length of the block something happens at this step, once."""
        before = (self._at, self._happens)
        self._at, self._happens = at, happens
        try:
            yield
        finally:
            self._at, self._happens = before

    def step(self, what: str) -> None:
        """One more; never inside a transaction, where others would wait for its locks."""
        if self._at is None or self._happens is None or self.open_transactions:
            return
        self._at -= 1
        if self._at < 0:
            self._at, happens = None, self._happens
            happens(what)

    def watch(self, engine: Engine) -> None:
        """Count the beginnings and the ends of this engine's transactions."""
        committing = engine.dialect.do_commit

        @event.listens_for(engine, "begin")
        def _begin(_: Connection) -> None:
            self.step("begin")
            self.open_transactions += 1

        @event.listens_for(engine, "rollback")
        def _rollback(_: Connection) -> None:
            self.open_transactions -= 1

        def commit(connection: Any) -> None:
            committing(connection)
            self.open_transactions -= 1
            self.step("committed")

        engine.dialect.do_commit = commit  # type: ignore[method-assign]


class SteppingNas(PathNas):
    """A folder, with a step before and after each call that changes something."""

    def __init__(self, root: Path, steps: Steps) -> None:
        super().__init__(root, first_wait_s=0)
        self.steps = steps

    def put(self, path: str, source: Path, sha256: str, size: int) -> None:
        self._stepping("nas put", lambda: PathNas.put(self, path, source, sha256, size))

    def move(self, source_path: str, target_path: str, sha256: str) -> None:
        self._stepping("nas move", lambda: PathNas.move(self, source_path, target_path, sha256))

    def delete(self, path: str) -> None:
        self._stepping("nas delete", lambda: PathNas.delete(self, path))

    def verify(self, path: str, sha256: str, size: int) -> bool:
        return self._stepping("nas verify", lambda: PathNas.verify(self, path, sha256, size))

    def _stepping(self, what: str, call: Callable[[], T]) -> T:
        self.steps.step(what)
        found = call()
        self.steps.step(f"{what} done")
        return found


SHOPS = ("dry-run", "etsy:1", "etsy:2")


class MemoryShop:
    """A shop that keeps its listings in a list, with a step before and after each call; `name` is the connected one."""

    capabilities: Capabilities = ETSY.__class__(**{**ETSY.__dict__, "create_takes_s": 0, "settles_after_s": 0})

    def __init__(self, steps: Steps, name: str = SHOPS[0], created: list[tuple[str, str]] | None = None) -> None:
        self.steps, self.name = steps, name
        self.created = [] if created is None else created

    def check(self) -> tuple[Problem, ...]:
        return ()

    def of(self, tenant_id: object) -> "MemoryShop":
        """As it is now: who works on a listing goes on with it when another one is connected."""
        del tenant_id
        return MemoryShop(self.steps, self.name, self.created)

    def validate(self, draft: ListingDraft) -> tuple[Problem, ...]:
        del draft
        return ()

    def find(self, intent: Intent) -> RemoteRef | Ambiguous | None:
        found = tuple(key for name, key in self.created if (name, key) == (self.name, intent.key))
        if len(found) > 1:
            return Ambiguous(found)
        return RemoteRef(intent.key) if found else None

    def create(self, intent: Intent) -> RemoteRef:
        self.steps.step("shop create")
        self.created.append((self.name, intent.key))
        self.steps.step("shop create done")
        return RemoteRef(intent.key)

    def put_picture(self, ref: RemoteRef, rank: int, asset: Asset) -> str:
        del ref, asset
        self.steps.step("shop picture")
        return str(rank)

    def put_download(self, ref: RemoteRef, asset: Asset) -> str:
        del ref, asset
        return "0"

    def finish(self, ref: RemoteRef, pictures: object, draft: ListingDraft) -> RemoteRef:
        del pictures, draft
        self.steps.step("shop finish")
        return ref
