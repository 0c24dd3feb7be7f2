"""Who is let in: key, rate, token, scope, in Etsy's order and words."""

from collections.abc import Mapping

from services.etsy_fake.faults import Fault
from services.etsy_fake.operations import Operation
from services.etsy_fake.state import DAY_S, Etsy, EtsyError

TOO_MANY = "Too many requests"


def check_key(etsy: Etsy, headers: Mapping[str, str]) -> None:
    """Refuse what has no key, or half of one: since February 2026 the shared secret belongs to it."""
    given = headers.get("x-api-key", "")
    keystring, colon, secret = given.partition(":")
    if not given:
        raise EtsyError(403, "Missing x-api-key header or client_id")
    if keystring != etsy.keystring:
        raise EtsyError(403, "Invalid API key: should be in the format 'keystring:shared_secret'.")
    if not colon or secret != etsy.shared_secret:
        raise EtsyError(403, "Shared secret is required in x-api-key header.")


def count(etsy: Etsy, fault: Fault | None) -> dict[str, str]:
    """Count the call; the headers that a success carries. One of them is spelled as Etsy spells it."""
    now = etsy.now()
    if fault and fault.kind == "too-many":
        raise TooMany(fault.seconds)
    if fault and fault.kind == "quota":
        etsy.calls.extend([now] * (etsy.limits.per_day - etsy.used_today()))
    used = etsy.used_today()
    if used >= etsy.limits.per_day:
        raise TooMany(etsy.calls[0] + DAY_S - now)
    second = sum(1 for at in reversed(etsy.calls) if at > now - 1)
    if second >= etsy.limits.per_second:
        raise TooMany(1)
    etsy.calls.append(now)
    return {
        "x-limit-per-second": str(etsy.limits.per_second),
        "x-remaining-this-secon": str(etsy.limits.per_second - second - 1),
        "x-limit-per-day": str(etsy.limits.per_day),
        "x-remaining-today": str(etsy.limits.per_day - used - 1),
    }


class TooMany(EtsyError):  # noqa: N818 - as Etsy says it
    """429, with the seconds after which it may be tried again, and none of the other headers."""

    def __init__(self, after_s: float) -> None:
        super().__init__(429, TOO_MANY)
        self.after_s = max(1, round(after_s + 0.5))


def user_of(etsy: Etsy, operation: Operation, headers: Mapping[str, str], fault: Fault | None) -> int:
    """The caller; 0 where none is needed and none is named."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if operation.scope is None and scheme != "Bearer":
        return 0
    grant = etsy.access.get(token) if scheme == "Bearer" else None
    if grant is None or grant.expires <= etsy.now() or (fault and fault.kind == "unauthorised"):
        raise EtsyError(401, {"error": "invalid_token", "error_description": "access token is invalid or expired"})
    if operation.scope and operation.scope not in grant.scopes:
        raise EtsyError(403, f"Insufficient scope: this request needs {operation.scope}")
    return grant.user_id
