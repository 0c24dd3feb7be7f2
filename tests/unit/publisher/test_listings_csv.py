"""The table of a shop's drafts."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publisher.limits import ETSY
from services.publisher.listing import draft_of
from services.publisher.listings_csv import is_ours, with_row
from tests.unit.publisher.events import rendered, template

DRAFT = draft_of(rendered(), ETSY)


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table, newline="")))


def test_a_listing_written_twice_is_one_row() -> None:
    once = with_row("", DRAFT, "UV 100 [aaaaaaaa]", "a" * 64)

    assert with_row(once, DRAFT, "UV 100 [aaaaaaaa]", "a" * 64) == once


def test_a_changed_listing_keeps_its_place() -> None:
    table = with_row(with_row("", DRAFT, "one", "a" * 64), DRAFT, "two", "b" * 64)

    changed = with_row(table, DRAFT.model_copy(update={"title": "New"}), "one", "a" * 64)

    assert [(row["folder"], row["title"]) for row in rows(changed)] == [("one", "New"), ("two", DRAFT.title)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_text_is_never_a_formula(start: str) -> None:
    event = rendered(design_name="", template=template(title=f"{start}1+1", description=f"{start}cmd|' /C calc'!A0"))

    (row,) = rows(with_row("", draft_of(event, ETSY), f"{start}x", "a" * 64))

    assert row["title"].startswith(f"'{start}")
    assert row["description"].startswith(f"'{start}")
    assert row["folder"].startswith(f"'{start}")


def test_a_table_that_a_spreadsheet_saved_otherwise_is_not_ours() -> None:
    table = with_row("", DRAFT, "one", "a" * 64)

    assert is_ours(table)
    assert not is_ours(table.replace(",", ";"))


def test_a_description_of_200000_characters_can_be_read_back_and_replaced() -> None:
    long = DRAFT.model_copy(update={"description": "word " * 40_000})
    table = with_row(with_row("", long, "one", "a" * 64), DRAFT, "two", "b" * 64)

    assert with_row(table, long, "one", "a" * 64) == table


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_rows_come_back_as_they_were_written(descriptions: list[str]) -> None:
    table = ""
    for number, text in enumerate(descriptions):
        table = with_row(table, DRAFT.model_copy(update={"description": text}), f"{number}", f"{number:064x}")

    assert [row["description"].removeprefix("'") for row in rows(table)] == [t.removeprefix("'") for t in descriptions]
