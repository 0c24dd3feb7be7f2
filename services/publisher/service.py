"""The publisher as a service: its handler bound to the ledger, the shop and the blob store."""

from collections.abc import Callable, Mapping

from services.publisher.dry_run import DryRunShop
from services.publisher.handlers import on_mockups_rendered, on_work_cancelled
from services.publisher.settings import Settings
from services.publisher.shop import Shop
from services.publisher.store import Ledger
from shared.blobs import Blobs
from shared.bus.service import Service
from shared.database import engine_of

TARGETS: Mapping[str, Callable[[Settings], Shop]] = {
    "dry-run": lambda settings: DryRunShop(settings.listings_dir),
}


class UnknownTarget(ValueError):  # noqa: N818
    """`PUBLISHER_TARGET` names no shop that we can write to."""


def build(settings: Settings) -> Service:
    """Scale by processes; listings of one shop are written one after the other whatever their number.

    Raises:
        UnknownTarget: with the names there are.
    """
    service = Service("publisher")
    ledger = Ledger(engine_of(settings.database_url, pool_size=service.prefetch))
    service.on(on_mockups_rendered, ledger=ledger, shop=shop_of(settings), blobs=Blobs(settings.blob_dir))
    service.on(on_work_cancelled, ledger=ledger)
    return service


def shop_of(settings: Settings) -> Shop:
    """The shop that the settings name."""
    target = TARGETS.get(settings.publisher_target)
    if target is None:
        known = ", ".join(TARGETS)
        raise UnknownTarget(f"PUBLISHER_TARGET is '{settings.publisher_target}'; the targets are: {known}")
    return target(settings)
