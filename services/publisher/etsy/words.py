"""What Etsy says when it refuses: four shapes of JSON, or no JSON at all."""

from typing import Any

import httpx

MOST_CHARS = 400


def said(response: httpx.Response) -> str:
    """The words of a refusal, cut to a sensible length; never what was sent."""
    try:
        body = response.json()
    except ValueError:
        return f"status {response.status_code}"  # a proxy's page
    return (_words(body) or f"status {response.status_code}")[:MOST_CHARS]


def _words(body: Any) -> str:  # noqa: ANN401 - whatever JSON is
    if isinstance(body, list):
        return "; ".join(filter(None, map(_words, body)))
    if not isinstance(body, dict):
        return str(body)
    if "message" in body:
        return f"{body.get('path', '')} {body['message']}".strip()
    return str(body.get("error_description") or body.get("error") or "")
