"""Live progress of the four steps: bars on a terminal, plain lines elsewhere."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

STEPS = (
    "Checking for duplicates",
    "Processing and formatting images",
    "Creating product mockups",
    "Creating listings",
)
# the last one's frames say where the frontend's listings go; the demo's go to a folder
OF_FRAMES = (*STEPS[:3], "Uploading to Etsy store")
LISTED = re.compile(r"(\d+) listed")
COUNT = re.compile(r"\((\d+)/(\d+)\)\s*$")


@dataclass
class Step:
    """How far one step is; `total` is None while nobody knows it."""

    name: str
    done: int = 0
    total: int | None = None
    state: str = "waiting"

    def finish(self) -> None:
        self.state = "done"
        self.total = self.total or 1
        self.done = self.total


@dataclass
class Board:
    """The four steps as the frames tell them. No step ever goes back."""

    files: int
    steps: list[Step] = field(default_factory=lambda: [Step(name) for name in STEPS])
    ending: str | None = None

    def take(self, frame: dict[str, Any]) -> None:
        """A frame's message names its step, mostly with `(k/n)`; that of the last frame says how it ended."""
        message = str(frame["message"])
        if frame["step"] == frame["total_steps"]:
            self._end(message)
            return
        at = next((index for index, name in enumerate(OF_FRAMES) if message.startswith(name)), None)
        if at is None:
            return
        for earlier in self.steps[:at]:
            earlier.finish()
        step = self.steps[at]
        if step.state == "done":
            return
        step.state = "running"
        count = COUNT.search(message)
        if count:
            step.done, step.total = max(step.done, int(count[1])), int(count[2])
        elif at == 0:
            step.total = self.files

    def _end(self, message: str) -> None:
        self.ending = message
        listed = LISTED.search(message)
        if listed:  # listings are made while mockups still are, and that step's frames show the slower of the two
            self.steps[-1].total = self.steps[-2].total
            self.steps[-1].done = int(listed[1])
            self.steps[-1].state = "done"
        for step in self.steps:
            if step.state == "running":
                step.finish()


class Display(Protocol):
    """Shows a board after each change; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, board: Board) -> None: ...


class Bars:
    """One bar a step."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]\N{CHECK MARK}"),
            TextColumn("{task.description:<33}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks = [self._progress.add_task(name, total=None, start=False) for name in STEPS]

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, board: Board) -> None:
        for task, step in zip(self._tasks, board.steps, strict=True):
            if step.state == "waiting":
                continue
            self._progress.start_task(task)
            self._progress.update(task, completed=step.done, total=step.total)


class Lines:
    """A line when a step begins, at each quarter of it, and when it ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, board: Board) -> None:
        for step in board.steps:
            if step.state == "waiting":
                continue
            quarter = 4 * step.done // step.total if step.total else 0
            if self._said.get(step.name, -1) < quarter:
                self._said[step.name] = quarter
                count = f" {step.done}/{step.total}" if step.total and step.total > 1 else ""
                self._say(f"{step.name}{count}{': done' if step.state == 'done' else ''}")


def display(console: Console) -> Display:
    """Bars if somebody looks at them."""
    return Bars(console) if console.is_terminal else Lines(lambda line: console.print(line, highlight=False))
