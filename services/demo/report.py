"""What the demo tells at its end: every file with its outcome and reason, the totals, where everything lies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from services.ingest.sessions.error_words import beside

Receipt = Mapping[str, Any]
Item = Mapping[str, Any]

STYLES = {
    "stored": "green",
    "listed": "bold green",
    "duplicate": "yellow",
    "rejected": "magenta",
    "failed": "bold red",
    "cancelled": "yellow",
}


def accounting(receipt: Receipt) -> str:
    """The line that programs read. What somebody cancelled is among the failed, and named where there is any."""
    keys = ["received", "stored", "duplicate", "rejected", "failed", "listed"]
    keys += ["cancelled"] if receipt["cancelled"] else []
    return "accounting: " + " ".join(f"{key}={receipt[key]}" for key in keys)


def discrepancies(receipt: Receipt, sent: int) -> list[str]:
    """What does not add up in a receipt for `sent` files, in words; empty if all is well."""
    found = []
    if receipt["received"] != sent:
        found.append(f"{sent} files were sent, but the receipt speaks of {receipt['received']}")
    ends = ("stored", "duplicate", "rejected", "failed")
    total = sum(receipt[end] for end in ends)
    if receipt["received"] != total:
        found.append(f"{receipt['received']} files were received, but {total} have an outcome")
    if receipt["in_progress"]:
        found.append(f"{receipt['in_progress']} files are still in progress")
    states = Counter(item["state"] for item in receipt["items"])
    found += [
        f"the receipt counts {receipt[end]} as {end}, its list of files {states[end]}"
        for end in ends
        if states[end] != receipt[end]
    ]
    listed = sum(item["listing_state"] == "listed" for item in receipt["items"])
    if listed != receipt["listed"]:
        found.append(f"the receipt counts {receipt['listed']} listings, its list of files {listed}")
    silent = [item["filename"] for item in receipt["items"] if item["state"] in ends[1:] and not item["reason"]]
    found += [f"no reason is given for {name}" for name in silent]
    return found


def table(items: Sequence[Item]) -> Table:
    """Every file: its outcome, and why or under which name."""
    grid = Table(title="What became of every file", title_justify="left", expand=True, row_styles=("", "dim"))
    grid.add_column("#", justify="right", no_wrap=True)
    grid.add_column("file", overflow="fold", ratio=3)
    grid.add_column("outcome", no_wrap=True)
    grid.add_column("why, or where it is now", overflow="fold", ratio=7)
    for item in items:
        outcome = _outcome(item)
        grid.add_row(
            str(item["index"] + 1), Text(item["filename"]), Text(outcome, STYLES.get(outcome, "")), Text(_story(item))
        )
    return grid


def totals(receipt: Receipt, seconds: float) -> str:
    """The receipt in a sentence; `seconds` from the first byte sent to the last listing."""
    parts = [f"{receipt['stored']} stored", f"{receipt['listed']} listed", f"{receipt['duplicate']} duplicates"]
    parts += [f"{receipt['rejected']} rejected", f"{receipt['failed'] - receipt['cancelled']} failed"]
    more = {
        "cancelled": receipt["cancelled"],
        "listings failed": receipt["listing_failed"] - receipt["listing_cancelled"],
        "listings cancelled": receipt["listing_cancelled"],
    }
    parts += [f"{count} {words}" for words, count in more.items() if count]
    return f"{receipt['received']} files received in {seconds:.0f} s: " + ", ".join(parts)


def _outcome(item: Item) -> str:
    if item["cancelled"]:
        return "cancelled"
    return "listed" if item["state"] == "stored" and item["listing_state"] == "listed" else str(item["state"])


def _story(item: Item) -> str:
    if item["state"] != "stored":
        return beside(item["reason"], item["filename"])
    listing = {
        "listed": "",
        "failed": f"; not listed: {beside(item['listing_reason'], item['name'], item['filename'])}",
        None: "; no listing was asked for",
    }.get(item["listing_state"], "; its listing is still in progress")
    return f"{item['name']}{listing}"
