"""What a session's counts and its work mean to the person who waits: step, words, percent. Pure."""

from dataclasses import asdict, dataclass

from services.ingest.sessions.progress.workload import Workload
from services.plurals import counted

TOTAL_STEPS = 4

WORKING = 99.0
"""Percent when all work is done; the end itself is the last one."""


@dataclass(frozen=True)
class Totals:
    """A session's counts. Each file is in one state, each listing in one: the states add up to received and requested.

    received = stored + duplicate + rejected + failed + in progress, and requested = listed + listing_failed + in
    progress, at every moment. `hashed`, `accepted` and `rendered` are those that are in that state now.
    """

    received: int = 0
    hashed: int = 0
    accepted: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    failed: int = 0
    requested: int = 0
    rendered: int = 0
    listed: int = 0
    listing_failed: int = 0
    to_review: int = 0
    """Of the duplicates, how many wait for a decision."""
    cancelled: int = 0
    """Of the failed, how many somebody cancelled."""
    listing_cancelled: int = 0
    """Of the listings that failed, how many somebody cancelled."""

    @property
    def settled(self) -> int:
        """Files that have their end state."""
        return self.stored + self.duplicate + self.rejected + self.failed

    @property
    def in_progress(self) -> int:
        return self.received - self.settled

    @property
    def listings_settled(self) -> int:
        return self.listed + self.listing_failed

    @property
    def listings_in_progress(self) -> int:
        return self.requested - self.listings_settled

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def percent(totals: Totals, workload: Workload, *, finished: bool) -> float:
    """How far a session is, 0 to 100, by bytes and by what stages cost; 100 only at the true end."""
    if finished:
        return 100.0
    if not totals.received:
        return 0.0
    listing = made(totals, workload) / totals.requested if totals.requested else 0.0
    share = workload.costs.listing
    return round(WORKING * ((1 - share) * min(_files(totals, workload), 1.0) + share * min(listing, 1.0)), 2)


def made(totals: Totals, workload: Workload) -> float:
    """How many listings are made; one that has its pictures is so in part."""
    return workload.costs.rendered * totals.rendered + totals.listings_settled


def _files(totals: Totals, workload: Workload) -> float:
    if not totals.in_progress:
        return 1.0
    if workload.work:
        return max(workload.done / workload.work, 0.0)
    cost = workload.costs  # submitted by an older release, which weighed nothing
    done = cost.share("hashed") * totals.hashed + cost.share("accepted") * totals.accepted + totals.settled
    return done / totals.received


def step(totals: Totals, *, finished: bool) -> int:
    """Which of the client's four circles is lit. 4 closes its stream, so it comes only at the true end."""
    if finished:
        return TOTAL_STEPS
    if totals.requested and not totals.in_progress:
        return 3
    return 2 if totals.hashed + totals.accepted + totals.settled else 1


def message(totals: Totals, *, finished: bool, again: bool = False, cancelled: bool = False) -> str:
    """The line under the circles. `again`: its files had all ended before, and some were taken up again since.

    These are counted down: from one to the next the done ones would be fewer, not more. `cancelled`: the whole upload
    was, not only some of its files.
    """
    if finished:
        return _ending(totals, cancelled=cancelled)
    if totals.in_progress or not totals.requested:
        return _of_files(totals, again=again)
    rendered = totals.rendered + totals.listings_settled
    if rendered < totals.requested:
        return f"Creating product mockups ({rendered}/{totals.requested})"
    return f"Uploading to Etsy store ({totals.listings_settled}/{totals.requested})"


def awaits_order(totals: Totals) -> bool:
    """Whether all that was asked for is done, and its designs may still be asked to be listed."""
    return bool(totals.stored) and not totals.in_progress and not totals.requested


def concerns(service: str, totals: Totals) -> bool:
    """Whether something of this upload has yet to pass through a service, so that it waits when the service does."""
    unhashed = totals.received - totals.hashed - totals.accepted - totals.settled
    left = {
        "hasher": unhashed,
        "dedup": unhashed + totals.hashed,
        "storage": totals.in_progress,
        "mockup": totals.listings_in_progress - totals.rendered,
        "publisher": totals.listings_in_progress,
    }
    return left.get(service, totals.in_progress + totals.listings_in_progress) > 0


def waiting(line: str, cause: str | None) -> str:
    """The line under the circles, with the cause that the work waits for."""
    return f"{line} - waiting: {cause}" if cause else line


def summary(totals: Totals) -> str:
    """The totals in words: `57 stored, 2 duplicates skipped, 1 could not be used`."""
    return ", ".join([f"{totals.stored} stored", *_beside_stored(totals)])


def _beside_stored(totals: Totals) -> list[str]:
    parts = []
    if totals.listed or totals.listing_failed:
        parts.append(f"{totals.listed} listed")
    if skipped := totals.duplicate - totals.to_review:
        parts.append(f"{counted(skipped, 'duplicate')} skipped")
    if totals.to_review:
        parts.append(f"{totals.to_review} near cop{'ies' if totals.to_review > 1 else 'y'} to decide about")
    if totals.rejected:
        parts.append(f"{totals.rejected} could not be used")
    if failed := totals.failed - totals.cancelled:
        parts.append(f"{failed} failed")
    if totals.cancelled:
        parts.append(f"{totals.cancelled} cancelled")
    if failed := totals.listing_failed - totals.listing_cancelled:
        parts.append(f"{counted(failed, 'listing')} failed")
    if cancelled := totals.listing_cancelled:
        parts.append(f"{counted(cancelled, 'listing')} cancelled")
    return parts


def _of_files(totals: Totals, *, again: bool) -> str:
    if awaits_order(totals):
        return _stored(totals)
    if again and totals.in_progress:
        return f"Working on what was taken up again: {totals.in_progress} of {totals.received} files to go"
    if step(totals, finished=False) == 1:
        return "Checking for duplicates"
    return f"Processing and formatting images ({totals.settled}/{totals.received})"


def _stored(totals: Totals) -> str:
    if totals.stored < totals.received:
        return f"All files are done: {summary(totals)}; listings are not asked for yet"
    if totals.stored == 1:
        return "The design is stored; its listing is not asked for yet"
    return f"All {totals.stored} designs are stored; their listings are not asked for yet"


def _ending(totals: Totals, *, cancelled: bool) -> str:
    if not totals.received:
        return "Upload cancelled before its files came"
    if cancelled:
        stored = f"{totals.stored} of {totals.received} stored by then"
        return f"Upload cancelled: {', '.join([stored, *_beside_stored(totals)])}"
    if not totals.stored and not totals.duplicate:
        only_cancelled = totals.cancelled and totals.cancelled == totals.failed
        return f"Upload {'cancelled' if only_cancelled else 'failed'}: {summary(totals)}"
    if totals.requested and not totals.listed:
        return f"Upload completed, but nothing was listed: {summary(totals)}"
    how = "completed, but not all of it" if totals.failed + totals.listing_failed else "completed successfully"
    unasked = totals.stored - totals.requested if totals.requested else 0
    rest = "the listing of the other one was" if unasked == 1 else "listings of the others were"
    others = f"; {rest} not asked for" if unasked > 0 else ""
    return f"Upload {how}: {summary(totals)}{others}"
