"""What became of an upload, in sentences: for the one place where the client shows text to its user. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.ingest.sessions.design_names import called
from services.ingest.sessions.error_words import beside
from services.ingest.sessions.states import DRY_RUN, IN_WORK, LISTING_IN_WORK, UNSTORED, WAITING, is_cancelled
from services.plurals import counted
from shared.contracts import ALREADY_LISTED, SAME_PRINT

MOST_LINES = 20
TRIED = "It is a dry run: listings are folders on the server, none is at Etsy. Connect a shop, and ask again."

NO_SHOP = "No Etsy shop is connected to this account: connect it on the account page, and ask again."
TRIED_ONLY = "tried"
"""How a listing of a dry run stands where listings go to a shop, and none is connected."""
MOST_NAMES = 6

Item = Mapping[str, Any]


def tell(items: Iterable[Item], listings: Iterable[Mapping[str, Any]], notes: Iterable[str] = ()) -> str:
    """A summary line, the notes, then what there is to say of listings, of files that are no design, and of designs."""
    items, listings = list(items), list(listings)
    lines = [NO_SHOP] if any(listing["state"] == TRIED_ONLY for listing in listings) else []
    lines += notes
    lines += [
        _unlisted(listing) for listing in listings if listing["state"] == "failed" and listing["item_state"] == "stored"
    ]
    lines += [
        f"{called(listing['filename'], listing['name'])}: {warning}"
        for listing in listings
        for warning in listing["warnings"]
        if listing["state"] == "listed"
    ]
    lines += [_problem(item) for item in items if item["state"] in UNSTORED]
    if listings:
        lines += _of_designs(items)
    shown = lines[:MOST_LINES]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} more; the receipt of the session names all of them.")
    tried = [TRIED] if all_in_a_dry_run(listings) else []
    return "\n".join([_counts(items, listings), *shown, *tried])


def of_cancelled(items: Iterable[Item]) -> str:
    """What `tell` says, of an upload that somebody cancelled before its listings were asked for."""
    items = list(items)
    stored = sum(item["state"] == "stored" for item in items)
    those, stay = ("1 design that was", "stays") if stored == 1 else (f"{stored} designs that were", "stay")
    notes = [f"{those} stored before {stay} stored."] if stored else []
    return f"The upload was cancelled, so no listings were created: {tell(items, [], notes)}"


def standing(listings: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many of them stand how: each is counted once, and those `already_listed` among the listed, too."""
    listings = list(listings)
    found = Counter("cancelled" if listing.get("cancelled") else str(listing["state"]) for listing in listings)
    ends = {name: found[name] for name in ("listed", "failed", "cancelled")}
    ends |= {"in_progress": sum(found[name] for name in LISTING_IN_WORK)}
    return ends | {"already_listed": sum(was_listed(listing) for listing in listings)}


def was_listed(listing: Mapping[str, Any]) -> bool:
    """Whether it was listed before it was asked for: as our rows had it (`already`), or as the shop found out."""
    found = any(warning.startswith((ALREADY_LISTED, SAME_PRINT)) for warning in listing["warnings"])
    return listing["state"] == "listed" and (found or listing.get("already", False))


def in_a_shop(listings: Iterable[Mapping[str, Any]], target: str | None) -> list[dict[str, Any]]:
    """These listings. Without a shop to list in (no target), what a dry run listed counts as tried, not as listed."""
    return [
        {**listing, "state": TRIED_ONLY} if target is None and listing["target"] == DRY_RUN else dict(listing)
        for listing in listings
    ]


