"""Tokens: sealed at rest, refreshed once whoever asks, saved before they are used; a person hears when to reconnect."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, text

from services.publisher.etsy import oauth
from services.publisher.etsy.answers import TokensAnswer
from services.publisher.etsy.connections import Connections
from services.publisher.etsy.sealing import BadKey, Seal
from services.publisher.etsy.shop import EtsyShop
from services.publisher.etsy.tables import connections as rows
from services.publisher.etsy.wiring import app_of, connections
from services.publisher.handlers import on_mockups_rendered
from services.publisher.shop import Asset, Intent, NotAuthorised, RemoteRef, Unreachable
from services.publisher.store import Ledger
from shared.contracts import ListingFailed
from shared.database import engine_of
from shared.errors import Busy
from tests.integration.publisher.etsy.conftest import TOKEN_KEY, World, consented
from tests.integration.publisher.etsy.test_gone import dying_after
from tests.unit.publisher.events import TENANT
from tests.waiting import somebody_waits, until

BEN = UUID(int=78)


def run_out(world: World) -> None:
    """The access token is as good as over."""
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_connections SET access_expires_at = now() + interval '1 min'"))


def test_no_token_lies_in_the_database_as_it_is(world: World) -> None:
    dump = world.one("SELECT string_agg(c::text, '') FROM publisher.etsy_connections c")

    assert "NorthCups" in dump
    for token in (*world.etsy.access, *world.etsy.refresh):
        assert token not in dump


def test_an_access_token_that_runs_out_is_refreshed_before_it_is_used(world: World) -> None:
    run_out(world)
    old = set(world.etsy.access)

    world.publish(world.event())

    (new,) = set(world.etsy.access) - old
    assert world.target.connections.access(TENANT, None) == new


def test_a_token_that_etsy_calls_expired_is_refreshed_once_and_the_create_goes_on(world: World) -> None:
    world.etsy.access.clear()

    world.publish(world.event())

    assert [call["status"] for call in world.etsy.log if call["operation"] == "createDraftListing"] == [401, 201]


def test_a_second_refusal_is_for_a_person_and_the_account_page_says_so(world: World) -> None:
    world.arm("createDraftListing", "unauthorised", times=2)

    answer = world.handle(world.event())

    assert isinstance(answer, ListingFailed)
    assert "connect the Etsy shop again" in answer.reason
    assert not world.etsy.listings
    assert broken(world) == answer.reason


def test_a_connection_that_lacks_a_scope_fails_each_listing_with_one_call_for_all(world: World) -> None:
    for token, grant in world.etsy.access.items():
        world.etsy.access[token] = replace(grant, scopes=frozenset())

    first, *others = [world.handle(world.event(item_id=UUID(int=number))) for number in range(3)]

    assert isinstance(first, ListingFailed)
    assert "Insufficient scope" in first.reason
    assert [getattr(other, "reason", None) for other in others] == [first.reason] * 2
    assert world.count("createDraftListing") == 1
    world.connect(choices=None)
    world.publish(world.event())


def test_a_refusal_of_a_token_that_was_replaced_meanwhile_says_nothing_of_the_new_connection(world: World) -> None:
    world.target.connections.refuse(TENANT, "an older token", "Etsy refuses this connection")

    assert broken(world) is None


def broken(world: World) -> str | None:
    """What the account page says is wrong with the connection."""
    found = world.target.connections.find(TENANT)
    assert found
    return found.trouble(datetime.now(UTC))


@pytest.fixture
def processes(world: World) -> Iterator[list[Connections]]:
    """Four, each with connections of its own to the database."""
    engines = [engine_of(str(world.engine.url.render_as_string(hide_password=False))) for _ in range(4)]
    yield [connections(world.settings, engine, world.http) for engine in engines]
    for engine in engines:
        engine.dispose()


def test_processes_that_refresh_together_refresh_once(world: World, processes: list[Connections]) -> None:
    run_out(world)
    refreshed = len(world.etsy.refresh)
    together = Barrier(len(processes))

    def token(mine: Connections) -> str:
        together.wait()
        return mine.access(TENANT, None)

    with ThreadPoolExecutor(len(processes)) as pool:
        tokens = set(pool.map(token, processes))

    assert len(tokens) == 1
    assert tokens <= set(world.etsy.access)
    assert len(world.etsy.access) == 2  # the one of connecting, and one more
    assert len(world.etsy.refresh) == refreshed


def test_the_new_pair_is_saved_before_anybody_uses_it(world: World) -> None:
    run_out(world)
    world.target.connections.access(TENANT, None)
    run_out(world)

    world.target.connections.access(TENANT, None)  # with the refresh token that the first one brought


def test_new_tokens_that_the_database_did_not_take_are_still_there_when_it_is_asked_again(world: World) -> None:
    run_out(world)
    refreshed = len(world.etsy.access)
    with dying_after(world.engine, 1) as died:
        world.target.connections.access(TENANT, None)
    assert died

    world.publish(world.event())

    assert broken(world) is None
    assert len(world.etsy.access) == refreshed + 1
    assert not world.target.connections.uncommitted


def test_a_refresh_that_etsy_does_not_answer_is_tried_again_with_the_same_token(world: World) -> None:
    run_out(world)
    world.arm("refreshToken", "html")
    with pytest.raises(Unreachable):
        world.handle(world.event())

    world.publish(world.event())


def test_a_revoked_connection_says_reconnect_without_asking_etsy_again(world: World) -> None:
    world.etsy.access.clear()
    world.etsy.refresh.clear()
    assert isinstance(world.handle(world.event()), ListingFailed)
    calls = len(world.exchanges.seen)

    answer = world.handle(world.event())
    assert isinstance(answer, ListingFailed)
    assert answer.reason.startswith("Etsy does not accept this connection any more")
    assert len(world.exchanges.seen) == calls

    world.connect(choices=None)
    world.publish(world.event())  # what was chosen before still holds


def test_a_wrong_app_key_disconnects_nobody_and_all_goes_on_when_it_is_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out(world)
    event = world.event()
    with monkeypatch.context() as patch:
        patch.setattr(world.etsy, "keystring", "the right one")
        with pytest.raises(Unreachable, match="check ETSY_KEYSTRING and ETSY_SHARED_SECRET"):
            world.handle(event)
    assert world.target.connections.working(TENANT).broken is None

    world.publish(event)


def test_the_key_of_another_app_burns_no_connection_and_all_goes_on_when_it_is_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Etsy lets that app in, and calls the first one's tokens void."""
    run_out(world)
    event, settings = world.event(), world.settings.model_copy(update={"etsy_keystring": "another"})
    with monkeypatch.context() as patch:
        patch.setattr(world.etsy, "keystring", "another")
        other = replace(world.target, app=app_of(settings), connections=connections(settings, world.engine, world.http))
        calls = len(world.exchanges.seen)
        (answer,) = on_mockups_rendered(event, Ledger(world.engine), other, world.blobs)
        assert isinstance(answer, ListingFailed)
        assert answer.reason.startswith(
            "this shop was connected with another app of Etsy than ETSY_KEYSTRING names now"
        )
        with pytest.raises(NotAuthorised, match="put that app's keys back, or connect the Etsy shop again"):
            other.connections.access(TENANT, None)
        assert len(world.exchanges.seen) == calls, "Etsy was not even asked"

    world.publish(event)


