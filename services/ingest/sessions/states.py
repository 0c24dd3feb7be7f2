"""The states that a file and a listing come to, by what they mean. Pure.

How one follows on another says `lifecycle/file_transitions.py`.
"""

from collections.abc import Mapping
from typing import Any

IN_WORK = ("received", "hashed", "accepted")
UNSTORED = ("duplicate", "rejected", "failed")
"""The end states of a file that has become no design."""
ENDS = ("stored", *UNSTORED)
LISTABLE = (*IN_WORK, "stored")

# `stored` is last: a design that reached the NAS after somebody had given it up is stored, whatever was said before.
RANKS = {"received": 0, "hashed": 10, "accepted": 20, "duplicate": 30, "rejected": 30, "failed": 30, "stored": 40}

LISTING_IN_WORK = ("requested", "rendered")
LISTING_RANKS = {"requested": 0, "rendered": 10, "failed": 20, "listed": 30}
DRY_RUN = "dry-run"
"""The target of listings that are folders on this server."""

WAITING, SKIP, KEEP = "waiting", "skip", "keep"
"""What is asked about a near duplicate, or was said of it: its `review`."""

CANCELLED = "cancelled"
"""The `code` of what failed because somebody cancelled it."""


def is_cancelled(state: str, facts: Mapping[str, Any]) -> bool:
    """Whether a file has failed because somebody cancelled it."""
    return state == "failed" and facts.get("code") == CANCELLED
