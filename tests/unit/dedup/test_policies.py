"""What an upload's policy, and what people said before, make of the same picture."""

from typing import Any
from uuid import uuid4

import pytest

from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import decide
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.unit.dedup.pictures import ALGORITHM, blob, flipped, hashed, random_hash

LOOK = random_hash()


def picture(**changes: Any) -> ImageHashed:
    return hashed(tenant=uuid4(), phash=LOOK).model_copy(update=changes)


def known(**facts: Any) -> Known:
    found = {"source": "session", "algorithm": ALGORITHM, "phash": flipped(LOOK, 3), "dhash": random_hash()}
    found |= {"item_id": uuid4(), "upload_sha256": blob("old").sha256, "filename": "old.png", "canonical": blob("seen")}
    return Known(**(found | facts))


def same_file(event: ImageHashed) -> Known:
    return known(upload_sha256=event.upload.sha256)


@pytest.mark.parametrize(
    ("policy", "near", "same"),
    [
        ("skip_exact", "accepted", "skipped"),
        ("skip_near", "skipped", "skipped"),
        ("review", "asked", "skipped"),
        ("keep_all", "accepted", "accepted"),
    ],
)
def test_a_policy_says_what_becomes_of_near_copies_and_of_the_same_file(policy: str, near: str, same: str) -> None:
    def fate(event: ImageHashed, other: Known) -> str:
        verdict = decide(event, [other], 5)
        if isinstance(verdict, DuplicateFound):
            return "asked" if verdict.review else "skipped"
        assert verdict.resembles is not None
        assert verdict.resembles.verdict in ("same_hash", "identical_bytes")
        return "accepted"

    event = picture(duplicates=policy)
    assert (fate(event, known()), fate(event, same_file(event))) == (near, same)


def test_who_is_asked_gets_both_pictures_and_what_they_hold() -> None:
    event, other = picture(duplicates="review"), known()
    verdict = decide(event, [other], 5)
    assert isinstance(verdict, DuplicateFound)
    assert (verdict.canonical, verdict.match.canonical) == (event.canonical, other.canonical)
    assert verdict.match.content == other.upload_sha256


@pytest.mark.parametrize("policy", ["skip_near", "review"])
def test_a_pair_that_is_kept_bars_nothing_and_asks_nobody(policy: str) -> None:
    verdict = decide(picture(duplicates=policy), [known()], 5, None, {blob("old").sha256: "keep"})
    assert isinstance(verdict, ImageAccepted)
    assert verdict.resembles is not None
    assert verdict.resembles.filename == "old.png"


def test_another_copy_beside_a_kept_pair_is_still_asked_about() -> None:
    third = known(upload_sha256=blob("third").sha256, filename="third.png")
    verdict = decide(picture(duplicates="review"), [known(), third], 5, None, {blob("old").sha256: "keep"})
    assert isinstance(verdict, DuplicateFound)
    assert (verdict.review, verdict.match.filename) == (True, "third.png")


def test_a_pair_that_was_skipped_is_skipped_without_asking_again() -> None:
    verdict = decide(picture(duplicates="review"), [known()], 5, None, {blob("old").sha256: "skip"})
    assert isinstance(verdict, DuplicateFound)
    assert not verdict.review
    assert verdict.reason.endswith("; it was looked at before, and skipped")


def test_a_file_to_be_kept_passes_near_copies_and_never_the_same_file() -> None:
    event = picture(kept=True)
    assert isinstance(decide(event, [known()], 5), ImageAccepted)
    verdict = decide(event, [known(), same_file(event)], 5)
    assert isinstance(verdict, DuplicateFound)
    assert verdict.kind == "identical"


def test_a_near_copy_is_told_rather_than_a_nearer_variant() -> None:
    variant, copy = known(phash=LOOK, filename="2025.png"), known(filename="copy.png")
    event = picture(duplicates="skip_exact")
    verdict = decide(event, [variant, copy], 5, lambda o: "text_variant" if o is variant else "near_copy")
    assert isinstance(verdict, ImageAccepted)
    assert verdict.resembles is not None
    assert (verdict.resembles.filename, verdict.resembles.verdict) == ("copy.png", "near_copy")
