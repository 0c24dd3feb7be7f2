"""One verdict per picture, whatever is delivered how often, on a real PostgreSQL."""

import random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select

from services.dedup.handlers import on_design_stored, on_image_hashed
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import decide
from services.dedup.store import HashIndex
from services.dedup.tables import BAND_WIDTHS, hashes
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from tests.integration.dedup.fates import handled, stored
from tests.unit.dedup.pictures import ALGORITHM, bands, blob, flipped, hashed, random_hash


def verdict(event: ImageHashed, index: HashIndex) -> ImageAccepted | DuplicateFound:
    (answer,) = handled(on_image_hashed(event, index))
    return answer


def duplicate(event: ImageHashed, index: HashIndex) -> DuplicateFound:
    answer = verdict(event, index)
    assert isinstance(answer, DuplicateFound), answer
    return answer


def accepted(event: ImageHashed, index: HashIndex) -> ImageAccepted:
    answer = verdict(event, index)
    assert isinstance(answer, ImageAccepted), answer
    return answer


def test_a_near_twin_is_a_duplicate_of_the_one_that_came_first(index: HashIndex) -> None:
    tenant, session = uuid4(), uuid4()
    rose = hashed(tenant=tenant, session=session)
    twin = hashed(tenant=tenant, session=session, index=1, phash=flipped(rose.phash, 3, 200), filename="twin.png")
    accepted(rose, index)
    answer = duplicate(twin, index)
    assert (answer.kind, answer.distance, answer.match.item_id) == ("near", 2, rose.item_id)
    assert (answer.item_id, answer.index, answer.filename) == (twin.item_id, 1, "twin.png")


def test_a_crash_before_publishing_does_not_make_an_original_the_duplicate_of_its_twin(index: HashIndex) -> None:
    tenant = uuid4()
    one = hashed(tenant=tenant)
    twin = hashed(tenant=tenant, phash=one.phash)
    first = accepted(one, index)  # committed; the process dies before the answer is published
    duplicate(twin, index)
    assert verdict(one, index) == first


def test_a_repeat_gives_the_first_answer_even_when_the_match_has_changed_since(index: HashIndex) -> None:
    tenant = uuid4()
    one = hashed(tenant=tenant)
    twin = hashed(tenant=tenant, phash=one.phash)
    accepted(one, index)
    first = duplicate(twin, index)
    on_design_stored(stored(one), index)
    assert verdict(twin, index) == first


def test_an_overtaken_message_gets_the_later_generations_verdict(index: HashIndex) -> None:
    one = hashed(tenant=uuid4(), generation=1)
    later = accepted(one, index)
    assert verdict(one.model_copy(update={"generation": 0}), index) == later


def test_a_picture_tried_anew_is_no_duplicate_of_its_own_earlier_generation(index: HashIndex) -> None:
    one = hashed(tenant=uuid4())
    accepted(one, index)
    again = accepted(one.model_copy(update={"generation": 1}), index)
    assert again.generation == 1


def test_tenants_never_match_each_other(index: HashIndex) -> None:
    one = hashed(tenant=uuid4(), upload="same", print_file="same print")
    accepted(one, index)
    accepted(one.model_copy(update={"tenant_id": uuid4(), "item_id": uuid4()}), index)


def test_identical_uploads_are_duplicates_even_when_their_hashes_were_made_differently(index: HashIndex) -> None:
    tenant = uuid4()
    accepted(hashed(tenant=tenant, upload="the bytes"), index)
    assert duplicate(hashed(tenant=tenant, upload="the bytes", algorithm="next"), index).kind == "identical"
    accepted(hashed(tenant=tenant, upload="other bytes", algorithm="next"), index)


def test_a_stored_design_is_named_by_later_duplicates(index: HashIndex) -> None:
    tenant = uuid4()
    rose = hashed(tenant=tenant, filename="rose.png")
    accepted(rose, index)
    for _ in range(2):
        on_design_stored(stored(rose, 107), index)
    answer = duplicate(hashed(tenant=tenant, phash=flipped(rose.phash, 1, 2)), index)
    assert answer.match.source == "database"
    assert answer.match.path == "NorthCups/UVDTF 16oz/UV 107 UVDTF_16oz_107.png"
    assert answer.reason == (
        "the same picture as rose.png (UV 107 UVDTF_16oz_107.png) from an earlier upload: 2 of 256 bits differ"
    )


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_large_original_hears_that_what_bars_it_has_fewer_pixels(index: HashIndex, *, is_stored: bool) -> None:
    tenant = uuid4()
    small = hashed(tenant=tenant).model_copy(update={"artwork": (600, 500)})
    large = hashed(tenant=tenant, phash=small.phash).model_copy(update={"artwork": (3600, 3000)})
    accepted(small, index)
    if is_stored:
        on_design_stored(stored(small), index)
    reason = duplicate(large, index).reason
    assert "; it has more pixels (3600 x 3000) than the one kept (600 x 500): " in reason


