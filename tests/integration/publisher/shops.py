"""A shop whose calls can fail at a chosen moment, over the real dry-run target. It keeps the list of calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from services.publisher.dry_run import DryRunShop
from services.publisher.limits import Problem
from services.publisher.listing import ListingDraft
from services.publisher.shop import Ambiguous, Asset, Intent, RemoteRef

T = TypeVar("T")


class Crash(Exception):  # noqa: N818
    """The process died here: nothing after this line has run."""


class BreakingShop:
    """`before` and `after` map a call ('create', 'put_picture 2') to what happens around it."""

    def __init__(self, inner: DryRunShop) -> None:
        self.inner = inner
        self.name = inner.name
        self.capabilities = inner.capabilities
        self.calls: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}

    def settles_after(self, seconds: float, create_takes_s: float = 0) -> None:
        """From now on its reads may miss what was created less than this long ago, and a create may take so long."""
        self.capabilities = replace(self.capabilities, create_takes_s=create_takes_s, settles_after_s=seconds)

    def check(self) -> tuple[Problem, ...]:
        return self.inner.check()

    def of(self, tenant_id: UUID) -> "BreakingShop":
        assert self.inner.of(tenant_id) is self.inner
        return self

    def validate(self, draft: ListingDraft) -> tuple[Problem, ...]:
        return self.inner.validate(draft)

    def find(self, intent: Intent) -> RemoteRef | Ambiguous | None:
        self._enter("find")
        return self._leave("find", self.inner.find(intent))

    def create(self, intent: Intent) -> RemoteRef:
        self._enter("create")
        return self._leave("create", self.inner.create(intent))

    def put_picture(self, ref: RemoteRef, rank: int, asset: Asset) -> str:
        self._enter(f"put_picture {rank}")
        return self._leave(f"put_picture {rank}", self.inner.put_picture(ref, rank, asset))

    def put_download(self, ref: RemoteRef, asset: Asset) -> str:
        self._enter("put_download")
        return self._leave("put_download", self.inner.put_download(ref, asset))

    def finish(self, ref: RemoteRef, pictures: Sequence[str], draft: ListingDraft) -> RemoteRef:
        self._enter("finish")
        return self._leave("finish", self.inner.finish(ref, pictures, draft))

    def count(self, call: str) -> int:
        return self.calls.count(call)

    def _enter(self, call: str) -> None:
        self.calls.append(call)
        self.before.pop(call, _nothing)()

    def _leave(self, call: str, answer: T) -> T:
        self.after.pop(call, _nothing)()
        return answer


def raising(error: Exception) -> Callable[[], None]:
    """A moment at which this error is raised."""

    def fail() -> None:
        raise error

    return fail


def _nothing() -> None:
    pass
