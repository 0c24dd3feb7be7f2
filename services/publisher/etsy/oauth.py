"""OAuth 2 as Etsy has it: authorization code with PKCE, and refresh tokens that are good for one use."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from pydantic import ValidationError

from services.publisher.etsy.answers import TokensAnswer
from services.publisher.etsy.words import RECONNECT, WRONG_APP, error_of, refuses_the_app, said
from services.publisher.shop import NotAuthorised, Throttled, Unreachable

VOID = "invalid_grant"  # as OAuth calls a code or a refresh token that is worth nothing any more
TOKEN_PATH = "/v3/public/oauth/token"  # noqa: S105 - an address
NO_TOKENS = "Etsy gave no tokens ({}): {}"


@dataclass(frozen=True)
class App:
    """Our app at Etsy, and where Etsy is. `redirect_uri` is registered there, letter by letter."""

    keystring: str
    shared_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]
    api_url: str
    consent_url: str

    @property
    def api_key(self) -> str:
        """The header that every call carries."""
        return f"{self.keystring}:{self.shared_secret}"

    @property
    def digest(self) -> str:
        """Tells this app from another one in our records, without its key."""
        return hashlib.sha256(self.keystring.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Attempt:
    """One way to the consent page and back. The verifier never leaves this server until the code comes back."""

    verifier: str = field(repr=False)
    state: str

    @classmethod
    def new(cls) -> "Attempt":
        """A new one, which nobody can guess."""
        return cls(secrets.token_urlsafe(48), secrets.token_urlsafe(24))

    @property
    def challenge(self) -> str:
        """What Etsy is shown of the verifier: S256."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def consent_url(app: App, attempt: Attempt) -> str:
    """The page on which the seller allows us."""
    query = {
        "response_type": "code",
        "client_id": app.keystring,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(app.scopes),
        "state": attempt.state,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    return f"{app.consent_url}?{urlencode(query)}"


def code_of(url: str, attempt: Attempt) -> str:
    """The code in the address that the browser ended at; a bare code is taken as it is.

    Raises:
        NotAuthorised: it was denied, or belongs to another attempt.
    """
    query = parse_qs(urlsplit(url.strip()).query)
    if not query:
        return url.strip()
    if "error" in query:
        raise NotAuthorised(f"Etsy was not allowed: {query.get('error_description', query['error'])[0]}")
    if query.get("state") != [attempt.state] or "code" not in query:
        raise NotAuthorised("this address belongs to another attempt to connect Etsy: begin again")
    return query["code"][0]


def traded(http: httpx.Client, app: App, code: str, verifier: str) -> TokensAnswer:
    """Tokens for a code.

    Raises:
        NotAuthorised: this code gives none.
        Unreachable, Throttled: nobody gets any just now, or our keys are wrong. Etsy may have used the code up.
    """
    form = {"code": code, "code_verifier": verifier, "redirect_uri": app.redirect_uri}
    refused = "Etsy did not accept this authorisation ({}): connect again from the beginning"
    return _tokens(
        http, app, {"grant_type": "authorization_code", **form}, refused, "connect the Etsy shop again in some minutes"
    )


def refreshed(http: httpx.Client, app: App, refresh_token: str) -> TokensAnswer:
    """New tokens for a refresh token, which is worth nothing afterwards.

    Raises:
        NotAuthorised: a person must connect the shop again.
        Unreachable: nobody gets tokens, as Etsy is away or our app's keys are wrong; the same token may be tried again.
        Throttled: this one is refused, and Etsy does not say that it is over.
    """
    refused = "Etsy does not accept this connection any more ({}): " + RECONNECT
    later = "try again in some minutes; listings wait, and go on by themselves"
    return _tokens(http, app, {"grant_type": "refresh_token", "refresh_token": refresh_token}, refused, later)


def _tokens(http: httpx.Client, app: App, form: dict[str, Any], refused: str, later: str) -> TokensAnswer:
    """`refused`: what is said where the grant is void; `later`: what to do where it may be good."""
    headers = {"x-api-key": app.api_key}
    try:
        response = http.post(
            f"{app.api_url}{TOKEN_PATH}", data={"client_id": app.keystring, **form}, headers=headers, timeout=15
        )
    except httpx.TransportError as error:
        raise Unreachable(NO_TOKENS.format(type(error).__name__, later)) from error
    if response.status_code in (400, 401, 403):
        raise _refusal(response, refused, later)
    try:
        return TokensAnswer.model_validate_json(response.raise_for_status().content)
    except (httpx.HTTPStatusError, ValidationError) as error:
        raise Unreachable(NO_TOKENS.format(f"status {response.status_code}", later)) from error


def _refusal(response: httpx.Response, refused: str, later: str) -> Exception:
    """Who has to mend it: the seller only where the grant itself is void."""
    words = said(response)
    if error_of(response) == VOID:
        return NotAuthorised(refused.format(words))
    if refuses_the_app(response):
        return Unreachable(WRONG_APP.format(words))
    return Throttled(NO_TOKENS.format(words, later))
