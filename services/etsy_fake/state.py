"""What the stand-in knows: apps, sellers, tokens, listings with their pictures and files. In memory only."""

import itertools
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from services.etsy_fake.faults import Faults

HOUR_S = 3600
ACCESS_S = HOUR_S
MOST_KEPT_BYTES = 256 * 2**20  # of pictures, for the page; of older ones only the size is kept
REFRESH_S = 90 * 24 * HOUR_S
DAY_S = 24 * HOUR_S


class EtsyError(Exception):
    """An answer that is no success; `body` is what Etsy would say."""

    def __init__(self, status: int, body: Any) -> None:  # noqa: ANN401 - whatever JSON is
        super().__init__(str(body))
        self.status = status
        self.body = {"error": body} if isinstance(body, str) else body


@dataclass(frozen=True)
class Limits:
    """What one key may call."""

    per_second: int = 10
    per_day: int = 10_000


@dataclass(frozen=True)
class Seller:
    """A person with a shop. What it has to choose from is numbered from `first`."""

    user_id: int
    shop_id: int
    shop_name: str
    first: int


SELLERS = (Seller(77, 555, "NorthCups", 1000), Seller(78, 556, "SouthCups", 2000))


@dataclass(frozen=True)
class Grant:
    """A token's meaning."""

    user_id: int
    scopes: frozenset[str]
    expires: float
    client_id: str = ""


@dataclass
class Picture:
    """A picture of a listing; Etsy looks at it only after it has answered."""

    id: int
    created: int
    data: bytes
    kind: str
    name: str
    size: int
    alt_text: str = ""
    looked_at: bool = False
    sha256: str = ""


@dataclass
class Download:
    """A file of a digital listing."""

    id: int
    created: int
    name: str
    data: bytes


@dataclass
class Listing:
    """A listing with what it was made of; `pictures` are in the order in which they are shown."""

    id: int
    shop_id: int
    fields: dict[str, Any]
    created: int
    state: str = "draft"
    sku: str = ""
    pictures: list[Picture] = field(default_factory=list)
    downloads: list[Download] = field(default_factory=list)
    visible_from: float = 0


@dataclass(frozen=True)
class Code:
    """What a consent page gave, until it is traded for tokens."""

    user_id: int
    client_id: str
    redirect_uri: str
    challenge: str
    scopes: frozenset[str]


@dataclass
class Etsy:
    """All of it."""

    keystring: str = "fakekeystring"
    shared_secret: str = "fakesecret"  # noqa: S105 - printed for newcomers, opens nothing
    limits: Limits = Limits()
    faults: Faults = field(default_factory=Faults)
    sellers: dict[int, Seller] = field(default_factory=lambda: {seller.user_id: seller for seller in SELLERS})
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    kept: deque[Picture] = field(default_factory=deque)
    calls: deque[float] = field(default_factory=deque)
    log: list[dict[str, Any]] = field(default_factory=list)
    ahead_s: float = 0
    fees_usd: float = 0
    first_number: int = 900_001

    def __post_init__(self) -> None:
        self._numbers = itertools.count(self.first_number)

    def now(self) -> float:
        """The time at Etsy; `ahead_s` moves it."""
        return time.time() + self.ahead_s

    def number(self) -> int:
        """A new id."""
        return next(self._numbers)

    def seller_of(self, shop_id: int) -> Seller:
        """Whose shop that is."""
        for seller in self.sellers.values():
            if seller.shop_id == shop_id:
                return seller
        raise EtsyError(404, f"No shop with ID '{shop_id}' found.")

    def used_today(self) -> int:
        """Calls within the last 24 hours."""
        while self.calls and self.calls[0] <= self.now() - DAY_S:
            self.calls.popleft()
        return len(self.calls)

    def keep(self, picture: Picture) -> None:
        """Keep its bytes, and let go of those of the oldest ones."""
        self.kept.append(picture)
        while sum(each.size for each in self.kept) > MOST_KEPT_BYTES:
            self.kept.popleft().data = b""

    def forget(self) -> None:
        """Everything but who sells here, as after a restart."""
        for kept in (self.codes, self.access, self.refresh, self.listings, self.kept, self.calls, self.log):
            kept.clear()
        self.faults.clear()
        self.ahead_s, self.fees_usd = 0, 0
