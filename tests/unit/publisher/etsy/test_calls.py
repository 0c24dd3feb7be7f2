"""Our own schema of Etsy's calls, and that it says what Etsy's description says, where that is at hand."""

import httpx
import pytest

from services.etsy_fake.app import OPERATIONS as PLAYED
from services.publisher import encoding
from services.publisher.etsy import calls
from services.publisher.etsy.calls import CREATE, INVENTORY, PICTURE, UPDATE, Operation
from services.publisher.etsy.words import said
from services.publisher.limits import ETSY
from services.publisher.listing import draft_of
from tests.etsy.description import WHERE, Description, at_hand
from tests.unit.publisher.events import rendered

ACCOUNT = encoding.Account("555", "1101", "1201")


@pytest.fixture
def description() -> Description:
    """Etsy's own."""
    found = at_hand()
    if found is None:
        pytest.skip(f"Etsy's API description is not here: {WHERE} names its file")
    return found


def fields(**changes: object) -> list[tuple[str, str]]:
    draft = draft_of(rendered(), ETSY).model_copy(update=changes)
    return encoding.draft_fields(draft, ACCOUNT)


def test_a_draft_as_we_encode_it_passes() -> None:
    CREATE.check(fields(), (), has_file=False)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("title", "x")], "createDraftListing lacks description, is_supply"),
        ([*fields(), ("title", "again")], "a field twice"),
        ([*fields(), ("state", "active")], "state can't be 'active'"),
        (fields(tags=("[a",)), r"tags can't be '\[a'"),
        (fields(when_made="made to order"), "when_made can't be"),
    ],
    ids=["missing", "twice", "unknown", "brackets", "enum"],
)
def test_a_request_that_etsy_would_refuse_for_its_shape_is_not_sent(given: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CREATE.check(given, (), has_file=False)


@pytest.mark.parametrize(
    "body", [None, {"products": []}, {"products": [{"sku": "x", "product_id": 1}]}], ids=["none", "empty", "foreign"]
)
def test_an_inventory_that_etsy_would_refuse_is_not_sent(body: object) -> None:
    with pytest.raises(ValueError, match=r"products|lacks its JSON"):
        INVENTORY.check((), (), has_file=False, json=body)


def test_a_picture_without_its_file_is_not_sent() -> None:
    with pytest.raises(ValueError, match="uploadListingImage lacks its file"):
        PICTURE.check([("rank", "1")], (), has_file=False)


@pytest.mark.parametrize("operation", calls.OPERATIONS, ids=lambda each: each.name)
def test_the_stand_in_plays_every_call_in_our_encoding(operation: Operation) -> None:
    played = {each.name: each for each in PLAYED}[operation.name]
    kinds = {
        "form": "application/x-www-form-urlencoded",
        "multipart": "multipart/form-data",
        "json": "application/json",
    }

    assert played.method == operation.method
    assert played.path.replace(":int", "") == operation.path
    assert played.encoding == (kinds[operation.encoding] if operation.encoding else None)


@pytest.mark.parametrize("operation", calls.OPERATIONS, ids=lambda each: each.name)
def test_our_schema_says_what_etsys_description_says(operation: Operation, description: Description) -> None:
    numbers = dict.fromkeys(("shop_id", "listing_id"), "1")
    request = httpx.Request(operation.method, f"https://openapi.etsy.com{operation.path.format(**numbers)}")
    _, described = description.operation(request)

    assert described["operationId"] == operation.name
    content = described.get("requestBody", {}).get("content", {})
    known = next(iter(content.values()))["schema"]["properties"] if content else {}
    assert operation.fields.keys() <= known.keys()
    assert (operation.file or "image") in {*known, "image"}
    assert operation.query.keys() <= {each["name"] for each in described.get("parameters", ())}


def test_the_check_against_etsys_description_can_fail(description: Description) -> None:
    url = "https://openapi.etsy.com/v3/application/shops/1/listings"
    form = {**dict(fields()), "who_made": "nobody", "colour": "red"}
    del form["price"]
    request = httpx.Request("POST", url, data=form)
    answer = httpx.Response(201, json={"listing_id": "one"}, request=request)

    problems = "\n".join(description.problems(request, answer))

    for told in ("'price' is a required property", "colour is not described", "'nobody'", "'one' is not of type"):
        assert told in problems


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": "Oh dear"}', "Oh dear"),
        (
            '[{"path": "/tags", "type": "x", "message": "too many"}, {"message": "and more"}]',
            "/tags too many; and more",
        ),
        ('{"error": "invalid_grant", "error_description": "used before"}', "used before"),
        ("<html>502</html>", "status 400"),
        ("{}", "status 400"),
        ('"no"', "no"),
    ],
    ids=["text", "list", "oauth", "html", "empty", "string"],
)
def test_every_shape_of_refusal_is_read(body: str, words: str) -> None:
    assert said(httpx.Response(400, text=body)) == words


def test_updating_takes_no_price() -> None:
    with pytest.raises(ValueError, match="price"):
        UPDATE.check([("price", "1.00")], (), has_file=False)
