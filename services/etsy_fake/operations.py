"""An operation of Etsy's API as the stand-in knows it, and what its handler is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.etsy_fake.faults import Fault
from services.etsy_fake.forms import Body
from services.etsy_fake.state import Etsy, EtsyError, Listing, Seller


@dataclass(frozen=True)
class Call:
    """One call that was let in, at the address `base`. `user_id` is 0 where no token is needed."""

    etsy: Etsy
    base: str
    user_id: int
    path: Mapping[str, int]
    query: Mapping[str, str]
    body: Body
    fault: Fault | None = None

    def seller(self) -> Seller:
        """The shop of the path, which must be the caller's."""
        seller = self.etsy.seller_of(self.path["shop_id"])
        if self.user_id and seller.user_id != self.user_id:
            raise EtsyError(403, f"User does not own Shop {seller.shop_id}")
        return seller

    def listing(self) -> Listing:
        """The listing of the path; in a shop's path it must be that shop's."""
        found = self.etsy.listings.get(self.path["listing_id"])
        if found is None or found.shop_id != self.path.get("shop_id", found.shop_id):
            raise EtsyError(404, f"Could not find a Listing with listing_id = {self.path['listing_id']}")
        if self.user_id and self.etsy.seller_of(found.shop_id).user_id != self.user_id:
            raise EtsyError(403, f"User does not own Listing {found.id}")
        return found

    def whole(self, name: str, default: int) -> int:
        """An integer of the query."""
        text = self.query.get(name, str(default))
        if not text.isdecimal():
            raise EtsyError(400, f"Expected int value for '{name}' (got '{text}')")
        return int(text)


@dataclass(frozen=True)
class Operation:
    """A call. Without `scope` it needs the key only."""

    name: str
    method: str
    path: str
    handler: Callable[[Call], Any]
    scope: str | None = None
    encoding: str | None = None
    status: int = 200
