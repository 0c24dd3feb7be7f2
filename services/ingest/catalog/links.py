"""Links to files that work where no header can be sent (`<img src>`): signed, and for a short time only."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

PURPOSE = b"presswork: signed links to files of a shop, version 1"


@dataclass(frozen=True)
class FileLinks:
    """Signs and checks links to one shop's files, with a key that is good for nothing else."""

    secret: bytes
    seconds: int

    def url(self, base: str, shop: str, path: str, now: datetime) -> str:
        """An absolute link to the file below the shop's folder."""
        expires = int(now.timestamp()) + self.seconds
        query = urlencode({"expires": expires, "signature": self._signature(shop, path, expires)})
        return f"{base.rstrip('/')}/designs/nas-file/{quote(shop, safe='')}/{quote(path)}?{query}"

    def valid(self, shop: str, path: str, expires: int, signature: str, now: datetime) -> bool:
        """Whether the link was signed here for just this file and has not ended."""
        right = self._signature(shop, path, expires)
        return hmac.compare_digest(right.encode(), signature.encode()) and now.timestamp() < expires

    def _signature(self, shop: str, path: str, expires: int) -> str:
        key = hmac.digest(self.secret, PURPOSE, hashlib.sha256)
        # JSON keeps the parts apart: shop "a" with path "b/c" must not sign as shop "a/b" with path "c"
        return hmac.new(key, json.dumps([shop, path, expires]).encode(), hashlib.sha256).hexdigest()
