"""Two windows of one account, or a window and the command, are at its Etsy shop at the same moment."""

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from services.etsy_setup import front
from services.etsy_setup.front import EtsyFront
from services.ingest.catalog.shop import ShopRefused
from services.ingest.catalog.users import User, Users
from services.publisher.etsy import activating, connecting, oauth, options
from services.publisher.etsy.answers import TokensAnswer
from services.publisher.etsy.choosing import Choices
from services.publisher.etsy.connections import Connected
from services.publisher.store import Ledger
from tests.etsy.seller import connected, consented
from tests.integration.etsy_setup.test_commands import Terminal, terminal
from tests.integration.etsy_setup.test_pages import CHOSEN
from tests.integration.publisher.etsy.conftest import World
from tests.waiting import until

__all__ = ["terminal"]

WAITERS = """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"""
MUG, SHIRT = UUID(int=1), UUID(int=2)


@pytest.fixture
def window(world: World, terminal: Terminal) -> EtsyFront:
    """What the pages call."""
    del terminal
    return EtsyFront(world.target, Ledger(world.engine))


@pytest.fixture
def seller(world: World, terminal: Terminal) -> User:
    """Who has a connected shop, in which nothing is chosen."""
    del terminal
    with world.engine.begin() as connection:
        found = Users(connection).of_email("ana@example.com")
    assert found
    connected(world.target, found.id, choices=Choices())
    return found


def while_options_are_read(monkeypatch: pytest.MonkeyPatch, where: ModuleType, other: Callable[[], object]) -> None:
    """The first window reads them from Etsy, which takes six calls; in that time the other one does this."""
    read = where.offered

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(where, "offered", read)
        found = read(*given)
        other()
        return found

    monkeypatch.setattr(where, "offered", overtaken)


def shop_of(world: World, seller: User) -> Connected:
    found = world.target.connections.find(seller.id)
    assert found
    return found


