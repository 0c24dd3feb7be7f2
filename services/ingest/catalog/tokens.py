"""Logins as JSON Web Tokens: signed, with an end, and only as good as the account behind them (RFC 8725)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

ALGORITHM = "HS256"


class BadToken(Exception):  # noqa: N818
    """Not a token of ours, or not any more. Says why without repeating the token."""


@dataclass(frozen=True)
class Tokens:
    """Issues and reads them. Claims: `sub` the e-mail, `id` the user's id, which alone counts, and `exp`."""

    secret: bytes
    lifetime: timedelta
    grace: timedelta = timedelta(0)

    def issue(self, user_id: UUID, email: str, now: datetime) -> str:
        """A token that is valid from now on."""
        claims = {"sub": email, "id": str(user_id), "exp": int((now + self.lifetime).timestamp())}
        return jwt.encode(claims, self.secret, ALGORITHM)

    def read(self, token: str, now: datetime) -> UUID:
        """The id of the user whose token this is.

        Raises:
            BadToken: forged, damaged, of another kind or expired.
        """
        return self._read(token, now.timestamp())

    def read_for_renewal(self, token: str, now: datetime) -> UUID:
        """As `read`, but a token that ended within the grace is good enough."""
        return self._read(token, (now - self.grace).timestamp())

    def _read(self, token: str, valid_at: float) -> UUID:
        try:
            claims = jwt.decode(
                token, self.secret, [ALGORITHM], options={"require": ["sub", "id", "exp"], "verify_exp": False}
            )
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise BadToken("not signed here, or damaged") from error
        end = claims["exp"]
        if not isinstance(end, int) or isinstance(end, bool) or end <= valid_at:
            raise BadToken("expired")
        try:
            return UUID(claims["id"])
        except (TypeError, ValueError, AttributeError) as error:
            raise BadToken("names no user") from error
