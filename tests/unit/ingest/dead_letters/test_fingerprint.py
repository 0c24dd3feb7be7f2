"""Failures with one cause have one fingerprint, whichever file they hit; other causes have another."""

import pytest

from services.ingest.dead_letters.fingerprint import fingerprint, normalised

STACK = """Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/shared/bus/delivery.py", line {line}, in work
    for index, message in enumerate(handler.call(envelope.message) or ()):
  File "/app/services/storage/filing.py", line {line}, in {function}
    raise OSError(28, "No space left on device")
  File "/usr/lib/python3.11/pathlib.py", line 1044, in open
OSError: [Errno 28] No space left on device
"""

SQL = (
    'InternalError: (psycopg.errors.RaiseException) index "designs_x" is broken\nCONTEXT:  line {count}\n\n'
    "[SQL: INSERT INTO storage.designs (item_id) VALUES (%(item_id)s)]\n[parameters: {{'item_id': {item}}}"
    " (after {count} attempts)"
)


def stack(line: int = 1, function: str = "place") -> str:
    return STACK.format(line=line, function=function)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OSError: rose.png: no space", "OSError: tulip.png: no space"),
        ("OSError: blob ab12ab12ab12 is gone", "OSError: blob 99ff00aa7777 is gone"),
        ("OSError: '/mnt/nas/a b/1.png' is there", "OSError: '/mnt/nas/c/2.png' is there"),
        ("OSError: /mnt/nas/a/1.png is there", "OSError: /srv/b/2/3/4.png is there"),
        ("OSError: no space (after 6 attempts)", "OSError: no space (after 3 attempts)"),
        (SQL.format(item="1", count=6), SQL.format(item="2, 'more': \"it's\"", count=1)),
        (
            "OSError: item 6b0c0a52-0d0f-4c55-9a8e-3f6f0f6c9a11",
            "OSError: item 7D2E0A52-0D0F-4C55-9A8E-3F6F0F6C9A33",
        ),
    ],
)
def test_what_differs_from_file_to_file_does_not_count(one: str, other: str) -> None:
    names = ("rose.png", "tulip.png")
    assert fingerprint(one, stack(7), names) == fingerprint(other, stack(99), names)


@pytest.mark.parametrize(
    ("cause", "where"),
    [
        ("OSError: read-only", stack()),
        ("ValueError: no space", stack()),
        ("OSError: no space", stack(function="advance")),
        ("OSError: no space", ""),
    ],
)
def test_another_error_place_or_wording_is_another_cause(cause: str, where: str) -> None:
    assert fingerprint("OSError: no space", stack()).value != fingerprint(cause, where).value


def test_it_says_the_kind_of_error_and_the_deepest_place_in_our_code() -> None:
    found = fingerprint("psycopg.errors.DiskFull: no space", stack())
    assert (found.error, found.frame) == ("DiskFull", "services/storage/filing.py:place")
    by_broker = fingerprint("its consumer died each time it was delivered (delivery limit reached)", "")
    assert (by_broker.error, by_broker.frame) == ("broker", "")


def test_words_without_anything_that_varies_stay_as_they_are() -> None:
    assert normalised("the NAS is mounted read-only; mount it read-write") == (
        "the NAS is mounted read-only; mount it read-write"
    )
