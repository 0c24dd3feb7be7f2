"""Several storage processes at once, on one session and on several that share a sequence."""

import multiprocessing
import random
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from services.storage.store import Designs
from shared.contracts import DesignStored
from shared.database import engine_of
from shared.errors import Retryable
from tests.integration.storage.workshop import Answers, Upload, Verdict, Workshop, lies, numbers, uv


def process(url: str, root: Path, events: list[Verdict]) -> Answers:
    """A storage of its own, with connections of its own."""
    engine = engine_of(url)
    workshop = Workshop(engine, root)
    try:
        return [answer for event in events for answer in heard(workshop, event)]
    finally:
        engine.dispose()


def heard(workshop: Workshop, event: Verdict) -> Answers:
    """As the bus delivers it, again where that is asked for: the other process may rename what was just written."""
    again = Retrying(retry=retry_if_exception_type(Retryable), stop=stop_after_attempt(3), reraise=True)
    return again(workshop.hear, event)


def session(workshop: Workshop, upload: Upload, count: int) -> list[Verdict]:
    """Every third file has no design."""
    others = (upload.duplicate, upload.rejected, upload.failed)
    return [
        others[index % 9 // 3](index) if index % 3 == 2 else workshop.accepted(upload, index) for index in range(count)
    ]


@pytest.mark.parametrize("seed", range(2))
def test_threads_that_share_a_session_number_it_in_order_of_upload(
    workshop: Workshop, database_url: str, tmp_path: Path, seed: int
) -> None:
    upload = Upload()
    events = session(workshop, upload, 18)
    dice = random.Random(seed)
    delivered = events + dice.sample(events, 9)  # some of them twice, at the same time
    dice.shuffle(delivered)
    with ThreadPoolExecutor(4) as threads:
        answers = [a for found in threads.map(lambda e: process(database_url, tmp_path, [e]), delivered) for a in found]
    designs = [index for index in range(18) if index % 3 != 2]
    assert numbers(answers) == {index: 100 + place for place, index in enumerate(designs)}
    assert workshop.files() == uv(*range(100, 112))
    assert workshop.hidden() == []


def test_processes_that_share_sessions_and_a_sequence_give_no_number_twice(
    workshop: Workshop, database_url: str, tmp_path: Path
) -> None:
    dice = random.Random(7)
    uploads = [Upload(), Upload(starting_number=90), Upload(template="uvdtf 16OZ")]
    events = {upload.session: session(workshop, upload, 12) for upload in uploads}
    delivered = [event for of_session in events.values() for event in of_session]
    shares = [dice.sample(delivered, len(delivered)) for _ in range(2)]  # each process gets all of them
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        running = [processes.submit(process, database_url, tmp_path, share) for share in shares]
        answers = [answer for future in running for answer in future.result(100)]
    stored = {answer.item_id: answer for answer in answers if isinstance(answer, DesignStored)}
    assert len(stored) == 24
    assert all(lies(workshop, answer) for answer in stored.values())
    assert sorted(answer.number for answer in stored.values()) == list(range(min_of(stored), min_of(stored) + 24))
    for upload in uploads:
        own = [stored[upload.item(index)].number for index in range(12) if index % 3 != 2]
        assert own == sorted(own)


def test_what_several_processes_accept_in_the_same_moment_fails_none_of_them(
    workshop: Workshop, database_url: str
) -> None:
    """Each finds nothing and inserts: it is the second unique index, of places, that then meets the other's row."""
    engines = [engine_of(database_url, pool_size=1) for _ in range(4)]
    events = [workshop.accepted(Upload(), 0, print_file=b"a print") for _ in range(200)]
    together = threading.Barrier(len(engines))

    def accept(designs: Designs) -> list[bool]:
        return [together.wait(10) >= 0 and designs.accept(event) for event in events]

    with ThreadPoolExecutor(len(engines)) as threads:
        accepted = list(threads.map(accept, map(Designs, engines)))
    for engine in engines:
        engine.dispose()
    assert accepted == [[True] * len(events)] * len(engines)


def min_of(stored: dict[UUID, DesignStored]) -> int:
    """90 or 100, by whichever session was first."""
    first = min(answer.number for answer in stored.values())
    assert first in (90, 100)
    return first
