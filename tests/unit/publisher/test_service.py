"""The publisher's wiring."""

from itertools import accumulate
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.publisher.etsy.client import SENT_WITHIN_S
from services.publisher.etsy.shop import EtsyTarget
from services.publisher.limits import ETSY
from services.publisher.service import UnknownTarget, build, ledger_of, target_of
from services.publisher.settings import Settings
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered, WorkCancelled
from shared.errors import Unavailable
from tests.etsy.seller import TOKEN_KEY
from tests.unit.publisher.events import rendered


def test_an_unknown_target_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownTarget, match="PUBLISHER_TARGET is 'amazon'; the targets are: dry-run"):
        build(Settings(publisher_target="amazon"))


def test_it_listens_to_rendered_mockups_and_answers_with_a_listing_or_a_reason(tmp_path: Path) -> None:
    service = build(Settings(listings_dir=tmp_path / "listings"))

    assert set(service.handlers) == {MockupsRendered, WorkCancelled}
    assert service.handlers[MockupsRendered].emits == (ListingPublished, ListingFailed)


def test_what_etsy_may_have_made_unseen_is_made_again_soon_after_it_would_be_seen(tmp_path: Path) -> None:
    tries_s = accumulate(build(Settings(listings_dir=tmp_path)).retry.delays_s)

    assert ETSY.settles_after_s <= next(at for at in tries_s if at >= ETSY.settles_after_s) < 2 * ETSY.settles_after_s


def test_a_create_in_doubt_has_an_end_before_its_attempts_are_used_up(tmp_path: Path) -> None:
    delays_s = build(Settings(listings_dir=tmp_path)).retry.delays_s

    assert sum(delays_s) >= ETSY.create_takes_s + ETSY.settles_after_s  # its process died in the call
    for attempt in range(1, len(delays_s) + 1):  # the attempt whose create it was
        assert sum(delays_s[attempt - 1 :]) >= ETSY.settles_after_s


def test_building_it_touches_no_disk(tmp_path: Path) -> None:
    build(Settings(listings_dir=tmp_path / "listings"))

    assert not list(tmp_path.iterdir())


def test_etsy_without_its_keys_is_built_for_those_who_only_look_and_runs_for_nobody() -> None:
    settings = Settings(publisher_target="etsy", etsy_keystring="k")
    words = "PUBLISHER_TARGET is 'etsy', and ETSY_SHARED_SECRET must be set"

    assert set(build(settings).handlers) == {MockupsRendered, WorkCancelled}
    with pytest.raises(UnknownTarget, match=words):
        target_of(settings, ledger_of(settings))
    with pytest.raises(Unavailable, match=words):
        next(iter(build(settings).handlers[MockupsRendered].call(rendered()) or ()))


def test_how_long_a_create_may_take_follows_the_timeout_of_a_call() -> None:
    def target(**settings: float) -> EtsyTarget:
        keys = {"etsy_keystring": "k", "etsy_shared_secret": "s", "etsy_token_key": TOKEN_KEY}
        chosen = Settings.model_validate({"publisher_target": "etsy", **keys, **settings})
        found = target_of(chosen, ledger_of(chosen))
        assert isinstance(found, EtsyTarget)
        return found

    assert target().create_takes_s == ETSY.create_takes_s
    assert target(etsy_timeout_seconds=7).create_takes_s == SENT_WITHIN_S + 7


def test_etsy_with_its_keys_is_built_without_a_call() -> None:
    settings = Settings(publisher_target="etsy", etsy_keystring="k", etsy_shared_secret="s", etsy_token_key=TOKEN_KEY)

    assert target_of(settings, ledger_of(settings)).check() == ()
    with pytest.raises(UnknownTarget, match="ETSY_TOKEN_KEY must be 32 random bytes"):
        target_of(settings.model_copy(update={"etsy_token_key": SecretStr("short")}), ledger_of(settings))
