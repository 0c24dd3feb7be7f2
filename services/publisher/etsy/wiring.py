"""Etsy from the settings: nothing is called and nothing connected by that."""

import httpx
from sqlalchemy import Engine

from services.publisher.etsy.client import SENT_WITHIN_S
from services.publisher.etsy.connections import Connections
from services.publisher.etsy.limiter import Limiter
from services.publisher.etsy.oauth import App, refreshed
from services.publisher.etsy.sealing import MAKE, Seal
from services.publisher.etsy.shop import EtsyTarget
from services.publisher.settings import Settings
from services.publisher.store import Ledger


class NotConfigured(ValueError):  # noqa: N818
    """Etsy's keys are not set."""


def app_of(settings: Settings) -> App:
    """Our app at Etsy.

    Raises:
        NotConfigured: with what is missing.
    """
    secret, key = settings.etsy_shared_secret.get_secret_value(), settings.etsy_token_key.get_secret_value()
    missing = [
        name
        for name, value in (("ETSY_KEYSTRING", settings.etsy_keystring), ("ETSY_SHARED_SECRET", secret))
        if not value
    ]
    if missing:
        raise NotConfigured(f"{' and '.join(missing)} must be set: they are at etsy.com/developers/your-apps")
    if not key:
        raise NotConfigured(f"ETSY_TOKEN_KEY must be set, it encrypts sellers' tokens; make one with: {MAKE}")
    return App(
        keystring=settings.etsy_keystring,
        shared_secret=secret,
        redirect_uri=settings.etsy_redirect_uri,
        scopes=tuple(settings.etsy_scopes.split()),
        api_url=settings.etsy_api_url.rstrip("/"),
        consent_url=settings.etsy_consent_url,
    )


def etsy(settings: Settings, ledger: Ledger) -> EtsyTarget:
    """The target over this ledger's database."""
    app, engine = app_of(settings), ledger.engine
    http = httpx.Client(timeout=httpx.Timeout(settings.etsy_timeout_seconds, connect=10), follow_redirects=False)
    rate, connected = limiter(settings, engine), connections(settings, engine, http)
    takes_s = SENT_WITHIN_S + settings.etsy_timeout_seconds
    return EtsyTarget(http, app, rate, connected, ledger.known, create_takes_s=takes_s)


def connections(settings: Settings, engine: Engine, http: httpx.Client) -> Connections:
    """The connected shops."""
    app, seal = app_of(settings), Seal(settings.etsy_token_key.get_secret_value())
    return Connections(engine, seal, lambda token: refreshed(http, app, token), app.digest)


def limiter(settings: Settings, engine: Engine) -> Limiter:
    """The key's rate."""
    return Limiter(
        engine, settings.etsy_keystring, per_second=settings.etsy_calls_per_second, reserve=settings.etsy_daily_reserve
    )