def test_a_connection_whose_app_nobody_noted_is_used_and_noted(world: World) -> None:
    """From before an update."""
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_connections SET app = NULL"))
    run_out(world)

    world.publish(world.event())

    assert world.one("SELECT app FROM publisher.etsy_connections") == world.target.app.digest


@pytest.mark.parametrize("key", ["keystring", "shared_secret"])
def test_an_app_key_that_a_call_is_refused_for_is_the_operators_to_mend(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    event = world.event()
    with monkeypatch.context() as patch:
        patch.setattr(world.etsy, key, "the right one")
        with pytest.raises(Unreachable, match="check ETSY_KEYSTRING and ETSY_SHARED_SECRET"):
            world.handle(event)

    world.publish(event)
    assert world.count("getListingsByShop") == 0


def test_ninety_days_without_use_are_told_and_a_month_is_refreshed(world: World) -> None:
    found = world.target.connections.working(TENANT)
    trouble = found.trouble(datetime.now(UTC) + timedelta(days=91))
    assert trouble
    assert "90 days" in trouble

    old = set(world.etsy.refresh)
    world.target.connections.keep_alive(TENANT)
    assert set(world.etsy.refresh) == old
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE publisher.etsy_connections SET refreshed_at = now() - interval '31 days'"))
    world.target.connections.keep_alive(TENANT)
    assert set(world.etsy.refresh) != old


def test_an_account_without_a_shop_is_told_to_connect_one(world: World) -> None:
    answer = world.handle(world.event(tenant_id=BEN))
    assert isinstance(answer, ListingFailed)
    assert answer.reason.startswith("no Etsy shop is connected to this account: connect it on the account page")


def test_a_shop_belongs_to_one_account(world: World) -> None:
    with pytest.raises(NotAuthorised, match="NorthCups is connected to another account"):
        world.connect(BEN, 77)
    world.connect(BEN, 78)
    assert world.target.connections.working(BEN).shop_name == "SouthCups"


def test_another_shop_gets_listings_of_its_own(world: World) -> None:
    first = world.publish(world.event())
    world.connect(TENANT, 78, world.target.connections.working(TENANT).choices.model_copy(update=OF_BEN))

    second = world.publish(world.event())

    assert second.listing_id != first.listing_id
    assert {listing.shop_id for listing in world.etsy.listings.values()} == {555, 556}


def test_a_shop_that_is_connected_while_a_design_is_being_listed_gets_it_and_the_first_one_keeps_its_draft(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Etsy would refuse the new shop's token for what lies in the other one, or find nothing there."""
    choices, event = world.target.connections.working(TENANT).choices, world.event()
    put = EtsyShop.put_picture
    with monkeypatch.context() as patch:

        def switching(shop: EtsyShop, ref: RemoteRef, rank: int, asset: Asset) -> str:
            if rank == 2:
                world.connect(TENANT, 78, choices.model_copy(update=OF_BEN))
            return put(shop, ref, rank, asset)

        patch.setattr(EtsyShop, "put_picture", switching)
        with pytest.raises(Busy, match="another shop was connected"):
            world.handle(event)

    assert world.publish(event).target == "etsy:556"
    world.connect(TENANT, 77, choices)
    assert world.publish(world.event(generation=1)).target == "etsy:555"
    assert sorted(listing.shop_id for listing in world.etsy.listings.values()) == [555, 556]
    assert {call["status"] for call in world.etsy.log if call["operation"] == "uploadListingImage"} == {201}


def test_who_waits_for_a_connection_that_is_replaced_uses_the_new_one(world: World) -> None:
    old = world.target.connections.access(TENANT, None)
    with ThreadPoolExecutor(1) as pool:
        with world.engine.begin() as connection:
            row = connection.execute(delete(rows).returning(rows)).mappings().one()
            connection.execute(insert(rows).values({**row, "shop_name": "SouthCups"}))
            refreshing = pool.submit(world.target.connections.access, TENANT, old)
            until(lambda: somebody_waits(world.engine))
        assert refreshing.result() in world.etsy.access


def test_a_shop_that_is_connected_just_before_the_create_leaves_nothing_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices, event, create = world.target.connections.working(TENANT).choices, world.event(), EtsyShop.create
    with monkeypatch.context() as patch:

        def switching(shop: EtsyShop, intent: Intent) -> RemoteRef:
            world.connect(TENANT, 78, choices.model_copy(update=OF_BEN))
            return create(shop, intent)

        patch.setattr(EtsyShop, "create", switching)
        with pytest.raises(Busy):
            world.handle(event)
    world.connect(TENANT, 77, choices)

    world.publish(event)
    assert world.count("getListingsByShop") == 0


OF_BEN = {"shipping_profile_id": 2101, "readiness_state_id": 2201, "return_policy_id": 2301}


def test_a_code_is_good_for_the_attempt_that_it_belongs_to(world: World) -> None:
    attempt = oauth.Attempt.new()
    address = consented(oauth.consent_url(world.target.app, attempt), 77)

    with pytest.raises(NotAuthorised, match="another attempt"):
        oauth.code_of(address, oauth.Attempt.new())
    with pytest.raises(NotAuthorised, match="code_verifier does not match"):
        oauth.traded(world.http, world.target.app, oauth.code_of(address, attempt), oauth.Attempt.new().verifier)


def test_a_denied_consent_is_told(world: World) -> None:
    with pytest.raises(NotAuthorised, match="Etsy was not allowed: The user denied"):
        oauth.code_of("http://here/?error=access_denied&error_description=The user denied", oauth.Attempt.new())


def test_a_page_that_asks_twice_for_the_consent_address_gets_the_same_one(world: World) -> None:
    assert world.target.connections.attempt(BEN) == world.target.connections.attempt(BEN)
    assert world.target.connections.attempt(BEN) != world.target.connections.attempt(TENANT)


def test_a_new_key_reads_what_an_old_one_sealed(world: World) -> None:
    new = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    sealed = Seal(TOKEN_KEY).closed("77.secret")

    assert Seal(f"{new},{TOKEN_KEY}").opened(sealed) == "77.secret"
    lost = Connections(
        world.engine,
        Seal(new),
        lambda _: TokensAnswer(access_token="a", refresh_token="b", expires_in=1),
        world.target.app.digest,
    )
    with pytest.raises(NotAuthorised, match="put that key back, or connect again"):
        lost.access(TENANT, None)
    with pytest.raises(BadKey, match="make one with"):
        Seal("short")
