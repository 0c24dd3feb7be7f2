"""The four steps as frames tell them."""

import io
from typing import Any

import pytest
from rich.console import Console

from services.demo.progress import STEPS, Bars, Board, Lines, display


def frame(step: int, message: str) -> dict[str, Any]:
    return {"step": step, "total_steps": 4, "message": message, "progress_percent": 25.0 * step}


WHOLE_UPLOAD = [
    frame(1, "Checking for duplicates"),
    frame(2, "Processing and formatting images (1/4)"),
    frame(2, "Processing and formatting images (4/4)"),
    frame(3, "Creating product mockups (0/3)"),
    frame(3, "Creating product mockups (3/3)"),
    frame(3, "Uploading to Etsy store (2/3)"),
    frame(4, "Upload completed successfully: 3 stored, 3 listed, 1 duplicate skipped"),
]


@pytest.fixture
def board() -> Board:
    return Board(files=4)


def test_a_whole_upload_finishes_every_step(board: Board) -> None:
    for one in WHOLE_UPLOAD:
        board.take(one)
    assert [(step.state, step.done, step.total) for step in board.steps] == [
        ("done", 4, 4),
        ("done", 4, 4),
        ("done", 3, 3),
        ("done", 3, 3),
    ]
    assert board.ending == WHOLE_UPLOAD[-1]["message"]


def test_listings_that_fail_leave_their_bar_short(board: Board) -> None:
    board.take(frame(3, "Creating product mockups (3/3)"))
    board.take(frame(4, "Upload completed successfully: 3 stored, 2 listed, 1 failed"))
    assert (board.steps[3].done, board.steps[3].total) == (2, 3)


def test_nothing_to_list_leaves_the_last_steps_waiting(board: Board) -> None:
    board.take(frame(2, "Processing and formatting images (4/4)"))
    board.take(frame(4, "Upload completed successfully: 0 stored, 4 duplicates skipped"))
    assert [step.state for step in board.steps] == ["done", "done", "waiting", "waiting"]


def test_no_step_goes_back(board: Board) -> None:
    board.take(frame(2, "Processing and formatting images (3/4)"))
    board.take(frame(2, "Processing and formatting images (2/4)"))
    assert board.steps[1].done == 3
    board.take(frame(3, "Creating product mockups (1/3)"))
    board.take(frame(2, "Processing and formatting images (4/4)"))
    assert board.steps[1].state == "done"
    assert board.steps[2].state == "running"


def test_unknown_messages_change_nothing(board: Board) -> None:
    board.take(frame(2, "Having a rest"))
    assert all(step.state == "waiting" for step in board.steps)


def test_lines_are_few_and_name_the_count() -> None:
    said: list[str] = []
    board, lines = Board(files=100), Lines(said.append)
    for count in range(101):
        board.take(frame(2, f"Processing and formatting images ({count}/100)"))
        lines.show(board)
    assert [line for line in said if line.startswith(STEPS[1])] == [
        f"{STEPS[1]} {count}/100" for count in (0, 25, 50, 75, 100)
    ]


def test_bars_are_for_terminals_only() -> None:
    assert isinstance(display(Console(force_terminal=False)), Lines)
    assert isinstance(display(Console(force_terminal=True)), Bars)


def test_bars_show_each_step_with_its_count() -> None:
    out = io.StringIO()
    with Bars(Console(force_terminal=True, width=120, file=out)) as bars:
        board = Board(files=4)
        for one in WHOLE_UPLOAD:
            board.take(one)
            bars.show(board)
    shown = out.getvalue()
    assert all(name in shown for name in STEPS)
    assert "3/3" in shown


def test_a_dry_run_is_not_said_to_upload_to_etsy(board: Board) -> None:
    said: list[str] = []
    for one in WHOLE_UPLOAD:
        board.take(one)
        Lines(said.append).show(board)
    assert "Creating listings 3/3: done" in said
    assert not any("Etsy" in line for line in said)
