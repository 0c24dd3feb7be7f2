"""I3: a session's events 1..n without gap or repeat, in runs that each have one end and never go back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.findings import Finding, Kind

FILE_RANKS = {"hashed": 1, "accepted": 2, "duplicate": 3, "rejected": 3, "failed": 3, "stored": 4}
LISTING_RANKS = {"listing_requested": 1, "rendered": 2, "listing_failed": 3, "listed": 4}
# what is tried again begins anew: a file before it was hashed, a listing when it is asked for; and a duplicate is
# accepted after all when what it was a duplicate of was not stored
ANEW = ((FILE_RANKS, "retried", 0), (LISTING_RANKS, "listing_retried", 1))

Event = Mapping[str, Any]


def differences(session: Mapping[str, Any], events: Sequence[Event]) -> Iterator[Finding]:
    """What is wrong with a session's events, as its rows have them."""
    seqs = [event["seq"] for event in events]
    if seqs != list(range(1, len(seqs) + 1)) or session["last_seq"] != len(seqs):
        yield Finding("gap", f"events {seqs}, last_seq {session['last_seq']}")
    for ranks, retried, anew in ANEW:
        yield from _repeats(events, ranks, retried, anew)
    runs = _runs(events)
    for number, run in enumerate(runs, 1):
        ends = sum(event["type"] == "finished" for event in run)
        if ends != 1 and (number < len(runs) or session["state"] == "finished"):
            yield Finding("doubled" if ends else "lost", f"run {number} of the session was finished {ends} times")
        if (percents := [event["payload"]["percent"] for event in run]) != sorted(percents):
            yield Finding("wrong", f"progress went back: {percents}")


def _repeats(events: Sequence[Event], ranks: Mapping[str, int], retried: str, anew: int) -> Iterator[Finding]:
    last: dict[Any, int] = {}
    was: dict[Any, str] = {}
    for event in events:
        kind, item = event["type"], event["item_id"]
        if kind == retried:
            last[item] = anew
        elif rank := ranks.get(kind):
            decided_anew = (was.get(item), kind) == ("duplicate", "accepted")
            if not decided_anew and rank <= last.get(item, 0):
                found: Kind = "doubled" if rank == last[item] else "wrong"
                yield Finding(found, f"event {event['seq']}: {kind} again, or too late")
            last[item], was[item] = rank, kind


def _runs(events: Sequence[Event]) -> list[list[Event]]:
    """To the end, and from what is tried again or decided anew after it to the next end."""
    runs: list[list[Event]] = [[]]
    for event in events:
        if event["type"] in ("retried", "listing_retried", "accepted") and any(
            was["type"] == "finished" for was in runs[-1]
        ):
            runs.append([])
        runs[-1].append(event)
    return runs
