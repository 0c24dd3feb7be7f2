"""What a seller does at Etsy, or at the stand-in: allows us on the consent page, and chooses in set-up."""

from urllib.parse import parse_qsl
from uuid import UUID

import httpx

from services.publisher.etsy import connecting, oauth
from services.publisher.etsy.choosing import Choices
from services.publisher.etsy.shop import EtsyTarget

TOKEN_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
CHOSEN = Choices(shipping_profile_id=1101, readiness_state_id=1201, return_policy_id=1301, taxonomy_id=1071)


def consented(consent_url: str, user_id: int) -> str:
    """Where the browser ends when the seller has said yes."""
    page, _, query = consent_url.partition("?")
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(consent_url).is_success
        answer = browser.post(page, data={**dict(parse_qsl(query)), "user_id": str(user_id)})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def connected(target: EtsyTarget, tenant_id: UUID, user_id: int = 77, choices: Choices = CHOSEN) -> None:
    """The account has that seller's shop from now on."""
    url, attempt = connecting.begun(target, tenant_id)
    found = connecting.finished(target, tenant_id, oauth.code_of(consented(url, user_id), attempt))
    target.connections.choose(tenant_id, found.shop_id, lambda _: choices)
