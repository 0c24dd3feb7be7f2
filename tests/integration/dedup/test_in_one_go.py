"""Pictures that are decided in one transaction get the verdicts that they would have got one after the other."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import Connection, Engine, event, text

from services.dedup.candidates.keys import NO_KEYS
from services.dedup.deciding import cases
from services.dedup.deciding.cases import AT_ONCE, Asked, in_parts
from services.dedup.deciding.judge import Judge
from services.dedup.deciding.second_look import Gallery
from services.dedup.records.claims import lock
from services.dedup.rule.known_picture import Known
from services.dedup.rule.matching import decide
from services.dedup.store import HashIndex
from services.hasher import png
from shared.blobs import Blobs
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed
from shared.database import transaction
from shared.errors import Busy, Unavailable
from tests.accuracy.designs import inverted
from tests.integration.dedup.fates import deleted, stored
from tests.unit.dedup import art
from tests.unit.dedup.pictures import flipped, hashed, random_hash

Verdict = ImageAccepted | DuplicateFound


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return Blobs(Path(tmp_path_factory.mktemp("blobs")))


def alike(blobs: Blobs) -> list[ImageHashed]:
    """Of one session: copies and variants for the eye, and what only hashes or bytes tell."""
    drawn = (
        *(art.design(), art.cropped(art.design(), 0.02), art.design("CLASS OF 2025"), inverted(art.design())),
        *(art.design().transpose(Image.Transpose.FLIP_LEFT_RIGHT), art.design(heart=art.BLUE), art.star(30, 7)),
    )
    seen = []
    for image in drawn:
        found, made = art.hashed(image), hashed(tenant=uuid4())
        facts = {"phash": found.phash, "dhash": found.dhash, "algorithm": found.algorithm}
        seen.append(made.model_copy(update=facts | {"canonical": blobs.put(png.encode(found.canonical))}))
    look, other = random_hash(), random_hash()
    near = [hashed(tenant=uuid4(), phash=flipped(look, *range(bits))) for bits in (0, 3, 5, 11)]
    elsewhere = hashed(tenant=uuid4(), phash=other, algorithm="another")
    same = [elsewhere.model_copy(update={"algorithm": seen[0].algorithm}), elsewhere]
    bytes_again = [hashed(tenant=uuid4()).model_copy(update={"upload": each.upload}) for each in (seen[0], near[3])]
    wanted = hashed(tenant=uuid4(), phash=flipped(look, 1)).model_copy(update={"duplicates": "keep_all"})
    wide = hashed(tenant=uuid4(), phash=flipped(look, *range(20, 30))).model_copy(update={"duplicate_distance": 16})
    return [*seen, *near, *same, *bytes_again, wanted, wide]


def sent(events: Sequence[ImageHashed], tenant: UUID, order: Sequence[int]) -> list[ImageHashed]:
    """The same pictures in this order by another seller, named by what they are."""
    about = {"tenant_id": tenant, "session_id": tenant}
    return [
        events[n].model_copy(update=about | {"item_id": uuid4(), "index": index, "filename": f"{n}.png"})
        for index, n in enumerate(order)
    ]


def told(verdict: Verdict) -> tuple[object, ...]:
    """What a seller reads of it."""
    like = verdict.resembles if isinstance(verdict, ImageAccepted) else verdict.match
    said = verdict.reason if isinstance(verdict, DuplicateFound) else None
    return type(verdict), verdict.filename, said, (like.verdict, like.filename) if like else None


def test_they_find_each_other_as_if_each_came_alone(engine: Engine, blobs: Blobs) -> None:
    events, copies, parts = alike(blobs), 0, 0
    for seed in range(2):
        order = random.Random(seed).sample(range(len(events)), len(events))
        one_by_one = HashIndex(engine, 5, blobs)
        expected = [one_by_one.decide_once(event)[0] for event in sent(events, uuid4(), order)]
        gallery = Gallery(blobs)
        judge, verdicts = Judge(5, gallery), []
        with transaction(engine) as connection:
            asked = [Asked(event, gallery.sight(event.canonical)) for event in sent(events, uuid4(), order)]
            for part in in_parts(asked):
                verdicts += list(judge.decide(connection, part).values())
                parts += 1
        assert [told(verdict) for verdict in verdicts] == [told(verdict) for verdict in expected]
        copies += sum(isinstance(verdict, DuplicateFound) for verdict in verdicts)
    assert copies > 2
    assert parts == 2 * -(-len(events) // AT_ONCE)


def test_threads_that_decide_together_get_one_original_and_repeats_of_its_verdict(engine: Engine) -> None:
    tenant, look, index = uuid4(), random_hash(), HashIndex(engine, 5)
    twins = [hashed(tenant=tenant, phash=flipped(look, n, 128 + n), filename=f"{n}.png") for n in range(20)]
    with ThreadPoolExecutor(16) as threads:
        verdicts = [verdict for (verdict,) in threads.map(index.decide_once, twins + twins)]
    (original,) = [verdict for verdict in verdicts[:20] if isinstance(verdict, ImageAccepted)]
    assert {v.match.item_id for v in verdicts if isinstance(v, DuplicateFound)} == {original.item_id}
    assert verdicts[20:] == verdicts[:20]


def test_a_known_picture_that_cannot_be_read_holds_up_only_what_is_like_it(engine: Engine, tmp_path: Path) -> None:
    blobs, tenant = Blobs(tmp_path), uuid4()
    index = HashIndex(engine, 5, blobs)
    first, copy, other = sent(alike(blobs), tenant, (0, 1, 6))
    index.decide_once(first)
    index.judge.gallery = Gallery(blobs)  # as in another process, which has it not in hand
    broken = blobs.path(first.canonical)
    there = broken.rename(tmp_path / "there")
    broken.mkdir()
    with ThreadPoolExecutor(2) as threads:
        copied, accepted = (threads.submit(index.decide_once, event) for event in (copy, other))
        with pytest.raises(Busy, match="can't be looked at"):
            copied.result()
        assert isinstance(accepted.result()[0], ImageAccepted)
    broken.rmdir()
    there.rename(broken)
    assert isinstance(index.decide_once(copy)[0], DuplicateFound)


@pytest.mark.parametrize("error", [Unavailable("the database went away"), Busy("can't be looked at"), ValueError()])
def test_keys_that_were_read_in_a_transaction_which_was_lost_are_read_anew(
    engine: Engine, blobs: Blobs, error: Exception
) -> None:
    """A database that crashed may give their ids to others, which would never be read."""
    (first, copy), index = sent(alike(blobs), uuid4(), (0, 1)), HashIndex(engine, 5, blobs)
    tenant = first.tenant_id

    def lost() -> None:
        with index._alone(tenant) as connection:
            index.judge.decide(connection, [Asked(first, index.judge.sight(first.canonical))])
            index.judge.finder.found(connection, tenant, [NO_KEYS])
            assert index.judge.finder.tenants[tenant].last
            raise error

    with pytest.raises(type(error)):
        lost()
    assert tenant not in index.judge.finder.tenants
    assert [type(index.decide_once(event)[0]) for event in (first, copy)] == [ImageAccepted, DuplicateFound]


def test_who_waited_in_vain_for_its_turn_leaves_the_memory_as_it_was(engine: Engine, blobs: Blobs) -> None:
    (first, copy), index = sent(alike(blobs), uuid4(), (0, 1)), HashIndex(engine, 5, blobs)
    index.decide_once(first)
    remembered = index.judge.finder.tenants[first.tenant_id]
    impatient = HashIndex(engine.execution_options(), 5, blobs)
    impatient.judge = index.judge

    @event.listens_for(impatient.engine, "begin")
    def hurry(connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = '50ms'"))

    with transaction(engine) as connection:
        lock(connection, first.tenant_id)
        with pytest.raises(Busy):
            impatient.decide_once(copy)
    assert index.judge.finder.tenants[first.tenant_id] is remembered


def test_pictures_that_take_long_together_lose_no_transaction_that_each_would_keep(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "QUIET_S", 0.1)
    look_closely = threading.Event()

    def slowly(event: ImageHashed, known: Sequence[Known], *how: Any) -> Verdict:
        look_closely.wait(0.4)
        return decide(event, known, *how)

    monkeypatch.setattr(cases, "decide", slowly)
    asked = [Asked(hashed(tenant=uuid4()), None) for _ in range(4)]
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1s'"))
        assert len(Judge(5, None).decide(connection, asked)) == len(asked)


def test_of_copies_in_hand_at_a_time_the_one_that_was_sent_first_is_stored(engine: Engine) -> None:
    tenant, session, index, look = uuid4(), uuid4(), HashIndex(engine, 5), random_hash()
    copies = [Asked(hashed(tenant=tenant, session=session, index=n, phash=look), None) for n in (2, 0, 1)]
    index._decide(copies)
    assert [isinstance(each.answers[0], ImageAccepted) for each in copies] == [False, True, False]


def test_a_part_holds_no_file_twice() -> None:
    first, second = hashed(tenant=uuid4()), hashed(tenant=uuid4())
    again = first.model_copy(update={"generation": 1})
    asked = [Asked(event, None) for event in (first, second, again, second)]
    assert [[each.event for each in part] for part in in_parts(asked)] == [[first, second], [again, second]]
    many = [Asked(hashed(tenant=uuid4()), None) for _ in range(AT_ONCE + 1)]
    assert [len(part) for part in in_parts(many)] == [AT_ONCE, 1]


def test_a_design_out_of_use_that_is_tried_anew_matches_nothing_that_comes_with_it(engine: Engine) -> None:
    index, design = HashIndex(engine, 5), hashed(tenant=uuid4())
    index.decide_once(design)
    index.activity_changed(deleted(design))
    anew = design.model_copy(update={"generation": 1})
    twin = hashed(tenant=design.tenant_id, phash=design.phash)
    with transaction(engine) as connection:
        verdicts = index.judge.decide(connection, [Asked(event, None) for event in (anew, twin)])
    assert [type(verdict) for verdict in verdicts.values()] == [ImageAccepted, ImageAccepted]


def test_what_is_stored_is_found_where_it_lies_by_a_twin_beside_which_it_is_tried_anew(engine: Engine) -> None:
    index, design = HashIndex(engine, 5), hashed(tenant=uuid4())
    index.decide_once(design)
    index.stored(stored(design))
    other = {"phash": random_hash(), "dhash": random_hash()}  # as a newer release makes them
    anew = design.model_copy(update=other | {"generation": 1})
    twin = hashed(tenant=design.tenant_id).model_copy(update=other)
    with transaction(engine) as connection:
        verdicts = index.judge.decide(connection, [Asked(event, None) for event in (anew, twin)])
    (_, duplicate) = verdicts.values()
    assert isinstance(duplicate, DuplicateFound)
    assert duplicate.match.path == stored(design).path