def all_in_a_dry_run(listings: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what was listed is in a folder, and nothing of it in a shop."""
    return {listing.get("target") for listing in listings if listing["state"] == "listed"} == {DRY_RUN}


def changed_since(count: int) -> str:
    """A note about listings that were asked for before this call, and with other words or pictures."""
    those, them = ("1 listing was", "it") if count == 1 else (f"{count} listings were", "them")
    return f"{those} asked for before the template or the mockup was changed: the changes are not in {them}."


def taken_along(listings: Sequence[Mapping[str, Any]]) -> str:
    """A note about designs that were listed though nobody named them: an upload brought their files again.

    Empty if none of them is listed (they failed, are in work, or are in a dry run only): other lines say so.
    """
    names = [called(listing["filename"], listing["name"]) for listing in listings if listing["state"] == "listed"]
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} was listed too: this upload brought its file again, and it had not been listed yet."
    named = names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1} more"]
    which = f"{', '.join(named[:-1])} and {named[-1]}"
    return f"{which} were listed too: this upload brought their files again, and they had not been listed yet."


def _counts(items: list[Item], listings: list[Mapping[str, Any]]) -> str:
    state = Counter(item["state"] for item in items)
    listed = standing(listings)
    working = sum(state[name] for name in IN_WORK)
    asked = sum(item.get("review") == WAITING for item in items)
    cancelled = sum(is_cancelled(item["state"], item.get("facts", {})) for item in items)
    parts = [
        _listed(listed["listed"], listed["already_listed"]),
        _number(listed["failed"], "listing", "failed"),
        _number(listed["cancelled"], "listing", "cancelled"),
        _number(listed["in_progress"], "listing", "still in progress"),
        _number(sum(listing["state"] == TRIED_ONLY for listing in listings), "listing", "in a dry run only"),
        _number(state["duplicate"] - asked, "duplicate", "skipped"),
        f"{asked} near cop{'y waits' if asked == 1 else 'ies wait'} for your decision" if asked else "",
        _number(state["rejected"], "file", "could not be used"),
        _number(state["failed"] - cancelled, "file", "failed"),
        _number(cancelled, "file", "cancelled"),
        _number(working, "file", "still in progress"),
    ]
    return ", ".join(part for part in parts if part) + "." if any(parts) else "Nothing to list."


def _listed(count: int, already: int) -> str:
    if not already:
        return _number(count, "listing", "created")
    return f"{count} listed already" if already == count else f"{count} listed, {already} of them already"


def _number(count: int, noun: str, verb: str) -> str:
    return f"{counted(count, noun)} {verb}" if count else ""


def _problem(item: Item) -> str:
    reason = str(item["reason"] or item["state"])
    if item.get("review") == WAITING:
        reason += " (it waits for your decision: keep it or skip it)"
    return f"{item['filename']}: {beside(reason, item['filename'])}"


def _of_designs(items: Iterable[Item]) -> list[str]:
    """What somebody should know of a print before it is sold: that it is soft, say."""
    stored = [item for item in items if item["state"] == "stored"]
    return [
        f"{called(item['filename'], item.get('name'))}: {warning}"
        for item in stored
        for warning in item.get("facts", {}).get("warnings", [])
    ]


def _unlisted(listing: Mapping[str, Any]) -> str:
    name, filename = listing["name"], listing["filename"]
    return f"{called(filename, name)}: not listed: {beside(listing['reason'], name, filename)}"


def retold(files: Sequence[str], listings: int, item: Item | None = None) -> str:
    """What is tried again, in a sentence. `item` is the one file that was asked about, as it was before."""
    counts = {"file": len(files), "listing": listings}
    what = " and ".join(counted(count, noun) for noun, count in counts.items() if count)
    if what:
        one = len(files) + listings == 1
        return f"{what} {'is' if one else 'are'} being worked on again."
    if item is None:
        return "Nothing of this upload has failed, so nothing is tried again."
    name, state = item["filename"], item["state"]
    if original := item.get("waits_for"):
        return f"{name} is a copy of {original}, which is not stored yet; it is taken up by itself if that fails."
    if state in ("rejected", "duplicate"):
        why = beside(item["reason"], name)
        return f"{name} has not failed ({state}), and trying again would end the same: {why}"
    working = "is stored, and no listing of it has failed" if state == "stored" else "is being worked on already"
    return f"{name} {working}: nothing is tried again."
