"""Many may ask how the NAS is, and one thread at a time finds out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.ingest.nas_trouble import NasTrouble
from shared.nas import PathNas
from shared.nas.errors import NasUnavailable

PATIENCE_S = 30


class SlowNas(PathNas):
    """Away, and slow to say so."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked = 0
        self.reached, self.may_answer = threading.Event(), threading.Event()

    def check(self, *, thorough: bool = False) -> str:  # noqa: ARG002 - as `Nas` has it
        self.asked += 1
        self.reached.set()
        assert self.may_answer.wait(PATIENCE_S), "nobody let it answer"
        raise NasUnavailable("the NAS does not answer")


def test_one_asks_and_the_others_hear_what_was_said_last(tmp_path: Path) -> None:
    nas = SlowNas(tmp_path)
    trouble = NasTrouble(nas, every_s=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(trouble)
        assert nas.reached.wait(PATIENCE_S)
        assert [trouble() for _ in range(20)] == [None] * 20
        nas.may_answer.set()
        assert first.result(PATIENCE_S) == "the NAS does not answer"
    assert nas.asked == 1
    assert trouble() == "the NAS does not answer"


def test_the_nas_is_not_asked_again_at_once_and_its_return_is_noticed(tmp_path: Path) -> None:
    nas = PathNas(tmp_path)
    seldom, often = NasTrouble(nas, every_s=PATIENCE_S), NasTrouble(nas, every_s=0)
    words = seldom()
    assert words is not None
    assert "is not the NAS" in words
    nas.initialise()
    assert seldom() == words
    assert often() is None
