"""The publisher's wiring."""

from pathlib import Path

import pytest

from services.publisher.service import UnknownTarget, build
from services.publisher.settings import Settings
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered, WorkCancelled


def test_an_unknown_target_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownTarget, match="PUBLISHER_TARGET is 'amazon'; the targets are: dry-run"):
        build(Settings(publisher_target="amazon"))


def test_it_listens_to_rendered_mockups_and_answers_with_a_listing_or_a_reason(tmp_path: Path) -> None:
    service = build(Settings(listings_dir=tmp_path / "listings"))

    assert set(service.handlers) == {MockupsRendered, WorkCancelled}
    assert service.handlers[MockupsRendered].emits == (ListingPublished, ListingFailed)


def test_building_it_touches_no_disk(tmp_path: Path) -> None:
    build(Settings(listings_dir=tmp_path / "listings"))

    assert not list(tmp_path.iterdir())
