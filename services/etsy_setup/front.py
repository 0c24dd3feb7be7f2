"""Ingest's pages about the connection to Etsy, over what the publisher keeps. Tokens stay on this server."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from services.etsy_setup.accounts import OF_DELETED, Overruling, gone, in_use, left_out, overruling, why_not
from services.ingest.catalog.shop import ShopRefused
from services.ingest.catalog.users import User
from services.plurals import counted
from services.publisher.etsy import activating, choosing, connecting
from services.publisher.etsy.activating import Draft, Published
from services.publisher.etsy.choosing import Choices, Chosen, Options
from services.publisher.etsy.connections import Connected
from services.publisher.etsy.limiter import FIRST_PER_SECOND, SHARE
from services.publisher.etsy.options import offered
from services.publisher.etsy.plan import Plan, calls_of
from services.publisher.etsy.shop import EtsyTarget
from services.publisher.lock import locked
from services.publisher.shop import NotAuthorised, QuotaSpent, Replaced, Throttled, Unreachable
from services.publisher.store import Ledger
from shared.errors import Permanent, Retryable

log = structlog.get_logger()

HANDLE = "kept-on-the-server"
"""What browsers get for a token: they only ask whether they have one, and a token in a browser is a token lost."""

OF_THE_CONTRACT = {
    "taxonomies": "taxonomy_id",
    "shop_sections": "shop_section_id",
    "shipping_profiles": "shipping_profile_id",
}
CONNECTING = "connecting"
"""In the place of a target in a lock's name, with the account for its shop."""
NEEDED = ("shipping_profile_id", "readiness_state_id", "return_policy_id", "taxonomy_id")
STOPPED = "Etsy did not answer as it should, and it may be published: ask again, nothing is charged twice"