def test_uploads_in_work_and_files_of_the_nas_are_compared(index: HashIndex) -> None:
    tenant = uuid4()
    session, nas = random_hash(), random_hash()
    accepted(hashed(tenant=tenant, phash=session), index)
    picture = Known(source="nas", algorithm=ALGORITHM, phash=nas, dhash=random_hash(), path="Shop/nas.png")
    for _ in range(2):  # learning is repeatable
        index.learn(tenant, picture)
    found = [duplicate(hashed(tenant=tenant, phash=flipped(h, 9)), index).match for h in (session, nas)]
    assert [(match.source, match.path) for match in found] == [("session", None), ("nas", "Shop/nas.png")]


def test_what_lies_at_a_path_now_replaces_what_lay_there(index: HashIndex) -> None:
    tenant = uuid4()
    before, after = random_hash(), random_hash()
    for phash in (before, after):
        index.learn(tenant, Known("nas", ALGORITHM, phash, None, path="Shop/a.png"))
    accepted(hashed(tenant=tenant, phash=before), index)
    duplicate(hashed(tenant=tenant, phash=after), index)


@pytest.mark.parametrize("scan_first", [True, False])
def test_a_scan_of_the_nas_does_not_make_a_design_its_own_duplicate(index: HashIndex, *, scan_first: bool) -> None:
    rose = hashed(tenant=uuid4())
    accepted(rose, index)
    on_nas = Known(
        "nas", ALGORITHM, rose.phash, rose.dhash, print_sha256=rose.print_file.sha256, path=stored(rose).path
    )
    if scan_first:
        index.learn(rose.tenant_id, on_nas)
    on_design_stored(stored(rose), index)
    if not scan_first:
        index.learn(rose.tenant_id, on_nas)
    accepted(rose.model_copy(update={"generation": 1}), index)


def test_the_database_cuts_the_bands_as_the_rule_does(engine: Engine, index: HashIndex) -> None:
    one = hashed(tenant=uuid4(), phash="f" * 64)
    accepted(one, index)
    with engine.connect() as connection:
        row = connection.execute(select(hashes).where(hashes.c.item_id == one.item_id)).one()._mapping
    for source, hash256 in (("phash", one.phash), ("dhash", one.dhash)):
        for number, band in enumerate(bands(hash256)):
            width = BAND_WIDTHS[number]
            key = row[f"{source}_key_{number}"] % 2**64
            assert key == (one.tenant_id.int >> (64 + width)) << width | band
    assert row["canonical_sha256"] == one.canonical.sha256


def test_tenants_whose_ids_begin_alike_do_not_meet(index: HashIndex) -> None:
    one = hashed(tenant=uuid4())
    twin = UUID(int=one.tenant_id.int ^ 1)  # what they are looked up by is the same to the last bit
    accepted(one, index)
    accepted(one.model_copy(update={"tenant_id": twin, "item_id": uuid4()}), index)
    assert duplicate(one.model_copy(update={"item_id": uuid4()}), index).match.item_id == one.item_id


@pytest.mark.parametrize("max_distance", [0, 2, 5, 6, 11])
def test_the_index_finds_exactly_what_comparing_all_pairs_finds(engine: Engine, max_distance: int) -> None:
    dice, tenant = random.Random(max_distance), uuid4()
    index = HashIndex(engine, max_distance)
    centres = [random_hash() for _ in range(4)]
    seen: list[Known] = []
    for _ in range(60):
        centre = dice.choice(centres)
        near = flipped(centre, *dice.sample(range(256), dice.randrange(max_distance + 3)))
        which = dice.choice(["phash", "dhash"])
        event = hashed(tenant=tenant, **{which: near})  # type: ignore[arg-type]
        answer = verdict(event, index)
        assert answer == decide(event, seen, max_distance)
        if isinstance(answer, ImageAccepted):
            seen.append(
                Known("session", ALGORITHM, event.phash, event.dhash, event.item_id, event.session_id, stored=False,
                      filename=event.filename, upload_sha256=event.upload.sha256, canonical=event.canonical)
            )  # fmt: skip
    assert 4 < len(seen) < 60


def test_the_same_bytes_are_found_beyond_the_bands_too(engine: Engine) -> None:
    tenant = uuid4()
    index = HashIndex(engine, 8)
    accepted(hashed(tenant=tenant, print_file="print"), index)
    assert duplicate(hashed(tenant=tenant, print_file="print"), index).match.item_id is not None
    index.learn(tenant, Known("nas", ALGORITHM, None, None, print_sha256=blob("x").sha256, path="Shop/x.png"))
    duplicate(hashed(tenant=tenant, print_file="x"), index)
