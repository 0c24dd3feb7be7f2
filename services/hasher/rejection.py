"""The two ways to say that there will be no print of a file: it can't become one, or the server has lost it."""

from services.decoding.answers import Refusal
from shared.errors import Permanent

OUT_OF_MEMORY = "out_of_memory"


class Rejected(Refusal):
    """`code` is for programs; `reason` says to the user, without the file's name, what is wrong and what to do."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)  # what pickle makes it again from, on its way between processes
        self.code = code
        self.reason = reason
        self.last = code == OUT_OF_MEMORY

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


class Lost(Permanent):
    """The file's bytes are gone from the blob store, or damaged there: not its own fault, and its batch goes on."""


def size_in_words(size: int) -> str:
    """A number of bytes for people: '41 kB'."""
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"