@dataclass(frozen=True)
class EtsyFront:
    """A `ShopConnection` of ingest."""

    target: EtsyTarget
    ledger: Ledger

    def status(self, user: User, now: datetime) -> dict[str, Any]:
        """From our own records; Etsy is asked only to keep an idle connection alive."""
        found = self.target.connections.find(user.id)
        if found is None:
            return {"connected": False, "message": "No Etsy connection found"}
        trouble = found.trouble(now) or self._kept_alive(user)
        if trouble:
            return {"connected": False, "message": f"Etsy: {trouble}"}
        return {
            "connected": True,
            "user_info": {"user_id": found.user_id, "first_name": found.shop_name},
            "shop_info": {"shop_id": found.shop_id, "shop_name": found.shop_name},
            "expires_at": _milliseconds(found),
            "target": "etsy",
        }

    def target_of(self, user: User) -> str | None:
        """From our own records."""
        found = self.target.connections.find(user.id)
        return found.target if found else None

    def authorisation(self, user: User) -> dict[str, Any]:
        """The parts of the consent page's address; the frontend puts them together."""
        with _words():
            _, attempt = connecting.begun(self.target, user.id)
        app = self.target.app
        return {
            "clientId": app.keystring,
            "redirectUri": app.redirect_uri,
            "codeChallenge": attempt.challenge,
            "state": attempt.state,
            "scopes": " ".join(app.scopes),
            "codeChallengeMethod": "S256",
            "responseType": "code",
            "oauthConnectUrl": app.consent_url,
        }

    def connect(self, user: User, code: str) -> dict[str, Any]:
        """Trade the code; the shop is connected afterwards.

        Pages send it twice at once. Etsy takes it once, so the second call waits for the first, and finds it connected.
        """
        with _words(), locked(self.ledger.locks, CONNECTING, str(user.id), self.ledger.lock_wait_s):
            found = connecting.finished(self.target, user.id, code)
        return {**_handles(found), "message": "Authentication successful"}

    def refresh(self, user: User, refresh_token: str) -> dict[str, Any]:
        """The connection's own token is renewed when it is due; what the browser holds names nothing."""
        del refresh_token
        with _words():
            self.target.connections.access(user.id, None)
            return {**_handles(self.target.connections.working(user.id)), "token_type": "Bearer"}

    def revoke(self, user: User) -> None:
        """Forget the tokens. Etsy has no call to revoke them: the seller may do so in the account's settings there."""
        self.target.connections.forget(user.id)

    def options(self, user: User, kind: str) -> list[dict[str, Any]]:
        """By name; nothing without a connected shop."""
        found = self.target.connections.find(user.id)
        if found is None or found.options is None:
            return []
        options = getattr(found.options, OF_THE_CONTRACT[kind])
        return sorted((each.model_dump() for each in options), key=lambda each: str(each["name"]).casefold())

    def setup(self, user: User) -> dict[str, Any]:
        """Read anew."""
        with _words():
            found = self.target.connections.working(user.id)
            options = self._offered(found)
        return _setup(found, found.choices, options, overruling(self.ledger.engine, user))

    def choose(self, user: User, choices: Mapping[str, Any], template_id: UUID | None = None) -> dict[str, Any]:
        """Keep choices that are all the shop's."""
        with _words():
            found = self.target.connections.working(user.id)
            options = self._offered(found)
            chosen = Chosen.model_validate(choices)
            if wrong := choosing.refusals(chosen, options):
                raise ShopRefused(422, f"Etsy: {'; '.join(wrong)}")

            def change(before: Choices) -> Choices:
                skus = before.skus if choices.get("skus") is None else choices["skus"]
                return before.changed(template_id, chosen).model_copy(update={"skus": skus})

            changed = self.target.connections.choose(user.id, found.shop_id, change)
        return _setup(found, changed, options, overruling(self.ledger.engine, user))

    def plan(self, user: User, designs: int, pictures: int, *, digital: bool) -> dict[str, Any]:
        """Against what is left of the day."""
        found = planned(self.target, user, designs, pictures, digital=digital)
        facts = ("designs", "calls", "remaining", "days", "fee_usd")
        return {**{name: getattr(found, name) for name in facts}, "message": found.words}

    def drafts(self, user: User) -> dict[str, Any]:
        """All of them, but for those of deleted designs."""
        with _words():
            there = activating.drafts(self.ledger, self.target.of(user.id), user.id)
        found = in_use(self.ledger.engine, user, there)
        rows = [{"listing_id": each.listing_id, "url": each.url, "item_id": str(each.item_id)} for each in found]
        words = f"Publishing all: {activating.total(len(found))}{left_out(len(there) - len(found))}"
        return {"drafts": rows, "total_usd": activating.total_usd(len(found)), "message": words}

    def publish(self, user: User, listing_ids: Sequence[str], agreed_usd: float) -> dict[str, Any]:
        """What stays a draft is told with its reason; so is what Etsy, going away in the middle, left undone.

        What another window published meanwhile is among the `published`, and its fee is told there, not here too.

        Whoever saw the total before that, or before a design was deleted, has agreed to more than is charged, which
        does no harm.
        """
        with _words():
            shop = self.target.of(user.id)
            drafts = activating.drafts(self.ledger, shop, user.id)
            there = activating.published_before(self.ledger, shop, user.id, listing_ids)
        asked = [each for each in drafts if each.listing_id in set(listing_ids)]
        earlier = [each.listing_id for each in there if each not in asked]
        wanted = in_use(self.ledger.engine, user, asked)
        failed = {each.listing_id: OF_DELETED for each in asked if each not in wanted}
        cost = activating.total_usd(len(wanted))
        seen = [len(wanted), len(asked), len(asked) + len(earlier)]
        if round(agreed_usd, 2) not in map(activating.total_usd, seen):
            words = f"Etsy will charge {activating.total(len(wanted))}, and {agreed_usd:.2f} USD was agreed to"
            told = "".join(f"; {listing_id}: {why}" for listing_id, why in failed.items())
            told += f"; {counted(len(earlier), 'listing')} published before" if earlier else ""
            raise ShopRefused(409, f"{words}: nothing was published{told}")
        ended, why = self._published(user, wanted, cost)
        failed |= {each.draft.listing_id: each.problem for each in ended if each.problem}
        failed |= {each.listing_id: why for each in wanted[len(ended) :]}
        done = earlier + [each.draft.listing_id for each in ended if not each.problem]
        before = earlier + [each.draft.listing_id for each in ended if each.before]
        words = f"Published: {activating.total(len(done) - len(before))}"
        words += f"; {counted(len(before), 'listing')} published before, at no fee now" if before else ""
        return {"published": done, "published_before": before, "failed": failed, "message": words}

    def _published(self, user: User, wanted: Sequence[Draft], cost: float) -> tuple[list[Published], str]:
        """How these ended, and why it stopped, if before the last: what is paid for by then must be told."""
        engine = self.ledger.engine
        ended: list[Published] = []
        try:
            with _words():
                turns = activating.activate(
                    self.ledger, self.target, user.id, wanted, cap_usd=cost, why_not=partial(why_not, engine, user)
                )
                for each in turns:
                    gone(engine, user, [each.draft.listing_id] if each.gone else [])
                    ended.append(each)
        except (ShopRefused, Retryable) as error:
            if not ended:
                raise
            log.warning("publishing drafts stopped in the middle", published=len(ended), cause=str(error))
            return ended, str(error) if isinstance(error, ShopRefused) else STOPPED
        return ended, ""

    def deleted(self, user: User, listing_ids: Sequence[str]) -> list[str]:
        """Asked one by one."""
        with _words():
            return activating.deleted(self.ledger, self.target, user.id, listing_ids)

    def _offered(self, found: Connected) -> Options:
        client = self.target.client(found.tenant_id, urgent=True, shop_id=found.shop_id)
        return offered(client, self.target.connections, found.tenant_id, found.shop_id)

    def _kept_alive(self, user: User) -> str | None:
        try:
            self.target.connections.keep_alive(user.id)
        except NotAuthorised as error:
            return str(error)
        except Retryable as error:
            log.warning("an idle Etsy connection could not be refreshed; it is tried again", cause=str(error))
        return None


