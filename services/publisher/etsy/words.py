"""What Etsy says when it refuses: four shapes of JSON, or no JSON at all."""

from typing import Any

import httpx

MOST_CHARS = 400
RECONNECT = "connect the Etsy shop again, then try again what failed"
OF_THE_APP = ("invalid_client", "unauthorized_client", "api key", "x-api-key", "shared secret", "client_id")
WRONG_APP = "Etsy refuses our app ({}): check ETSY_KEYSTRING and ETSY_SHARED_SECRET; what is to do waits, and goes on"


def said(response: httpx.Response) -> str:
    """The words of a refusal, cut to a sensible length; never what was sent."""
    try:
        body = response.json()
    except ValueError:
        return f"status {response.status_code}"  # a proxy's page
    return (_words(body) or f"status {response.status_code}")[:MOST_CHARS]


def error_of(response: httpx.Response) -> str:
    """The name that OAuth has for it; nothing where the answer has none."""
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def refuses_the_app(response: httpx.Response) -> bool:
    """Whether our own keys are wrong: that is the operator's to mend, whoever the seller is."""
    words = f"{error_of(response)} {said(response)}".casefold()
    return any(part in words for part in OF_THE_APP)


def _words(body: Any) -> str:  # noqa: ANN401 - whatever JSON is
    if isinstance(body, list):
        return "; ".join(filter(None, map(_words, body)))
    if not isinstance(body, dict):
        return str(body)
    if "message" in body:
        return f"{body.get('path', '')} {body['message']}".strip()
    return str(body.get("error_description") or body.get("error") or "")
