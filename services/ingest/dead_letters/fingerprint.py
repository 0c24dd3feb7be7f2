"""What makes two failures the same: the kind of error, where it was raised, and its words without what varies. Pure."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

FRAME = re.compile(r'File ".*?((?:services|shared)/[\w/]+\.py)", line \d+, in (\S+)')
KIND = re.compile(r"^([A-Za-z_][\w.]*)(?=:)")

VARYING = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<text>"),
    (re.compile(r"(?:/[^\s/:,;]+){2,}"), "<path>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "<hash>"),
    (re.compile(r"\d+"), "#"),
    (re.compile(r"\(after # attempts\)$"), ""),
)


@dataclass(frozen=True)
class Fingerprint:
    """`value` is equal for failures that have one cause, whichever file, host or hour they hit."""

    value: str
    error: str
    frame: str


def fingerprint(cause: str, stack: str, filenames: Iterable[str] = ()) -> Fingerprint:
    """The fingerprint of a failure. `filenames` are those of the files that it was about: they don't count."""
    found = KIND.match(cause)
    error = found[1].rpartition(".")[2] if found else "broker"
    frames = FRAME.findall(stack)
    frame = ":".join(frames[-1]) if frames else ""
    words = normalised(cause, filenames)
    value = hashlib.sha256("\n".join((error, frame, words)).encode()).hexdigest()[:12]
    return Fingerprint(value, error, frame)


def normalised(words: str, filenames: Iterable[str] = ()) -> str:
    """The words with ids, hashes, numbers, paths, quotations and file names taken out.

    Of a database's error only its own first line counts: statement, parameters and context are the row's.
    """
    if "psycopg" in words or "\n[SQL: " in words:
        words = words.split("\n", 1)[0].split("[SQL: ", 1)[0]
    for name in filenames:
        if name:
            words = words.replace(name, "<file>")
    for pattern, instead in VARYING:
        words = pattern.sub(instead, words)
    return " ".join(words.split())
