"""Several dedup processes are as right as one, and quick because of the band indexes."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, event, text

from services.dedup.candidates.hash_search import Question, candidates
from services.dedup.handlers import on_image_hashed
from services.dedup.service import build
from services.dedup.settings import Settings
from services.dedup.store import HashIndex
from shared.contracts import DesignActivityChanged, DuplicateFound, ImageAccepted, ImageHashed
from shared.database import engine_of, transaction
from tests.integration.dedup.fates import deleted, handled
from tests.unit.dedup.pictures import ALGORITHM, flipped, hashed, random_hash


def judge(url: str, pictures: list[ImageHashed]) -> list[ImageAccepted | DuplicateFound]:
    """A dedup of its own, with a connection of its own."""
    engine = engine_of(url)
    try:
        index = HashIndex(engine, 5)
        return [answer for picture in pictures for answer in handled(on_image_hashed(picture, index))]
    finally:
        engine.dispose()


def twins(count: int) -> list[ImageHashed]:
    """Pictures of one session, each at most four bits from every other, and the one that is sent last comes first."""
    tenant, session, look = uuid4(), uuid4(), random_hash()
    return [
        hashed(tenant=tenant, session=session, index=n, phash=flipped(look, n, 128 + n), filename=f"{n}.png")
        for n in reversed(range(count))
    ]


Answers = list[ImageAccepted | DuplicateFound]


def standing(answers: Answers) -> dict[UUID, ImageAccepted | DuplicateFound]:
    """By item: what was told of its newest generation."""
    return {answer.item_id: answer for answer in sorted(answers, key=lambda answer: answer.generation)}


def assert_the_first_sent_is_the_original(answers: Answers, pictures: list[ImageHashed]) -> None:
    verdicts = standing(answers)
    assert verdicts.keys() == {picture.item_id for picture in pictures}
    (original,) = [verdict for verdict in verdicts.values() if isinstance(verdict, ImageAccepted)]
    assert (original.index, original.generation) == (0, 0)
    rest = [verdict for verdict in verdicts.values() if isinstance(verdict, DuplicateFound)]
    assert {verdict.match.item_id for verdict in rest} == {original.item_id}


def test_of_twins_that_race_between_threads_the_one_that_was_sent_first_is_accepted(shared_url: str) -> None:
    for _ in range(5):
        pictures = twins(12)
        with ThreadPoolExecutor(6) as threads:
            answers = [a for found in threads.map(lambda p: judge(shared_url, [p]), pictures) for a in found]
        assert_the_first_sent_is_the_original(answers, pictures)


def test_of_twins_that_race_between_processes_the_one_that_was_sent_first_is_accepted(shared_url: str) -> None:
    pictures = twins(40)
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as processes:
        running = [processes.submit(judge, shared_url, pictures[n::2]) for n in range(2)]
        running.append(processes.submit(judge, shared_url, pictures))  # everything a second time
        one, other, repeats = (future.result(100) for future in running)
    assert_the_first_sent_is_the_original(one + other + repeats, pictures)
    told = {(answer.item_id, answer.generation): answer for answer in one + other}
    assert all(told.get((answer.item_id, answer.generation), answer) == answer for answer in repeats)


def plan_of(connection: Connection, picture: ImageHashed, max_distance: int) -> str:
    """How PostgreSQL answers the very query that a decision asks."""
    asked: list[tuple[str, object]] = []

    def remember(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", remember)
    candidates(connection, picture.tenant_id, [Question(picture, max_distance)])
    event.remove(connection, "before_cursor_execute", remember)
    statement, parameters = asked[-1]
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))  # type: ignore[arg-type]


FILL = text(
    """
    INSERT INTO dedup.hashes (tenant_id, item_id, source, state, algorithm, phash, dhash, upload_sha256, print_sha256)
    SELECT :tenant, gen_random_uuid(), 'session', 'known', :algorithm,
           ('x' || encode(sha256(n::text::bytea), 'hex'))::bit(256),
           ('x' || encode(sha256(('d' || n)::bytea), 'hex'))::bit(256),
           encode(sha256(('u' || n)::bytea), 'hex'), encode(sha256(('p' || n)::bytea), 'hex')
    FROM generate_series(1, 100000) AS n
    """
)


def test_among_a_hundred_thousand_pictures_the_bands_are_looked_up_and_nothing_is_scanned(engine: Engine) -> None:
    tenant = uuid4()
    with transaction(engine) as connection:
        connection.execute(FILL, {"tenant": tenant, "algorithm": ALGORITHM})
    picture = hashed(tenant=tenant)
    with transaction(engine) as connection:
        before_statistics = plan_of(connection, picture, 5)
        connection.execute(text("ANALYZE dedup.hashes"))
        plan = plan_of(connection, picture, 5)
        beyond_bands = plan_of(connection, picture, 6)
    for found in (plan, before_statistics):
        assert "Seq Scan" not in found
        assert "hashes_path" not in found, "it reads all that the tenant has"
        assert all(f"hashes_{source}_{n}" in found for source in ("phash", "dhash") for n in range(6))
        assert "hashes_upload" in found
        assert "hashes_print" in found
    assert "hashes_phash_0" not in beyond_bands
    known = candidates_of(engine, tenant)
    near = hashed(tenant=tenant, phash=flipped(known, 1, 50, 100, 150, 200))
    (answer,) = handled(on_image_hashed(near, HashIndex(engine, 5)))
    assert isinstance(answer, DuplicateFound)
    assert answer.distance == 5


def candidates_of(engine: Engine, tenant: object) -> str:
    with transaction(engine) as connection:
        some = text("SELECT phash::text FROM dedup.hashes WHERE tenant_id = :tenant ORDER BY id OFFSET 70000 LIMIT 1")
        bits = connection.execute(some, {"tenant": tenant}).scalar_one()
    return f"{int(bits, 2):064x}"


def test_messages_of_one_tenant_that_wait_for_its_turn_leave_a_connection_to_another(
    shared_url: str, engine: Engine, tmp_path: Path
) -> None:
    service = build(Settings(database_url=shared_url, blob_dir=tmp_path))
    heard = service.handlers[DesignActivityChanged].call
    slow, other = hashed(tenant=uuid4()), hashed(tenant=uuid4())
    with ThreadPoolExecutor(service.prefetch) as threads, HashIndex(engine, 5)._alone(slow.tenant_id):
        waiting = [threads.submit(heard, deleted(slow)) for _ in range(service.prefetch - 1)]
        threads.submit(heard, deleted(other)).result(10)
        assert not any(each.done() for each in waiting), "its turn is still another's"
    for each in waiting:
        each.result(10)
