"""How files are shared out among the hashers."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sessions.outgoing.batching import MAX_BATCH_BYTES, MAX_BATCH_FILES, batches
from shared.contracts import Blob, UploadedFile

MB = 1024 * 1024


def files(*sizes: int) -> list[UploadedFile]:
    return [
        UploadedFile(item_id=uuid4(), index=index, filename=f"{index}.png", upload=Blob(sha256="0" * 64, size=size))
        for index, size in enumerate(sizes)
    ]


def test_forty_small_files_give_work_to_all_eight_hashers() -> None:
    assert [len(batch) for batch in batches(files(*[MB] * 40), 8)] == [5] * 8


def test_fewer_files_than_hashers_are_a_batch_each() -> None:
    assert [len(batch) for batch in batches(files(MB, MB, MB), 8)] == [1, 1, 1]


def test_no_files_are_no_batches() -> None:
    assert list(batches([], 8)) == []


def test_one_file_larger_than_a_batch_is_a_batch_of_its_own() -> None:
    shares = list(batches(files(MB, 3 * MAX_BATCH_BYTES, MB), 1))
    assert [[file.index for file in share] for share in shares] == [[0], [1], [2]]


def test_neighbours_are_worked_on_at_the_same_time() -> None:
    first_of_each = [batch[0].index for batch in batches(files(*[MB] * 400), 8)]
    assert first_of_each == [wave + lane for wave in range(0, 400, 40) for lane in range(8)]


@given(st.lists(st.integers(0, 2 * MAX_BATCH_BYTES), max_size=300), st.integers(1, 12))
def test_every_file_is_in_exactly_one_batch_and_no_batch_is_too_large(sizes: list[int], hashers: int) -> None:
    sent = files(*sizes)
    shares = list(batches(sent, hashers))
    assert sorted(file.index for share in shares for file in share) == list(range(len(sent)))
    for share in shares:
        assert len(share) <= MAX_BATCH_FILES
        assert len(share) == 1 or sum(file.upload.size for file in share) <= MAX_BATCH_BYTES
    assert len(shares) >= min(hashers, len(sent))
