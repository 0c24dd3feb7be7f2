"""Passwords: argon2id, a few at a time, and as slow for an unknown e-mail as for a known one.

Accounts that came from the old system have its bcrypt hashes until their owners choose another password.
"""

import secrets
import threading

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

AT_ONCE = 2  # each takes 64 MiB: a flood of logins must wait rather than eat the memory
NO_PASSWORD = "!"  # noqa: S105 - as in /etc/shadow: nothing matches it
BCRYPT_BYTES = 72


class OldBcrypt(BcryptHasher):
    """As the old system hashed: bytes beyond the 72nd count for nothing, where the library would refuse them."""

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the library's name for it
        octets = password.encode() if isinstance(password, str) else password
        return super().verify(octets[:BCRYPT_BYTES], hash)


class Passwords:
    """Makes and checks hashes."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self.scheme = PasswordHash((hasher or Argon2Hasher(), OldBcrypt()))
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        self.nobodys = self.scheme.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """A salted hash to store."""
        with self.turn:
            return self.scheme.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password. None (no such user) takes as long, so that the time tells nothing."""
        known = stored if stored != NO_PASSWORD else None
        with self.turn:
            right = self.scheme.verify(password, known or self.nobodys)
        return right and known is not None


def is_usable(stored: str) -> bool:
    """Whether somebody could log in with a hash that another system made."""
    return OldBcrypt.identify(stored) or Argon2Hasher.identify(stored)
