"""Product pictures in, a listing out."""

from collections.abc import Iterator

from services.publisher.listing import draft_of, publish_key
from services.publisher.publishing import ASKER, list_once
from services.publisher.shop import NotAuthorised, Target
from services.publisher.store import Ledger
from shared.blobs import Blobs
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered, WorkCancelled


def on_mockups_rendered(
    event: MockupsRendered, ledger: Ledger, target: Target, blobs: Blobs
) -> Iterator[ListingPublished | ListingFailed]:
    """List the design, or answer what was answered when it was listed."""
    try:
        answer = _listed(event, ledger, target, blobs)
    except NotAuthorised as trouble:
        # The seller must mend it, and tries again then: no dead letter for each of 500 designs. Not on record in the
        # ledger, where what the shop has of this listing stays as it is.
        answer = ListingFailed(**event.model_dump(include=ASKER), reason=str(trouble))
    yield answer


def on_work_cancelled(event: WorkCancelled, ledger: Ledger) -> None:
    """What is rendered and not begun at the shop is not listed any more."""
    ledger.cancel(event)


def _listed(event: MockupsRendered, ledger: Ledger, target: Target, blobs: Blobs) -> ListingPublished | ListingFailed:
    shop = target.of(event.tenant_id)
    draft = draft_of(event, shop.capabilities)
    with ledger.writing(shop.name, event.shop, publish_key(draft, event.design)) as journal:
        return list_once(event, draft, journal, shop, blobs)
