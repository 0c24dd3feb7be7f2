"""Tokens at rest: encrypted with a key that is not in the database."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MAKE = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class BadKey(ValueError):  # noqa: N818
    """`ETSY_TOKEN_KEY` is no key."""


class OtherKey(Exception):  # noqa: N818
    """Sealed with another key than those that we have."""


class Seal:
    """Seals with the first key, opens with any: a new key is put in front, and the old one stays for a while."""

    def __init__(self, keys: str) -> None:
        try:
            self._keys = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError as error:
            raise BadKey(f"ETSY_TOKEN_KEY must be 32 random bytes in URL-safe base64; make one with: {MAKE}") from error

    def closed(self, text: str) -> str:
        """What may lie in the database."""
        return self._keys.encrypt(text.encode()).decode()

    def opened(self, sealed: str) -> str:
        """The text again.

        Raises:
            OtherKey: the key was changed or lost.
        """
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken as error:
            raise OtherKey from error
