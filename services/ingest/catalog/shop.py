"""The connection to the shop that listings go to, as the account pages show and change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.ingest.catalog.users import User

SHOWN_FOR = timedelta(days=30)  # a dry run never expires; the client wants a time all the same


class ShopRefused(Exception):  # noqa: N818
    """Etsy, or the lack of it, stands in the way. The text names Etsy: by that word clients know what to reconnect."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class ShopConnection(Protocol):
    """What the service knows of users' shop connections. All but `status` may raise ShopRefused."""

    def status(self, user: User, now: datetime) -> dict[str, Any]:
        """`connected` true with `user_info`, `shop_info`, `expires_at` (ms since 1970), or false with a `message`."""
        ...

    def target_of(self, user: User) -> str | None:
        """Where the user's listings go, as they are on record under it; None while no shop is connected."""
        ...

    def authorisation(self, user: User) -> dict[str, Any]:
        """What the client needs to send the user to Etsy's consent page."""
        ...

    def connect(self, user: User, code: str) -> dict[str, Any]:
        """Trade the code that Etsy's consent page gave for tokens."""
        ...

    def refresh(self, user: User, refresh_token: str) -> dict[str, Any]:
        """New tokens for old."""
        ...

    def revoke(self, user: User) -> None:
        """Forget the user's tokens."""
        ...

    def options(self, user: User, kind: str) -> list[dict[str, Any]]:
        """What a listing can name: `taxonomies`, `shop_sections`, `shipping_profiles`, each with `id` and `name`."""
        ...

    def setup(self, user: User) -> dict[str, Any]:
        """What listings take from the shop: `choices` made and what is `missing`, `options`, and who overrules them."""
        ...

    def choose(self, user: User, choices: Mapping[str, Any], template_id: UUID | None = None) -> dict[str, Any]:
        """Make these choices, for all listings or for those of one template; the same answer as `setup`."""
        ...

    def plan(self, user: User, designs: int, pictures: int, *, digital: bool) -> dict[str, Any]:
        """What a batch will cost in calls, time and money."""
        ...

    def drafts(self, user: User) -> dict[str, Any]:
        """The finished drafts, and what publishing them costs."""
        ...

    def publish(self, user: User, listing_ids: Sequence[str], agreed_usd: float) -> dict[str, Any]:
        """Publish these drafts, for exactly the fee that was agreed to."""
        ...

    def deleted(self, user: User, listing_ids: Sequence[str]) -> list[str]:
        """Which of these listings somebody has deleted there; asked for again, they are listed anew."""
        ...


@dataclass(frozen=True)
class NoEtsy:
    """This server has no access to Etsy. With `dry_run`, listings go to a folder, which needs no connection."""

    dry_run: bool

    def status(self, user: User, now: datetime) -> dict[str, Any]:
        if not self.dry_run:
            return {"connected": False, "message": "No Etsy connection found"}
        number = user.id.int % 10**9 + 1  # clients expect a number; this one is always the same for a user
        return {
            "connected": True,
            "user_info": {"user_id": number, "first_name": user.shop_name},
            "shop_info": {"shop_id": number, "shop_name": user.shop_name},
            "expires_at": int((now + SHOWN_FOR).timestamp() * 1000),
            "target": "dry-run",
        }

    def target_of(self, user: User) -> str | None:
        del user
        return "dry-run" if self.dry_run else None

    def authorisation(self, user: User) -> dict[str, Any]:
        del user
        raise self._refused()

    def connect(self, user: User, code: str) -> dict[str, Any]:
        del user, code
        raise self._refused()

    def refresh(self, user: User, refresh_token: str) -> dict[str, Any]:
        del user, refresh_token
        raise self._refused()

    def revoke(self, user: User) -> None:
        """Nothing was ever connected, so nothing is left."""

    def options(self, user: User, kind: str) -> list[dict[str, Any]]:
        del user, kind
        return []

    def setup(self, user: User) -> dict[str, Any]:
        del user
        raise self._refused()

    def choose(self, user: User, choices: Mapping[str, Any], template_id: UUID | None = None) -> dict[str, Any]:
        del user, choices, template_id
        raise self._refused()

    def plan(self, user: User, designs: int, pictures: int, *, digital: bool) -> dict[str, Any]:
        del user, designs, pictures, digital
        raise self._refused()

    def drafts(self, user: User) -> dict[str, Any]:
        del user
        raise self._refused()

    def publish(self, user: User, listing_ids: Sequence[str], agreed_usd: float) -> dict[str, Any]:
        del user, listing_ids, agreed_usd
        raise self._refused()

    def deleted(self, user: User, listing_ids: Sequence[str]) -> list[str]:
        """Nobody can tell."""
        del user, listing_ids
        return []

    def _refused(self) -> ShopRefused:
        why = "listings are written to a folder (dry run)" if self.dry_run else "its Etsy keys are not configured"
        return ShopRefused(503, f"This server is not connected to Etsy: {why}. Ask whoever runs it to set up Etsy.")
