"""A file as the APIs show it."""

from typing import Any
from uuid import uuid4

import pytest

from services.ingest.sessions.serving import views

SOFT = "only 600 x 400 px of artwork for a print of 3800 x 1732: send it larger"


def row(state: str, review: str | None = None) -> dict[str, Any]:
    names = ("index", "filename", "size", "sha256", "reason", "number", "name", "path", "print_sha256", "updated_at")
    facts = {"warnings": [SOFT]}
    return dict.fromkeys(names) | {
        "id": uuid4(), "generation": 0, "state": state, "facts": facts, "review": review, "listings": []
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "review", "shown"),
    [("stored", None, [SOFT]), ("duplicate", "waiting", [SOFT]), ("duplicate", None, []), ("duplicate", "skip", [])],
)
def test_of_a_copy_that_is_not_printed_nobody_is_told_to_send_it_larger(
    state: str, review: str | None, shown: list[str]
) -> None:
    assert views.item(row(state, review))["warnings"] == shown
