"""Consent and tokens: authorization code with PKCE (S256 only); each refresh gives a new refresh token."""

import base64
import hashlib
import html
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from services.etsy_fake.state import ACCESS_S, REFRESH_S, Code, Etsy, EtsyError, Grant

READ = {"address_r", "email_r", "listings_r", "profile_r", "shops_r", "transactions_r"}
WRITE = {"address_w", "listings_d", "listings_w", "profile_w", "shops_w", "transactions_w"}
SCOPES = frozenset(READ | WRITE)


def consent(etsy: Etsy, query: Mapping[str, str]) -> str:
    """The page on which a seller allows the app."""
    check(etsy, query)
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in query.items()
    )
    buttons = "".join(
        f'<button name="user_id" value="{seller.user_id}">Allow as {html.escape(seller.shop_name)}</button> '
        for seller in etsy.sellers.values()
    )
    scopes = html.escape(query["scope"])
    return (
        "<!doctype html><meta charset=utf-8><title>Stand-in for Etsy</title>"
        '<body style="font:16px sans-serif;max-width:40em;margin:4em auto">'
        "<h1>Stand-in for Etsy</h1><p>This is not Etsy: no real shop is touched.</p>"
        f"<p>An app asks for: <b>{scopes}</b></p><form method=post>{fields}{buttons}</form>"
    )


def allow(etsy: Etsy, form: Mapping[str, str]) -> str:
    """Where the browser goes after somebody allowed it."""
    check(etsy, form)
    code = secrets.token_urlsafe(24)
    scopes = frozenset(form["scope"].split())
    user_id = int(form.get("user_id", next(iter(etsy.sellers))))
    etsy.codes[code] = Code(user_id, form["client_id"], form["redirect_uri"], form["code_challenge"], scopes)
    return f"{form['redirect_uri']}?{urlencode({'code': code, 'state': form['state']})}"


def check(etsy: Etsy, given: Mapping[str, str]) -> None:
    """Refuse an authorisation request that Etsy would refuse."""
    needed = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
    if missing := [name for name in needed if not given.get(name)]:
        raise EtsyError(400, f"Missing parameter: {missing[0]}")
    if given["client_id"] != etsy.keystring:
        raise EtsyError(400, "The application that is requesting authorization is not valid.")
    if given["response_type"] != "code" or given["code_challenge_method"] != "S256":
        raise EtsyError(400, "response_type must be code and code_challenge_method S256")
    if unknown := set(given["scope"].split()) - SCOPES:
        raise EtsyError(400, f"Unknown scope: {min(unknown)}")
    if not given["redirect_uri"].startswith(("http://", "https://")):
        raise EtsyError(400, "redirect_uri is not registered for this app")


def token(etsy: Etsy, form: Mapping[str, str]) -> dict[str, Any]:
    """Trade a code, or a refresh token, for new tokens."""
    if form.get("client_id") != etsy.keystring:
        raise _refused("invalid_client", "client_id is unknown")
    if form.get("grant_type") == "authorization_code":
        return _issued(etsy, *_by_code(etsy, form))
    if form.get("grant_type") == "refresh_token":
        return _issued(etsy, *_by_refresh(etsy, form))
    raise _refused("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")


def _by_refresh(etsy: Etsy, form: Mapping[str, str]) -> tuple[int, frozenset[str]]:
    grant = etsy.refresh.get(form.get("refresh_token", ""))
    if grant is None or grant.expires <= etsy.now() or grant.client_id != form["client_id"]:
        raise _refused("invalid_grant", "refresh_token is invalid or expired")
    del etsy.refresh[form["refresh_token"]]  # rotated: it is good once
    return grant.user_id, grant.scopes


def _by_code(etsy: Etsy, form: Mapping[str, str]) -> tuple[int, frozenset[str]]:
    code = etsy.codes.pop(form.get("code", ""), None)
    verifier = form.get("code_verifier", "")
    if code is None or code.client_id != form["client_id"]:
        raise _refused("invalid_grant", "code has been used previously or is invalid")
    if code.redirect_uri != form.get("redirect_uri"):
        raise _refused("invalid_grant", "redirect_uri does not match")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not 43 <= len(verifier) <= 128 or digest != code.challenge:
        raise _refused("invalid_grant", "code_verifier does not match the code_challenge")
    return code.user_id, code.scopes


def _issued(etsy: Etsy, user_id: int, scopes: frozenset[str]) -> dict[str, Any]:
    access, refresh = (f"{user_id}.{secrets.token_urlsafe(32)}" for _ in range(2))
    etsy.access[access] = Grant(user_id, scopes, etsy.now() + ACCESS_S)
    etsy.refresh[refresh] = Grant(user_id, scopes, etsy.now() + REFRESH_S, etsy.keystring)
    return {"access_token": access, "token_type": "Bearer", "expires_in": ACCESS_S, "refresh_token": refresh}


def _refused(error: str, description: str) -> EtsyError:
    return EtsyError(400, {"error": error, "error_description": description})
