"""The bytes that Etsy would get."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publisher.encoding import Account, draft_fields, form_body, http_file
from services.publisher.limits import ETSY
from services.publisher.listing import ListingDraft, draft_of
from tests.unit.publisher.events import rendered, template

ACCOUNT = Account("555", "11", "22", "33")


def draft(*, digital: bool = False, **changes: Any) -> ListingDraft:
    return draft_of(rendered(template=template(**changes), digital=digital), ETSY)


def test_a_physical_draft_is_written_field_by_field() -> None:
    body = form_body(draft_fields(draft(production_partner_ids=(4, 5), item_length=11.0), ACCOUNT))

    assert body == (
        "quantity=100&title=UV+100+%7C+UVDTF+Cup+Wrap&description=Ready+to+apply.%0ANo+heat+needed.&price=4.00"
        "&who_made=i_did&when_made=made_to_order&is_supply=false&taxonomy_id=1071&type=physical&tags=cup%2Cwrap"
        "&materials=UV+DTF&is_taxable=true&should_auto_renew=false&shipping_profile_id=11&readiness_state_id=22"
        "&return_policy_id=33&production_partner_ids=4%2C5&item_weight=2.5&item_weight_unit=oz&item_length=11"
    )


def test_a_download_has_nothing_that_is_shipped() -> None:
    names = [name for name, _ in draft_fields(draft(digital=True, production_partner_ids=(4,)), ACCOUNT)]

    shipped = {"shipping_profile_id", "readiness_state_id", "return_policy_id", "production_partner_ids", "item_weight"}
    assert not shipped & set(names)


def test_empty_arrays_and_nulls_are_absent() -> None:
    fields = draft_fields(draft(tags=(), materials=(), item_weight=None), ACCOUNT)

    assert not {"tags", "materials", "shop_section_id", "item_weight", "item_weight_unit"} & {
        name for name, _ in fields
    }
    assert all(value for _, value in fields)


def test_no_field_comes_twice() -> None:
    names = [name for name, _ in draft_fields(draft(tags=("a", "b", "c"), production_partner_ids=(1, 2)), ACCOUNT)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("price", "written"), [(4.0, "4.00"), (19.99, "19.99"), (1234.5, "1234.50"), (0.2, "0.20")])
def test_a_price_is_in_major_units_with_two_decimals(price: float, written: str) -> None:
    assert dict(draft_fields(draft(price=price), ACCOUNT))["price"] == written


@pytest.mark.parametrize(("length", "written"), [(10.0, "10"), (2.25, "2.25"), (1e6, "1000000"), (1e-3, "0.001")])
def test_a_measure_is_never_in_scientific_notation(length: float, written: str) -> None:
    assert dict(draft_fields(draft(item_length=length), ACCOUNT))["item_length"] == written


def test_the_template_s_return_policy_wins_over_the_shop_s() -> None:
    assert dict(draft_fields(draft(return_policy_id=9), ACCOUNT))["return_policy_id"] == "9"


@given(st.lists(st.tuples(st.sampled_from(["title", "description", "tags"]), st.text(min_size=1))))
def test_whatever_is_written_is_read_back(fields: list[tuple[str, str]]) -> None:
    pairs = [(name, value.encode(errors="ignore").decode()) for name, value in fields]

    assert parse_qsl(form_body(pairs), keep_blank_values=True) == pairs


def test_the_http_file_holds_every_request_and_no_secret() -> None:
    text = http_file(draft(), ["images/01.jpg", "images/02.jpg"], None)

    requests = text.split("### ")[1:]
    assert [request.splitlines()[0] for request in requests] == ["the draft", "picture 1", "picture 2"]
    assert requests[0].splitlines()[1:5] == [
        "POST https://openapi.etsy.com/v3/application/shops/{{shop_id}}/listings",
        "x-api-key: {{keystring}}:{{shared_secret}}",
        "Authorization: Bearer {{access_token}}",
        "Content-Type: application/x-www-form-urlencoded",
    ]
    assert "&shipping_profile_id={{shipping_profile_id}}&" in requests[0]
    assert 'name="rank"\n\n2\n' in requests[2]
    assert "< ./images/02.jpg" in requests[2]


def test_a_text_that_looks_like_a_variable_stays_text() -> None:
    text = http_file(draft(description="write to {{access_token}} & {{shop_id}}"), [], None)

    assert "description=write+to+%7B%7Baccess_token%7D%7D+%26+%7B%7Bshop_id%7D%7D&" in text


def test_a_download_is_uploaded_as_a_file() -> None:
    text = http_file(draft(digital=True), [], "download/Digital-100.png")

    assert "/listings/{{listing_id}}/files" in text
    assert 'name="file"; filename="Digital-100.png"' in text
