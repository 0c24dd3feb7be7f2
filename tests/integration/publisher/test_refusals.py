"""What a shop can say no with, what the seller hears, and what a later try does."""

from pathlib import Path

import pytest

from services.publisher.shop import (
    ListingGone,
    NotAuthorised,
    OutcomeUnknown,
    QuotaSpent,
    Refused,
    Throttled,
)
from shared.contracts import ListingFailed, ListingPublished
from shared.errors import Retryable, Unavailable
from tests.integration.publisher.conftest import Publisher
from tests.integration.publisher.shops import Crash, raising
from tests.unit.publisher.events import template


def test_a_draft_that_etsy_would_refuse_never_reaches_the_shop(publisher: Publisher) -> None:
    event = publisher.event(template=template(tags=("a tag of far too many characters",), description=""))

    answer = publisher.handle(event)

    assert isinstance(answer, ListingFailed)
    assert answer.reason == (
        "the description is empty; Etsy requires one: write it in the template; tag 'a tag of far too many characters' "
        "has 32 characters; Etsy allows 20: shorten it in the template"
    )
    assert publisher.shop.calls == []
    assert publisher.handle(event) == answer


def test_a_mended_template_is_tried_again(publisher: Publisher) -> None:
    publisher.handle(publisher.event(template=template(description="")))

    assert isinstance(publisher.handle(publisher.event()), ListingPublished)


def test_an_advice_is_a_warning_and_no_refusal(publisher: Publisher) -> None:
    answer = publisher.publish(publisher.event(template=template(taxonomy_id=None), warnings=("no watermark",)))

    assert answer.warnings[0] == "no watermark"
    assert "no category" in answer.warnings[1]


def test_a_refusal_by_the_shop_is_an_answer_that_is_kept(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.before["create"] = raising(Refused("Oh dear, you cannot sell this item on Etsy."))

    answer = publisher.handle(event)

    assert isinstance(answer, ListingFailed)
    assert answer.reason == "Oh dear, you cannot sell this item on Etsy."
    assert publisher.handle(event) == answer
    assert publisher.shop.calls == ["create"]


def test_a_new_generation_of_a_refused_item_is_tried_anew(publisher: Publisher) -> None:
    publisher.shop.before["create"] = raising(Refused("no shipping profile"))
    publisher.handle(publisher.event())

    assert isinstance(publisher.handle(publisher.event(generation=1)), ListingPublished)
    assert publisher.shop.calls[:2] == ["create", "create"]


def test_a_refused_picture_leaves_a_draft_that_the_next_try_finishes(publisher: Publisher) -> None:
    publisher.shop.before["put_picture 2"] = raising(Refused("picture 2 is not a valid image file"))
    assert isinstance(publisher.handle(publisher.event()), ListingFailed)

    publisher.publish(publisher.event(generation=1))

    assert publisher.shop.count("create") == 1
    assert publisher.images() == [b"first", b"second", b"third"]


def test_a_connection_that_is_refused_half_way_is_an_answer_and_no_dead_letter(publisher: Publisher) -> None:
    publisher.shop.before["put_picture 2"] = raising(NotAuthorised("connect the Etsy shop again"))

    answer = publisher.handle(publisher.event())

    assert isinstance(answer, ListingFailed)
    assert answer.reason == "connect the Etsy shop again"
    publisher.publish(publisher.event(generation=1))
    assert publisher.shop.count("create") == 1


@pytest.mark.parametrize(("error", "family"), [(Throttled, Retryable), (QuotaSpent, Unavailable)])
def test_after_an_error_that_created_nothing_create_is_simply_called_again(
    publisher: Publisher, error: type[Exception], family: type[Exception]
) -> None:
    publisher.shop.settles_after(3600)
    publisher.shop.before["create"] = raising(error("later"))
    event = publisher.event()
    with pytest.raises(family, match="later"):
        publisher.handle(event)

    publisher.publish(event)

    assert publisher.shop.calls[:2] == ["create", "create"]


@pytest.mark.parametrize(("moment", "creates"), [("before", 2), ("after", 1)])
def test_after_an_answer_that_never_came_the_shop_is_asked_first(
    publisher: Publisher, moment: str, creates: int
) -> None:
    getattr(publisher.shop, moment)["create"] = raising(OutcomeUnknown("timed out"))
    event = publisher.event()
    with pytest.raises(Retryable, match="timed out"):
        publisher.handle(event)
    assert publisher.status() == "unknown"

    publisher.publish(event)

    assert publisher.shop.calls[1] == "find"
    assert publisher.shop.count("create") == creates
    assert len(publisher.folders()) == 1


def test_the_time_that_a_shop_has_to_show_a_draft_begins_when_its_answer_did_not_come(publisher: Publisher) -> None:
    event = publisher.event()

    def times_out() -> None:
        publisher.passes(7200)
        raise OutcomeUnknown("timed out")

    publisher.shop.before["create"] = times_out
    publisher.shop.settles_after(3600, create_takes_s=7200)
    with pytest.raises(OutcomeUnknown):
        publisher.handle(event)

    with pytest.raises(Retryable, match="looked up again"):
        publisher.handle(event)
    publisher.passes(3600)
    publisher.publish(event)

    assert publisher.shop.count("create") == 2


def test_two_drafts_that_could_be_ours_are_for_a_person_to_choose(publisher: Publisher) -> None:
    event = publisher.event()
    publisher.shop.after["create"] = raising(Crash())
    with pytest.raises(Crash):
        publisher.handle(event)
    twin = _twin(publisher.folders()[0])

    answer = publisher.handle(event)

    assert isinstance(answer, ListingFailed)
    assert "2 drafts that could be this one" in answer.reason
    assert publisher.handle(event) == answer
    (twin / "listing.json").unlink()
    twin.rmdir()
    assert isinstance(publisher.handle(publisher.event(generation=1)), ListingPublished)
    assert publisher.shop.count("create") == 1


def test_a_draft_that_was_removed_half_way_is_made_anew_by_the_next_try(publisher: Publisher) -> None:
    publisher.shop.before["put_picture 2"] = raising(ListingGone("the draft was deleted"))
    answer = publisher.handle(publisher.event())
    assert isinstance(answer, ListingFailed)

    publisher.publish(publisher.event(generation=1))

    assert publisher.shop.count("create") == 2
    assert publisher.shop.count("put_picture 1") == 2
    assert publisher.images() == [b"first", b"second", b"third"]


def test_a_mended_template_is_tried_again_even_while_a_create_is_in_doubt(publisher: Publisher) -> None:
    publisher.shop.after["create"] = raising(OutcomeUnknown("timed out"))
    with pytest.raises(OutcomeUnknown):
        publisher.handle(publisher.event())
    assert isinstance(publisher.handle(publisher.event(template=template(description=""))), ListingFailed)

    publisher.publish(publisher.event())

    assert publisher.shop.count("create") == 1


def _twin(folder: Path) -> Path:
    twin = folder.with_name(folder.name.replace("UV 100", "UV 101"))
    twin.mkdir()
    (twin / "listing.json").write_bytes((folder / "listing.json").read_bytes())
    return twin
