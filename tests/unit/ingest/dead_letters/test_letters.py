"""Whatever lies in a dead-letter queue becomes a row that the database takes."""

from datetime import UTC
from typing import Any

import pytest

from services.ingest.dead_letters.letters import row_of
from shared.bus.dead_letter import DeadLetter


@pytest.mark.parametrize(
    "headers",
    [
        {"x-attempt": "many"},
        {"x-dead-at": "yesterday", "x-first-failed-at": 7},
        {"x-death": "long ago"},
        {"x-death": [{}]},
        {"x-cause": "a \x00 in it", "x-stack": "and \x00 here"},
        {"x-attempt": -3, "x-cause": None},
    ],
)
def test_whatever_headers_a_letter_has_it_can_be_read_and_kept(headers: dict[str, Any]) -> None:
    letter = DeadLetter.of("storage", b"\xff\x00 not json", headers)
    row = row_of(letter)
    assert row["attempts"] >= 1
    assert row["cause"]
    assert "\x00" not in row["cause"] + row["stack"] + row["body"]
    assert letter.id == DeadLetter.of("storage", b"\xff\x00 not json", headers).id


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[" * 100_000, {}),
        (b'{"type":"\\ud800"}', {}),
        (b"{}", {"x-attempt": 2**40}),
        (b"{}", {"x-dead-at": "0001-01-01T00:00:00+23:59"}),
        (b"{}", {"x-dead-at": "9999-12-31T23:59:59-23:59"}),
        (b"{}", {"x-cause": "\ud800\x00"}),
    ],
)
def test_a_letter_is_made_one_that_the_database_takes(body: bytes, headers: dict[str, object]) -> None:
    row = row_of(DeadLetter.of("dedup", body, headers))
    for text in (row["body"], row["cause"], row["stack"], row["message_type"] or ""):
        assert "\x00" not in text
        text.encode()
    assert row["attempts"] < 2**31
    assert 1 < row["dead_at"].astimezone(UTC).year < 9999
