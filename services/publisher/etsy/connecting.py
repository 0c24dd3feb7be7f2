"""From a code of the consent page to a connected shop."""

from collections.abc import Callable
from uuid import UUID

from services.publisher.etsy import calls, oauth
from services.publisher.etsy.client import Client
from services.publisher.etsy.connections import Connected
from services.publisher.etsy.oauth import Attempt
from services.publisher.etsy.options import offered
from services.publisher.etsy.shop import EtsyTarget


def begun(target: EtsyTarget, tenant_id: UUID) -> tuple[str, Attempt]:
    """The address of the consent page, and what is needed when the browser comes back."""
    attempt = target.connections.attempt(tenant_id)
    return oauth.consent_url(target.app, attempt), attempt


def _nothing_is_kept(token: str, why: str) -> None:
    """A refusal before the connection is kept: whoever connects is told, and nothing else needs to know."""


def finished(target: EtsyTarget, tenant_id: UUID, code: str) -> Connected:
    """Trade the code, ask whose it is, and keep the connection with what the shop has to choose from.

    Etsy takes a code once. The one that has made the present connection changes nothing: a page that was loaded anew
    sends it again.

    Raises:
        NotAuthorised: with why, and what to do.
    """
    connections = target.connections
    if connections.made_with(tenant_id, code):
        return connections.working(tenant_id)
    tokens = oauth.traded(target.http, target.app, code, connections.attempt(tenant_id).verifier)
    access: Callable[[str | None], str] = lambda _: tokens.access_token  # noqa: E731 - not saved yet
    client = Client(target.http, target.app, target.limiter, access, _nothing_is_kept, urgent=True)
    me = client.call(calls.ME, {})
    shop = client.call(calls.THE_SHOP, {"shop_id": me.shop_id})
    connections.connect(tenant_id, me.user_id, shop, tokens, " ".join(target.app.scopes), code)
    offered(target.client(tenant_id, urgent=True, shop_id=shop.shop_id), connections, tenant_id, shop.shop_id)
    return connections.working(tenant_id)
