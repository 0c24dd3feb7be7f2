"""Each rule of the table, from both sides."""

from typing import Any
from uuid import UUID

import pytest

from services.publisher.limits import ETSY, validate
from services.publisher.listing import Download, ListingDraft, Picture, draft_of
from shared.contracts import Blob
from tests.unit.publisher.events import rendered

BLOB = Blob(sha256="a" * 64, size=1)
MB = 1024 * 1024


def draft(**changes: Any) -> ListingDraft:
    return draft_of(rendered(), ETSY).model_copy(update=changes)


def shots(count: int, width: int = 2000, height: int = 2000) -> tuple[Picture, ...]:
    return tuple(Picture(rank=n + 1, image=BLOB, name=f"{n}.jpg", width=width, height=height) for n in range(count))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": "x" * 140},
        {"title": "100% caf\u00e9 & more: +1 \u2122 \u00a9 \u00ae (\u201cnew\u201d) \u2211"},
        {"title": " ".join(["word"] * 14)},
        {"tags": ("x" * 20,)},
        {"tags": ("mother's day", "t-shirt", "caf\u00e9", "brand\u2122")},
        {"tags": tuple(f"tag {n}" for n in range(13))},
        {"materials": ("UV DTF", "\u7d19")},
        {"price": 0.2},
        {"quantity": 999},
        {"quantity": 1},
        {"who_made": "someone_else", "production_partner_ids": (7,)},
        {"when_made": "1990s"},
        {"when_made": "2010_2019"},
        {"pictures": shots(20)},
        {"pictures": shots(1, 2000, 1600)},  # as long as mockups are, whatever the photograph has
        {"download": Download(content=Blob(sha256="a" * 64, size=20 * MB), name="a.png")},
        {"item_dimensions_unit": "in", "item_weight_unit": "kg"},
        {"template_id": UUID(int=1)},
    ],
)
def test_what_etsy_takes_is_no_problem(changes: dict[str, Any]) -> None:
    assert validate(draft(**changes)) == ()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": "x" * 141}, "title", "the title has 141 characters; Etsy allows 140"),
        ({"title": "UV 100 \U0001f600"}, "title", "'\U0001f600'"),
        ({"title": "UV\u200b100"}, "title", "U+200B"),
        ({"title": "UV 100 ^"}, "title", "'^'"),
        ({"title": "a & b & c"}, "title", "'&' 2 times"),
        ({"title": "a: b: c"}, "title", "':' 2 times"),
        ({"title": "a + b + c"}, "title", "'+' 2 times"),
        ({"title": "1% 2%"}, "title", "'%' 2 times"),
        ({"description": ""}, "description", "empty"),
        (
            {"tags": ("x" * 27,)},
            "tags",
            f"tag '{'x' * 27}' has 27 characters; Etsy allows 20: shorten it in the template",
        ),
        ({"tags": tuple(f"tag {n}" for n in range(14))}, "tags", "14 tags"),
        ({"tags": ("-cup",)}, "tags", "starts with -"),
        ({"tags": ("'cup",)}, "tags", "starts with '"),
        ({"tags": ("cup, wrap",)}, "tags", "','"),
        ({"tags": ("cup_wrap",)}, "tags", "'_'"),
        ({"materials": ("100% cotton",)}, "materials", "'%'"),
        ({"materials": ("uv-dtf",)}, "materials", "'-'"),
        ({"price": 0.0}, "price", "more than 0"),
        ({"price": -1.0}, "price", "more than 0"),
        ({"price": float("nan")}, "price", "more than 0"),
        ({"price": float("inf")}, "price", "more than 0"),
        ({"quantity": 0}, "quantity", "at least 1"),
        ({"item_weight": -1.0}, "item_weight", "more than 0"),
        ({"item_weight_unit": "stone"}, "item_weight_unit", "oz, lb, g, kg"),
        ({"item_dimensions_unit": "furlong"}, "item_dimensions_unit", "mm"),
        ({"who_made": "my_cat"}, "who_made", "i_did"),
        ({"who_made": "someone_else"}, "who_made", "partner"),
        ({"when_made": "yesterday"}, "when_made", "made_to_order"),
        ({"taxonomy_id": 0}, "taxonomy_id", "start at 1"),
        ({"pictures": shots(21)}, "pictures", "21 pictures; Etsy allows 20"),
        (
            {"download": Download(content=Blob(sha256="a" * 64, size=34 * MB), name="Digital-100.png")},
            "download",
            "Digital-100.png has 34.0 MB; Etsy allows 20",
        ),
    ],
)
def test_what_etsy_refuses_is_refused_in_words(changes: dict[str, Any], field: str, words: str) -> None:
    (problem,) = validate(draft(**changes))

    assert (problem.field, problem.level) == (field, "enforced")
    assert words in problem.text


@pytest.mark.parametrize(
    ("changes", "field", "level"),
    [
        ({"title": " ".join(["word"] * 15)}, "title", "recommended"),
        ({"price": 0.19}, "price", "folklore"),
        ({"quantity": 1000}, "quantity", "folklore"),
        ({"materials": tuple(f"stuff {n}" for n in range(14))}, "materials", "folklore"),
        ({"when_made": "2020_2025"}, "when_made", "recommended"),
        ({"when_made": "before_2007"}, "when_made", "recommended"),
        ({"taxonomy_id": None}, "taxonomy_id", "recommended"),
        ({"pictures": ()}, "pictures", "recommended"),
    ],
)
def test_what_is_only_advised_is_no_refusal(changes: dict[str, Any], field: str, level: str) -> None:
    (problem,) = validate(draft(**changes))

    assert (problem.field, problem.level) == (field, level)


def test_a_small_first_picture_is_a_warning() -> None:
    (problem,) = validate(draft(pictures=shots(1, 2000, 600)))

    assert (problem.field, problem.level) == ("pictures", "recommended")
    assert "2000 x 600 pixels" in problem.text
