"""What comes back from the child process."""

from dataclasses import dataclass
from typing import Any


class ChildFailed(Exception):  # noqa: N818 - reads as what happened
    """The function raised what it should not have; with the words and the stack of that error."""

    def __init__(self, words: str, stack: str) -> None:
        super().__init__(words, stack)
        self.add_note(f"In the child process:\n{stack}")

    def __str__(self) -> str:
        return str(self.args[0])


class Refusal(Exception):  # noqa: N818 - a verdict about the file, not a fault of the program
    """What the function says against a file: it comes through as it is. Its arguments must be those it was made with.

    `last`: see `Answer`.
    """

    last = False


@dataclass(frozen=True)
class Answer:
    """What the function returned, or the error that it raised. `last`: after it the child is not fit for another call.

    A library that could not be loaded for want of memory, say, stays missing.
    """

    value: Any = None
    error: Exception | None = None
    last: bool = False
