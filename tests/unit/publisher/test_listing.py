"""What a listing says, and what names it."""

from uuid import UUID

import pytest

from services.publisher.limits import ETSY
from services.publisher.listing import ListingDraft, content_hash, draft_of, publish_key
from shared.contracts import Blob, MockupsRendered
from tests.unit.publisher.events import pictures, rendered, template


def draft(event: MockupsRendered) -> ListingDraft:
    return draft_of(event, ETSY)


def key(event: MockupsRendered) -> str:
    return publish_key(draft(event), event.design)


@pytest.mark.parametrize(
    ("design_name", "template_title", "title"),
    [
        ("UV 100 UVDTF_16oz_100.png", "| UVDTF Cup Wrap", "UV 100 | UVDTF Cup Wrap"),
        ("DTF 1000 DTF_1000.png", "| DTF Transfer", "DTF 1000 | DTF Transfer"),
        ("Digital 100.png", "| Cup Wrap PNG", "Digital 100 | Cup Wrap PNG"),
        ("UV 100 UVDTF_16oz_100.png", "  |  Cup \n Wrap ", "UV 100 | Cup Wrap"),
        ("UV 100 UVDTF_16oz_100.png", "", "UV 100 | UVDTF 16oz"),
    ],
)
def test_the_title_is_the_first_two_words_of_the_file_and_the_template_s(
    design_name: str, template_title: str, title: str
) -> None:
    event = rendered(design_name=design_name, template=template(title=template_title))

    assert draft(event).title == title


def test_pictures_keep_the_order_they_were_rendered_in() -> None:
    images = [Blob(sha256=f"{n:064x}", size=1) for n in (5, 3, 9)]

    found = draft(rendered(mockups=pictures(*images))).pictures

    assert [(picture.rank, picture.image) for picture in found] == list(enumerate(images, start=1))


def test_a_digital_design_is_a_download_of_its_own_file() -> None:
    event = rendered(digital=True, design_name="Digital 100.png")

    found = draft(event)

    assert found.type == "download"
    assert found.download is not None
    assert found.download.content == event.design
    assert found.download.name == "Digital-100.png"


def test_a_physical_design_has_no_download() -> None:
    assert draft(rendered()).download is None
    assert draft(rendered()).type == "physical"


def test_the_name_of_a_download_stays_within_etsy_s_70_characters_and_keeps_its_ending() -> None:
    found = draft(rendered(digital=True, design_name="Digital 100 " + "x" * 100 + ".png")).download

    assert found is not None
    assert len(found.name) == 70
    assert found.name.endswith(".png")


def test_what_the_shop_has_no_room_for_is_left_out_and_said() -> None:
    tags = tuple(f"tag {n}" for n in range(15))
    images = [Blob(sha256=f"{n:064x}", size=1) for n in range(22)]

    found = draft(rendered(template=template(tags=tags), mockups=pictures(*images)))

    assert found.tags == tags[:13]
    assert len(found.pictures) == 20
    assert any("left out tag 13, tag 14" in note for note in found.notes)
    assert any("22 pictures" in note for note in found.notes)


def test_tags_that_differ_in_case_or_blanks_only_are_one() -> None:
    found = draft(rendered(template=template(tags=("Cup", "wrap ", "cup", "", " cup"))))

    assert found.tags == ("Cup", "wrap")


def test_a_zero_on_the_screen_means_not_given() -> None:
    found = draft(rendered(template=template(item_weight=0, item_length=0.0)))

    assert found.item_weight is None
    assert found.item_length is None


def test_warnings_from_the_mockups_stay_with_the_listing() -> None:
    found = draft(rendered(warnings=("the watermark is missing",)))

    assert found.notes == ("the watermark is missing",)


@pytest.mark.parametrize(
    "change",
    [
        {"shop": "SouthCups"},
        {"design": Blob(sha256="e" * 64, size=1)},
        {"template": template(template_id=UUID(int=9))},
        {"mockup_id": UUID(int=9)},
    ],
)
def test_another_shop_design_template_or_mockup_group_is_another_listing(change: dict[str, object]) -> None:
    assert key(rendered(**change)) != key(rendered())


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": UUID(int=9)},
        {"item_id": UUID(int=9)},
        {"design_name": "UV 101 UVDTF_16oz_101.png"},
        {"template": template(title="| New words")},
    ],
)
def test_who_asks_and_what_it_says_do_not_make_another_listing(change: dict[str, object]) -> None:
    assert key(rendered(**change)) == key(rendered())


def test_the_content_hash_changes_with_a_word_and_not_with_a_warning() -> None:
    first = content_hash(draft(rendered()))

    assert content_hash(draft(rendered(template=template(title="| Other")))) != first
    assert content_hash(draft(rendered(warnings=("a watermark is missing",)))) == first
