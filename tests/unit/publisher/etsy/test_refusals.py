"""Who has to mend it when Etsy gives no tokens: the seller, the operator, or nobody."""

from typing import Any

import httpx
import pytest

from services.publisher.etsy import oauth
from services.publisher.shop import NotAuthorised, Throttled, Unreachable

APP = oauth.App("k", "s", "http://here/", ("listings_r",), "http://etsy", "http://etsy/consent")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "refresh_token is revoked"}, NotAuthorised),
        (401, {"error": "invalid_grant", "error_description": "issued to another client_id"}, NotAuthorised),
        (401, {"error": "invalid_client", "error_description": "unknown"}, Unreachable),
        (400, {"error": "invalid_request", "error_description": "client_id is invalid"}, Unreachable),
        (403, {"error": "Shared secret is required in x-api-key header."}, Unreachable),
        (403, {"error": "API key not found or not active"}, Unreachable),
        (400, {"error": "invalid_request", "error_description": "refresh_token is required"}, Throttled),
        (403, ["<html>a proxy's page"], Throttled),
        (429, {"error": "Too many requests"}, Unreachable),
        (500, {"error": "Server Error"}, Unreachable),
    ],
)
def test_only_a_refused_grant_is_the_sellers(status: int, body: Any, error: type[Exception]) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(status, json=body))

    with httpx.Client(transport=answers) as http, pytest.raises(error):
        oauth.refreshed(http, APP, "77.token")