def planned(target: EtsyTarget, user: User | None, designs: int, pictures: int, *, digital: bool) -> Plan:
    """A batch against the limits that Etsy's answers named; of this account, if any, as its shop is set up."""
    found = target.connections.find(user.id) if user else None
    calls = calls_of(pictures, digital=digital, skus=bool(found and found.choices.skus))
    limiter, quota = target.limiter, target.limiter.quota()
    known = FIRST_PER_SECOND if quota.per_second is None else quota.per_second * SHARE
    return Plan(
        designs=designs,
        calls=designs * calls,
        per_day=quota.per_day,
        remaining=quota.remaining_today,
        per_second=min(limiter.per_second, known),
        reserve=limiter.reserve,
    )


def missing(choices: Chosen) -> list[str]:
    """What physical listings still lack, in words."""
    return [choosing.KINDS[kind] for kind in NEEDED if getattr(choices, kind) is None]


def _setup(found: Connected, choices: Choices, options: Options, own: Sequence[Overruling]) -> dict[str, Any]:
    return {
        "shop": {"shop_id": found.shop_id, "shop_name": found.shop_name},
        "choices": choices.model_dump(mode="json", exclude={"templates"}),
        "templates": {str(number): each.model_dump(mode="json") for number, each in choices.templates.items()},
        "options": options.model_dump(mode="json"),
        "missing": missing(choices),
        "overruled_by": [asdict(each) for each in own],
    }


def _handles(found: Connected) -> dict[str, Any]:
    expires = _milliseconds(found)
    now = datetime.now(found.refresh_expires_at.tzinfo)
    return {
        "access_token": HANDLE,
        "refresh_token": HANDLE,
        "expires_in": int((found.refresh_expires_at - now).total_seconds()),
        "expires_at": expires,
    }


def _milliseconds(found: Connected) -> int:
    """When a person must connect again, if nobody uses the connection until then."""
    return int(found.refresh_expires_at.timestamp() * 1000)


@contextlib.contextmanager
def _words() -> Iterator[None]:
    """The publisher's errors as ingest answers them: 401 with Etsy's name makes the client say "reconnect"."""
    try:
        yield
    except NotAuthorised as error:
        raise ShopRefused(401, f"Etsy: {error}") from error
    except Permanent as error:
        raise ShopRefused(422, f"Etsy: {error}") from error
    except Replaced as error:
        raise ShopRefused(409, f"Etsy: {error}") from error
    except (QuotaSpent, Unreachable, Throttled) as error:  # what else is retried may name hosts of ours
        raise ShopRefused(503, f"Etsy: {error}") from error
