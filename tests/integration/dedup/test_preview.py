"""What another distance would change is told before it is set, and an upload's own distance then decides."""

from pathlib import Path
from uuid import UUID, uuid4

from services.dedup.handlers import on_image_hashed, on_pair_judged
from services.dedup.preview import Preview
from services.dedup.store import HashIndex
from shared.blobs import Blobs
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, PairJudged
from tests.integration.dedup.fates import handled
from tests.unit.dedup.pictures import flipped, hashed, random_hash

LOOK = random_hash()


def known(index: HashIndex, tenant: UUID) -> list[ImageHashed]:
    """A picture, one 7 bits from it, one 12 bits from both, and a stranger."""
    looks = [LOOK, flipped(LOOK, *range(7)), flipped(LOOK, *range(20, 32)), random_hash()]
    events = [hashed(tenant=tenant, phash=look, filename=f"{n}.png") for n, look in enumerate(looks)]
    for event in events:
        (answer,) = handled(on_image_hashed(event, index))
        assert isinstance(answer, ImageAccepted)
    return events


def test_the_pairs_that_another_distance_would_add_are_named(index: HashIndex, tmp_path: Path) -> None:
    tenant = uuid4()
    known(index, tenant)
    foreseen = Preview(index.engine, 5, Blobs(tmp_path))
    assert foreseen(tenant, None, 6)["pairs"] == []
    found = foreseen(tenant, None, 8)
    assert (found["distance_now"], found["more"], found["pictures"]) == (5, 1, 4)
    (pair,) = found["pairs"]
    assert (pair["distance"], pair["verdict"]) == (7, "same_hash")
    assert (pair["one"]["filename"], pair["other"]["filename"]) == ("1.png", "0.png")
    assert foreseen(tenant, 8, 5)["fewer"] == 1
    assert foreseen(tenant, 8, 12)["more"] == 1
    assert foreseen(uuid4(), None, 32)["pictures"] == 0


def test_an_accounts_own_distance_decides(index: HashIndex) -> None:
    tenant = uuid4()
    known(index, tenant)
    twin = hashed(tenant=tenant, phash=flipped(LOOK, *range(100, 108)))
    (answer,) = handled(on_image_hashed(twin.model_copy(update={"duplicate_distance": 8}), index))
    assert isinstance(answer, DuplicateFound)
    other = hashed(tenant=tenant, phash=flipped(LOOK, *range(100, 108)))
    (answer,) = handled(on_image_hashed(other, index))
    assert isinstance(answer, ImageAccepted)


def test_what_is_kept_beside_another_is_no_match_at_any_distance(index: HashIndex, tmp_path: Path) -> None:
    tenant = uuid4()
    first = hashed(tenant=tenant, phash=LOOK)
    second = hashed(tenant=tenant, phash=flipped(LOOK, *range(3)))
    handled(on_image_hashed(first, index))
    handled(on_image_hashed(second, index))
    on_pair_judged(PairJudged(tenant_id=tenant, item_id=second.item_id, generation=0, decision="keep"), index)
    handled(on_image_hashed(second.model_copy(update={"generation": 1, "kept": True}), index))
    assert Preview(index.engine, 0, Blobs(tmp_path))(tenant, None, 8)["pairs"] == []
