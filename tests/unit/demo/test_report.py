"""The report: every file, every reason, and an accounting that is checked before it is believed."""

from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from services.demo.report import accounting, discrepancies, table, totals


def item(index: int, state: str, **facts: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("reason", "name", "path", "listing_state", "listing_reason", "listing_url"))
    return {"index": index, "filename": f"file-{index}.png", "state": state, "cancelled": False, **empty, **facts}


RECEIPT: dict[str, Any] = {
    "received": 5,
    "stored": 2,
    "duplicate": 1,
    "rejected": 1,
    "failed": 1,
    "cancelled": 0,
    "in_progress": 0,
    "listed": 1,
    "listing_failed": 1,
    "listing_cancelled": 0,
    "items": [
        item(0, "stored", name="DTF 100 Art_100.png", listing_state="listed"),
        item(
            1,
            "stored",
            name="DTF 101 Art_101.png",
            listing_state="failed",
            listing_reason="file-1.png could not be listed: it is too long",
        ),
        item(2, "duplicate", reason="the same file as file-0.png in this upload"),
        item(3, "rejected", reason="file-3.png: not an image; export it again"),
        item(4, "failed", reason="the NAS refused it"),
    ],
}


def test_the_last_line_is_exact() -> None:
    assert accounting(RECEIPT) == "accounting: received=5 stored=2 duplicate=1 rejected=1 failed=1 listed=1"


def test_a_sound_receipt_has_no_discrepancy() -> None:
    assert discrepancies(RECEIPT, sent=5) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"received": 6}, "6 files were received, but 5 have an outcome"),
        ({"stored": 3}, "the receipt counts 3 as stored, its list of files 2"),
        ({"in_progress": 1}, "1 files are still in progress"),
        ({"listed": 2}, "the receipt counts 2 listings, its list of files 1"),
    ],
)
def test_what_does_not_add_up_is_said(changes: dict[str, int], words: str) -> None:
    assert words in discrepancies({**RECEIPT, **changes}, sent=5)


def test_a_lost_file_is_noticed_even_if_the_receipt_is_consistent() -> None:
    assert discrepancies(RECEIPT, sent=6) == ["6 files were sent, but the receipt speaks of 5"]


def test_an_outcome_without_reason_is_a_discrepancy() -> None:
    receipt = deepcopy(RECEIPT)
    receipt["items"][2]["reason"] = None
    assert discrepancies(receipt, sent=5) == ["no reason is given for file-2.png"]


def test_the_table_tells_each_files_outcome_and_why() -> None:
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(table(RECEIPT["items"]))
    lines = captured.get().splitlines()
    rows = {
        line.split()[1]: line
        for line in lines
        if line.startswith("\N{BOX DRAWINGS LIGHT VERTICAL}") and line.split()[1].isdigit()
    }
    assert len(rows) == 5
    assert "listed" in rows["1"]
    assert "DTF 100 Art_100.png" in rows["1"]
    assert "not listed: could not be listed: it is too long" in rows["2"]
    assert "duplicate" in rows["3"]
    assert "the same file as file-0.png" in rows["3"]
    assert rows["4"].count("file-3.png") == 1
    assert "the NAS refused it" in rows["5"]


def test_markup_in_file_names_is_only_text() -> None:
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(table([item(0, "rejected", filename="[bold]x[/bold].png", reason="[red]no[/red]")]))
    assert "[bold]x[/bold].png" in captured.get()
    assert "[red]no[/red]" in captured.get()


def test_totals_are_a_sentence() -> None:
    assert totals(RECEIPT, 12.4) == (
        "5 files received in 12 s: 2 stored, 1 listed, 1 duplicates, 1 rejected, 1 failed, 1 listings failed"
    )


def test_what_somebody_cancelled_is_told_apart_and_still_adds_up() -> None:
    gone = item(4, "failed", cancelled=True, reason="cancelled by you on 26 November 2026 at 19:30 UTC")
    receipt = {**RECEIPT, "cancelled": 1, "listing_cancelled": 1, "items": [*RECEIPT["items"][:4], gone]}
    assert discrepancies(receipt, sent=5) == []
    assert accounting(receipt).endswith(" failed=1 listed=1 cancelled=1")
    assert totals(receipt, 1.0).endswith(" 0 failed, 1 cancelled, 1 listings cancelled")
    console = Console(width=160, force_terminal=False)
    with console.capture() as captured:
        console.print(table([gone]))
    assert " cancelled " in captured.get()
    assert "failed" not in captured.get()
