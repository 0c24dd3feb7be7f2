"""The publisher as a service: its handler bound to the ledger, the shops and the blob store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.publisher.dry_run import DryRunShop
from services.publisher.etsy.sealing import BadKey
from services.publisher.etsy.wiring import NotConfigured, etsy
from services.publisher.handlers import on_mockups_rendered, on_work_cancelled
from services.publisher.limits import Problem
from services.publisher.settings import Settings
from services.publisher.shop import Shop, Target
from services.publisher.store import Ledger
from shared.blobs import Blobs
from shared.bus.retry import RetryPolicy
from shared.bus.service import Service
from shared.database import engine_of
from shared.errors import Unavailable

POOL_SIZE = 3
"""A listing holds its shop's lock on one connection; turns at Etsy and tokens take another, of a pool of its own."""

LOCK_WAIT_S = 5.0
"""So long a listing waits for its shop in a publisher's hands; then those behind it, of other shops, go first."""

RETRY = RetryPolicy(delays_s=(5, 30, 60, 300, 300, 300))
"""As everywhere, with one more try, after a minute and a half: by then the shop shows what a create in doubt made."""

TARGETS: Mapping[str, Callable[[Settings, Ledger], Target]] = {
    "dry-run": lambda settings, _: DryRunShop(settings.listings_dir),
    "etsy": etsy,
}


class UnknownTarget(ValueError):  # noqa: N818
    """`PUBLISHER_TARGET` names no shop that we can write to."""


class NotSetUp(UnknownTarget):
    """It names one whose settings lack."""


@dataclass(frozen=True)
class Lacking:
    """The target of a publisher that is only looked at: `presswork init` has no keys, and needs none for the queues."""

    why: NotSetUp

    def check(self) -> tuple[Problem, ...]:
        """What lacks."""
        return (Problem("PUBLISHER_TARGET", "enforced", str(self.why)),)

    def of(self, tenant_id: UUID) -> Shop:
        """No tenant has a shop before the settings are there: what is to be listed waits, and is not lost."""
        del tenant_id
        raise Unavailable(str(self.why)) from self.why


def build(settings: Settings) -> Service:
    """Scale by processes; listings of one shop are written one after the other whatever their number.

    Raises:
        UnknownTarget: with the names there are. Settings that lack stop only those who run it (`target_of`).
    """
    service = Service("publisher", RETRY)
    ledger = ledger_of(settings, lock_wait_s=LOCK_WAIT_S)
    try:
        target = target_of(settings, ledger)
    except NotSetUp as error:
        target = Lacking(error)
    service.on(on_mockups_rendered, ledger=ledger, target=target, blobs=Blobs(settings.blob_dir))
    service.on(on_work_cancelled, ledger=ledger)
    return service


def ledger_of(settings: Settings, *, pool_size: int = POOL_SIZE, lock_wait_s: float = 30) -> Ledger:
    """The ledger in the settings' database, for so many callers at a time."""
    engine, locks = (engine_of(settings.database_url, pool_size=pool_size) for _ in range(2))
    return Ledger(engine, locks=locks, lock_wait_s=lock_wait_s)


def target_of(settings: Settings, ledger: Ledger) -> Target:
    """The target that the settings name.

    Raises:
        UnknownTarget, NotSetUp: with the names there are, or the settings that lack.
    """
    target = TARGETS.get(settings.publisher_target)
    if target is None:
        known = ", ".join(TARGETS)
        raise UnknownTarget(f"PUBLISHER_TARGET is '{settings.publisher_target}'; the targets are: {known}")
    try:
        return target(settings, ledger)
    except (NotConfigured, BadKey) as error:
        raise NotSetUp(f"PUBLISHER_TARGET is '{settings.publisher_target}', and {error}") from error
