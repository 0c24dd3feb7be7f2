"""Listing once: each step is on record before the next, and a step whose end nobody saw is looked up, not repeated.

A crash between create and record leaves `pending`; an answer that never came leaves `unknown`. Both are reconciled by
asking the shop. Everything after create is repeatable at the shop, so its checkpoints only save work.
"""

from services.publisher.listing import ListingDraft, content_hash, design_of, words_of
from services.publisher.shop import (
    NOTHING_CREATED,
    Ambiguous,
    Asset,
    Intent,
    ListingGone,
    OutcomeUnknown,
    PicturesLost,
    Refused,
    RemoteRef,
    Shop,
)
from services.publisher.store import Entry, Journal, Uploaded
from shared.blobs import Blobs
from shared.contracts import ALREADY_LISTED, SAME_PRINT, Blob, ListingFailed, ListingPublished, MockupsRendered
from shared.errors import Retryable

Answer = ListingPublished | ListingFailed

ASKER = {"tenant_id", "session_id", "item_id", "index", "generation", "filename", "mockup_id"}
DOWNLOAD_RANK = 0


def list_once(event: MockupsRendered, draft: ListingDraft, journal: Journal, shop: Shop, blobs: Blobs) -> Answer:
    """Bring the listing to its end, from wherever an earlier try left it."""
    entry = journal.open(event)
    asked = f"{event.session_id}/{event.item_id}/{event.generation}/{content_hash(draft)}"
    if first := _first_answer(event, draft, entry, asked, shop.name):
        return first
    if not entry.begun and (reason := journal.cancelled(event)):
        return _failed(event, journal, "failed", asked, reason)
    problems = shop.validate(draft)
    if refusals := [problem.text for problem in problems if problem.level == "enforced"]:
        return _failed(event, journal, entry.status if entry.in_doubt else "failed", asked, "; ".join(refusals))
    warnings = (*draft.notes, *(problem.text for problem in problems))
    try:
        ref = entry.ref or _reconciled(draft, journal, entry, shop)
        if isinstance(ref, Ambiguous):
            return _failed(event, journal, "unknown", asked, _which(ref))
        if ref is None:
            ref = _created(draft, journal, shop)
        elif entry.content_hash != content_hash(draft):
            warnings += ("an earlier try had begun this listing: it has the texts of that time",)
        pictures = _upload(draft, ref, journal, shop, blobs)
        journal.images_done()
        ref = shop.finish(ref, pictures, draft)
    except Refused as refusal:
        return _failed(event, journal, "failed", asked, str(refusal), forget=isinstance(refusal, ListingGone))
    except PicturesLost as lost:
        journal.pictures_lost(lost.media_ids)
        raise
    return _published(event, journal, shop, ref, asked, (*warnings, *ref.notes))


def _first_answer(event: MockupsRendered, draft: ListingDraft, entry: Entry, asked: str, target: str) -> Answer | None:
    if entry.answer is None:
        return None
    asker = event.model_dump(include=ASKER)
    if entry.status != "published":  # a refusal holds for the asking that it answered; a mended one is tried again
        return ListingFailed.model_validate({**entry.answer, **asker}) if entry.asked == asked else None
    first = ListingPublished.model_validate({**entry.answer, **asker, "target": target})  # older answers name no shop
    if entry.asked == asked:
        return first
    return first.model_copy(update={"warnings": (*first.warnings, _listed_before(draft, entry, first.listing_id))})


def _listed_before(draft: ListingDraft, entry: Entry, listing_id: str) -> str:
    """Why no second listing was made. A print of which two designs were made is listed as the first of them."""
    if entry.words and (first := design_of(entry.words)) != design_of(words_of(draft)):
        return (
            f"{SAME_PRINT} that of {first}, which is listed as {listing_id}: a second listing of the same picture "
            "is not made"
        )
    told = f"{ALREADY_LISTED} as {listing_id}: no second listing was made"
    if entry.content_hash != content_hash(draft):
        told += ", and the template's changes since then are not in it"
    return told


def _reconciled(draft: ListingDraft, journal: Journal, entry: Entry, shop: Shop) -> RemoteRef | Ambiguous | None:
    """What an earlier create made, if one was called and its end is not on record."""
    if not entry.in_doubt or entry.intent_at is None or entry.tried_s is None:
        return None
    words = entry.words or words_of(draft)  # before they were kept, drafts were looked up by those of the day
    found = shop.find(Intent(journal.key, draft, entry.intent_at, words, journal.alike_in_doubt()))
    if isinstance(found, RemoteRef):
        journal.drafted(found)
    elif found is None and entry.tried_s < 0:
        journal.tried_now()  # else the shop's time to show it would last longer than all tries together
        raise Retryable("the clock was set back since the shop may have created it: it is looked up again")
    elif found is None and not entry.settled(shop.capabilities):
        raise Retryable(f"the shop may not show yet what was created {entry.tried_s:.0f} s ago; it is looked up again")
    return found


def _created(draft: ListingDraft, journal: Journal, shop: Shop) -> RemoteRef:
    words = words_of(draft)
    since = journal.intend(content_hash(draft), words)
    try:
        ref = shop.create(Intent(journal.key, draft, since, words))
    except NOTHING_CREATED:
        journal.withdrawn()
        raise
    except OutcomeUnknown:
        journal.doubted()
        raise
    journal.drafted(ref)
    return ref


def _upload(draft: ListingDraft, ref: RemoteRef, journal: Journal, shop: Shop, blobs: Blobs) -> list[str]:
    """Put up what the shop lacks, one after the other: uploads side by side lose their order at Etsy. Picture ids."""
    done = journal.uploads()

    def put(rank: int, name: str, content: Blob) -> str:
        if (there := done.get(rank)) and there.sha256 == content.sha256:
            return there.media_id
        asset = Asset(name, blobs.get(content))
        media_id = shop.put_picture(ref, rank, asset) if rank else shop.put_download(ref, asset)
        journal.uploaded(rank, Uploaded(media_id, content.sha256))
        return media_id

    if draft.download:
        put(DOWNLOAD_RANK, draft.download.name, draft.download.content)
    return [put(picture.rank, picture.name, picture.image) for picture in draft.pictures]


def _published(
    event: MockupsRendered, journal: Journal, shop: Shop, ref: RemoteRef, asked: str, warnings: tuple[str, ...]
) -> Answer:
    answer = ListingPublished(
        **event.model_dump(include=ASKER),
        target=shop.name,
        listing_id=ref.listing_id,
        url=ref.url,
        state=ref.state,
        warnings=warnings,
    )
    journal.published(ref, asked, answer.model_dump(mode="json", exclude=ASKER))
    return answer


def _failed(
    event: MockupsRendered, journal: Journal, status: str, asked: str, reason: str, *, forget: bool = False
) -> Answer:
    answer = ListingFailed(**event.model_dump(include=ASKER), reason=reason)
    journal.failed(status, asked, answer.model_dump(mode="json", exclude=ASKER), forget=forget)
    return answer


def _which(found: Ambiguous) -> str:
    return (
        f"the shop has {len(found.where)} drafts that could be this one: {'; '.join(found.where)}. Keep one, try again"
    )
