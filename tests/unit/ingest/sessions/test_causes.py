"""What an error means to a seller: never SQL, ids or a stack; our own words as they are."""

import pytest

from services.ingest.sessions.causes import in_words

SQL = (
    'InternalError: (psycopg2.errors.RaiseException) index "designs_x" is broken\nCONTEXT:  PL/pgSQL function f()\n\n'
    "[SQL: INSERT INTO storage.designs (item_id) VALUES (%(item_id)s::UUID)]\n[parameters: {'item_id': UUID('1')}]"
)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (SQL, "the database refused it"),
        (f"{SQL} (after 6 attempts)", "the database refused it"),
        ("NasFull: the NAS is full; free some space", "the NAS is full; free some space"),
        ("Retryable: the shelf: is locked (after 6 attempts)", "the shelf: is locked"),
        ("Unavailable: the database can't be used: connection to server at 10.0.0.7", "the database can't be used"),
        ("OSError: [Errno 122] Disk quota exceeded: '/srv/blobs/a1'", "disk quota exceeded"),
        ("KeyError: 'tenant'", "a fault on the server (KeyError)"),
        ("its consumer died each time it was delivered", "its consumer died each time it was delivered"),
    ],
)
def test_a_cause_becomes_words_for_people(cause: str, words: str) -> None:
    assert in_words(cause) == words
