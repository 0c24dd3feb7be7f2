"""What a refused body is told: never more than JSON can hold, never a secret."""

import json
from typing import Any

from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData
from starlette.requests import Request

from services.ingest.api.errors import _invalid

REQUEST = Request({"type": "http", "method": "POST", "path": "/", "headers": []})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def told(given_input: object, body: object = None, loc: tuple[Any, ...] = ("body", "name")) -> dict[str, Any]:
    problem = {"type": "odd", "loc": loc, "msg": "is odd", "input": given_input, "ctx": {"error": ValueError("x")}}
    answer = _invalid(REQUEST, RequestValidationError([problem], body=body))
    found: dict[str, Any] = json.loads(bytes(answer.body))
    return found


@given(ANYTHING)
def test_any_input_can_be_told(value: object) -> None:
    body = told(value, {"name": value})
    assert set(body) == {"detail", "body_info"}
    assert set(body["detail"][0]) == {"type", "loc", "msg", "input"}


def test_secrets_are_masked_wherever_they_are() -> None:
    nested = {"email": "a", "password": "hunter22", "deep": [{"refresh_token": "77.abc"}]}
    body = told(nested, nested)
    masked = {"email": "a", "password": "***", "deep": [{"refresh_token": "***"}]}
    assert body["detail"][0]["input"] == masked
    assert body["body_info"] == "received: a JSON object with the fields: email, password, deep"
    assert told("hunter22", loc=("body", "password"))["detail"][0]["input"] == "***"


def test_long_inputs_are_cut() -> None:
    assert len(json.dumps(told({str(n): ["x" * 10_000] * 100 for n in range(1000)}))) < 100_000


def test_the_kind_of_body_is_told() -> None:
    assert told(1, FormData([("a", "1"), ("b", "2")]))["body_info"] == "received: a form with the fields: a, b"
    assert told(1, "{")["body_info"] == "received: 1 characters that are not JSON"
    assert told(1, None)["body_info"] == "received: no body"
    assert told(1, [1])["body_info"] == "received: a JSON list"
