"""What a listing takes from set-up, and what it must not guess."""

from typing import Any

import pytest

from services.publisher.etsy.choosing import Choices, Chosen, Option, Options, account_of, refusals, resolved
from services.publisher.etsy.plan import Plan, calls_of
from services.publisher.limits import ETSY
from services.publisher.listing import ListingDraft, draft_of
from tests.unit.publisher.events import ITEM, TEMPLATE, rendered, template

ALL = Choices(shipping_profile_id=11, readiness_state_id=12, return_policy_id=13, shop_section_id=14, taxonomy_id=15)
THERE = Options(
    shop_section_id=(Option(id=14, name="Cups"), Option(id=24, name="Mugs")),
    return_policy_id=(Option(id=13, name="returns"),),
    taxonomy_id=(Option(id=15, name="Tumblers"), Option(id=1071, name="Glasses")),
)


def draft(**changes: Any) -> ListingDraft:
    return draft_of(rendered(template=template(**changes)), ETSY)


def enforced(given: ListingDraft, choices: Choices) -> list[str]:
    return [problem.field for problem in resolved(given, choices, THERE)[1] if problem.level == "enforced"]


def test_what_the_template_lacks_comes_from_set_up() -> None:
    whole, problems = resolved(draft(taxonomy_id=None), ALL, THERE)

    assert (whole.taxonomy_id, whole.shop_section_id, whole.return_policy_id) == (15, 14, 13)
    assert problems == []
    assert account_of(555, ALL).shipping_profile_id == "11"


def test_the_templates_own_go_first() -> None:
    whole, _ = resolved(draft(shop_section_id=24, production_partner_ids=(7,)), ALL, THERE)

    assert (whole.taxonomy_id, whole.shop_section_id, whole.production_partner_ids) == (1071, 24, (7,))


def test_an_id_that_is_none_of_the_shops_gives_way_and_is_told() -> None:
    whole, problems = resolved(draft(shop_section_id=2), ALL, THERE)

    assert whole.shop_section_id == 14
    assert [problem.text for problem in problems] == [
        "the template's shop section 2 is none of this Etsy shop's: that of the set-up is used"
    ]


def test_a_template_may_have_choices_of_its_own() -> None:
    choices = ALL.changed(TEMPLATE, Chosen(shipping_profile_id=91))

    whole, problems = resolved(draft(taxonomy_id=None), choices, THERE)

    assert (whole.taxonomy_id, problems) == (15, [])
    assert account_of(555, choices.of(TEMPLATE)).shipping_profile_id == "91"
    assert account_of(555, choices.of(ITEM)).shipping_profile_id == "11"


def test_a_physical_listing_is_never_guessed() -> None:
    assert enforced(draft(taxonomy_id=None), Choices()) == ["taxonomy_id", "shipping_profile_id", "readiness_state_id"]


def test_a_digital_listing_needs_a_category_only() -> None:
    assert enforced(draft(taxonomy_id=None, type="download"), Choices()) == ["taxonomy_id"]


def test_a_choice_must_be_the_shops() -> None:
    assert refusals(Choices(shop_section_id=14, taxonomy_id=99, production_partner_ids=(5,)), THERE) == [
        "the shop has no category 99",
        "the shop has no production partner 5",
    ]


def test_five_hundred_designs_take_four_thousand_calls_and_seven_minutes() -> None:
    plan = Plan(500, 500 * calls_of(5, digital=False), 10_000, 10_000, 9.5, 200)

    assert plan.words == (
        "500 designs: 4,000 calls of 10,000 left today, at least 7 minutes, drafts free, 100 USD when activated"
    )


@pytest.mark.parametrize(
    ("designs", "remaining", "days"), [(1200, 10_000, 1), (1226, 10_000, 2), (500, 200, 2), (5000, 9_000, 5)]
)
def test_more_than_a_days_calls_take_days(designs: int, remaining: int, days: int) -> None:
    plan = Plan(designs, designs * 8, 10_000, remaining, 9.5, 200)

    assert plan.days == days
    assert (f"{days} days" in plan.words) == (days > 1)


def test_before_etsy_has_said_a_limit_none_is_told() -> None:
    assert Plan(1, calls_of(0, digital=True), None, None, 4, 200).words == (
        "1 design: 3 calls, at least 1 minute, drafts free, 0.2 USD when activated"
    )
