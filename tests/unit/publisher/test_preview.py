"""The page of a draft: every text on it is a stranger's."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from services.publisher.limits import ETSY, validate
from services.publisher.listing import draft_of
from services.publisher.preview import page
from tests.unit.publisher.events import rendered, template

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def shown(**changes: Any) -> str:
    draft = draft_of(rendered(**changes), ETSY)
    download = f"download/{draft.download.name}" if draft.download else None
    return page(draft, [f"images/{p.rank:02d}.jpg" for p in draft.pictures], download, validate(draft))


@pytest.mark.parametrize(
    "changes",
    [
        {"template": template(title=ATTACK)},
        {"template": template(description=ATTACK)},
        {"template": template(tags=(ATTACK,))},
        {"template": template(materials=(ATTACK,), name=ATTACK, item_weight_unit=ATTACK, who_made=ATTACK)},
        {"shop": ATTACK, "design_name": ATTACK, "warnings": (ATTACK,), "digital": True},
        {"mockups": tuple(m.model_copy(update={"filename": ATTACK}) for m in rendered().mockups)},
    ],
)
def test_markup_in_any_text_stays_text(changes: dict[str, Any]) -> None:
    elements = Elements(shown(**changes)).found

    assert not [tag for tag, _ in elements if tag == "script"]
    assert all(attributes["src"] != "x" for tag, attributes in elements if tag == "img")
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]


def test_the_page_loads_nothing_but_its_pictures() -> None:
    text = shown()

    assert not re.search(r"https?://|url\(|@import|<link|<script", text)
    assert re.findall(r'src="([^"]+)"', text) == ["images/01.jpg", "images/02.jpg", "images/03.jpg"]


def test_it_shows_title_price_tags_fee_and_warnings() -> None:
    text = shown(template=template(taxonomy_id=None), warnings=("the watermark is missing",))

    for words in (
        "UV 100 | UVDTF Cup Wrap",
        "4.00",
        "<li>cup</li>",
        "0.20 USD",
        "the watermark is missing",
        "no category",
    ):
        assert words in text


def test_a_listing_without_pictures_says_so() -> None:
    assert "No pictures" in shown(mockups=())


def test_a_digital_listing_links_its_file() -> None:
    assert 'href="download/Digital-100.png"' in shown(digital=True, design_name="Digital 100.png")