def test_choices_for_two_templates_that_are_made_at_once_are_both_kept(
    world: World, window: EtsyFront, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_options_are_read(monkeypatch, front, lambda: window.choose(seller, {"shipping_profile_id": 1102}, SHIRT))

    told = window.choose(seller, {"shipping_profile_id": 1101}, MUG)

    kept = shop_of(world, seller).choices.templates
    assert {template_id: of.shipping_profile_id for template_id, of in kept.items()} == {MUG: 1101, SHIRT: 1102}
    assert told["templates"].keys() == {str(MUG), str(SHIRT)}


def test_what_a_command_chooses_leaves_what_a_window_chose_meanwhile(
    world: World, window: EtsyFront, seller: User, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_options_are_read(monkeypatch, options, lambda: window.choose(seller, {"shipping_profile_id": 1102}))

    terminal("setup", "--readiness-state", 1201)

    chosen = shop_of(world, seller).choices
    assert (chosen.shipping_profile_id, chosen.readiness_state_id) == (1102, 1201)


def test_choices_are_not_kept_for_another_shop_that_was_connected_meanwhile(
    world: World, window: EtsyFront, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the profiles of the shop before, Etsy would refuse each of its listings."""

    def other() -> None:
        connected(world.target, seller.id, user_id=78, choices=Choices())

    while_options_are_read(monkeypatch, front, other)
    with pytest.raises(ShopRefused, match=re.escape("another shop was connected meanwhile (SouthCups)")) as refused:
        window.choose(seller, {"shipping_profile_id": 1101})

    assert refused.value.status == 409
    assert (shop_of(world, seller).shop_name, shop_of(world, seller).choices) == ("SouthCups", Choices())


def test_what_one_shop_has_to_choose_from_is_not_kept_for_another(
    world: World, window: EtsyFront, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = options.read

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(options, "read", read)
        found = read(*given)
        connected(world.target, seller.id, user_id=78, choices=Choices())
        return found

    monkeypatch.setattr(options, "read", overtaken)
    with pytest.raises(ShopRefused, match="another shop was connected meanwhile"):
        window.setup(seller)

    offers = shop_of(world, seller).options
    assert offers
    assert [each.id for each in offers.shipping_profile_id] == [2101, 2102]


def test_a_code_that_two_windows_send_at_once_connects_the_shop_for_both(
    world: World, window: EtsyFront, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redirect page does so in a browser's development mode, and when somebody reloads it at once."""
    del terminal
    with world.engine.begin() as connection:
        ana = Users(connection).of_email("ana@example.com")
    assert ana
    url, attempt = connecting.begun(world.target, ana.id)
    code = oauth.code_of(consented(url, 77), attempt)
    second: list[Future[dict[str, Any]]] = []
    trade = oauth.traded

    def traded(*given: Any) -> TokensAnswer:
        monkeypatch.setattr(oauth, "traded", trade)
        tokens = trade(*given)
        second.append(windows.submit(window.connect, ana, code))
        until(lambda: second[0].done() or world.one(WAITERS), what="the second window neither waits nor ends")
        return tokens

    monkeypatch.setattr(oauth, "traded", traded)

    with ThreadPoolExecutor(1) as windows:
        first = window.connect(ana, code)
        told = second[0].result(30)

    assert [each["message"] for each in (first, told)] == ["Authentication successful"] * 2


def test_of_two_windows_that_publish_the_same_drafts_at_once_each_is_told_what_it_was_charged(
    world: World, window: EtsyFront, seller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen the total; the first is overtaken when it has looked up its drafts."""
    window.choose(seller, CHOSEN)
    drafts = [world.publish(world.event(tenant_id=seller.id, mockup_id=each)).listing_id for each in (MUG, SHIRT)]
    look_up, charged = activating.drafts, {"published": drafts[:1], "published_before": [], "failed": {}}
    overtaking: list[dict[str, Any]] = []

    def overtaken(*given: Any) -> list[activating.Draft]:
        monkeypatch.setattr(activating, "drafts", look_up)
        found = look_up(*given)
        overtaking.append(window.publish(seller, drafts[:1], 0.2))
        return found

    monkeypatch.setattr(activating, "drafts", overtaken)

    told = window.publish(seller, drafts, 0.4)

    assert overtaking == [{**charged, "message": "Published: 1 listing = 0.20 USD"}]
    assert (told["published"], told["published_before"], told["failed"]) == (drafts, drafts[:1], {})
    assert told["message"] == "Published: 1 listing = 0.20 USD; 1 listing published before, at no fee now"
    assert world.etsy.fees_usd == pytest.approx(0.4)


def test_a_window_that_publishes_what_another_one_has_published_reads_that_it_is_published(
    world: World, window: EtsyFront, seller: User
) -> None:
    """It shows the total from before. It was told that Etsy charges nothing, and that nothing was published."""
    window.choose(seller, CHOSEN)
    drafts = [world.publish(world.event(tenant_id=seller.id, mockup_id=each)).listing_id for each in (MUG, SHIRT)]
    window.publish(seller, drafts[:1], 0.2)

    mixed = window.publish(seller, drafts, 0.4)
    late = window.publish(seller, drafts, 0.4)
    with pytest.raises(ShopRefused) as refused:
        window.publish(seller, drafts, 0.6)

    assert (mixed["published"], mixed["published_before"]) == (drafts, drafts[:1])
    assert mixed["message"] == "Published: 1 listing = 0.20 USD; 1 listing published before, at no fee now"
    assert late == {
        "published": drafts,
        "published_before": drafts,
        "failed": {},
        "message": "Published: 0 listings = 0.00 USD; 2 listings published before, at no fee now",
    }
    assert refused.value.status == 409
    assert str(refused.value).startswith("Etsy will charge 0 listings = 0.00 USD, and 0.60 USD was agreed to: ")
    assert str(refused.value).endswith(": nothing was published; 2 listings published before")
    assert world.etsy.fees_usd == pytest.approx(0.4)
