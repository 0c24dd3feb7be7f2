"""Logins as JSON Web Tokens: signed, with an end, and only as good as the account behind them (RFC 8725)."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

ALGORITHM = "HS256"
RENEWED_FOR = timedelta(days=30)
"""How long after its login a token can be renewed: longer than any upload, and not for ever for who has stolen it."""
PURPOSE = b"presswork: which password a login is from, version 1"


class BadToken(Exception):  # noqa: N818
    """Not a token of ours, or not any more. Says why without repeating the token."""


@dataclass(frozen=True)
class Login:
    """What a token says: whose it is, from when, until when it is good, and by which password (`mark`).

    `mark` is None where no token said that yet.
    """

    user_id: UUID
    since: datetime
    end: datetime
    mark: str | None


@dataclass(frozen=True)
class Tokens:
    """Issues and reads them.

    Claims: `sub` the e-mail, `id` the user's id, which alone counts, `exp`, `auth_time` (when the password was given,
    as in OpenID Connect), and `mark`, which another password makes invalid.
    """

    secret: bytes
    lifetime: timedelta
    grace: timedelta = timedelta(0)

    def issue(
        self, user_id: UUID, email: str, hashed_password: str, now: datetime, since: datetime | None = None
    ) -> str:
        """A token that is valid from now on; `since` is when the password was given, if that was earlier."""
        claims = {
            "sub": email,
            "id": str(user_id),
            "exp": int((now + self.lifetime).timestamp()),
            "auth_time": int((since or now).timestamp()),
            "mark": self._mark(hashed_password),
        }
        return jwt.encode(claims, self.secret, ALGORITHM)

    def read(self, token: str, now: datetime) -> Login:
        """Whose token this is. It counts if `is_of` says so, too.

        Raises:
            BadToken: forged, damaged, of another kind or expired.
        """
        return self._read(token, now.timestamp())

    def read_for_renewal(self, token: str, now: datetime) -> Login:
        """As `read`, but a token that ended within the grace is good enough, and one of an old login is not."""
        login = self._read(token, (now - self.grace).timestamp())
        if now - login.since > RENEWED_FOR:
            raise BadToken("of a login that is too old")
        return login

    def is_of(self, login: Login, hashed_password: str, changed_at: datetime | None) -> bool:
        """Whether a login is by the password that its account has now; `changed_at` is when the account was changed.

        Tokens had no mark once: such a one is good unless the account was changed since.
        """
        if login.mark is None:
            return changed_at is None or changed_at <= login.since
        return hmac.compare_digest(login.mark.encode(), self._mark(hashed_password).encode())

    def _mark(self, hashed_password: str) -> str:
        """Marks a login with its password's hash: a changed password ends it. Keyed, so that the mark tells nothing."""
        key = hmac.digest(self.secret, PURPOSE, hashlib.sha256)
        return hmac.new(key, hashed_password.encode(), hashlib.sha256).hexdigest()[:32]

    def _read(self, token: str, valid_at: float) -> Login:
        try:
            claims = jwt.decode(
                token, self.secret, [ALGORITHM], options={"require": ["sub", "id", "exp"], "verify_exp": False}
            )
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise BadToken("not signed here, or damaged") from error
        end, mark = claims["exp"], claims.get("mark")
        if not _is_time(end) or end <= valid_at:
            raise BadToken("expired")
        since = claims.get("auth_time", end - int(self.lifetime.total_seconds()))
        if not _is_time(since) or not isinstance(mark, str | None):
            raise BadToken("of another kind")
        try:
            begun, ended = (datetime.fromtimestamp(each, UTC) for each in (since, end))
            return Login(UUID(claims["id"]), begun, ended, mark)
        except (TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            raise BadToken("names no user") from error


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
