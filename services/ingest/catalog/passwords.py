"""Passwords: argon2id, a few at a time, and as slow for an unknown e-mail as for a known one."""

import secrets
import threading

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

AT_ONCE = 2  # each takes 64 MiB: a flood of logins must wait rather than eat the memory


class Passwords:
    """Makes and checks hashes."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self.scheme = PasswordHash((hasher or Argon2Hasher(),))
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        self.nobodys = self.scheme.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """A salted hash to store."""
        with self.turn:
            return self.scheme.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password. None (no such user) takes as long, so that the time tells nothing."""
        with self.turn:
            right = self.scheme.verify(password, stored or self.nobodys)
        return right and stored is not None
