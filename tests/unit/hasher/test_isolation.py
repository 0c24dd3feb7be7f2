"""What a function can do to its process, and how little of it reaches the caller."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.decoding.answers import ChildFailed
from services.decoding.isolation import Died, Isolated, TookTooLong
from services.hasher.rejection import OUT_OF_MEMORY, Rejected
from shared.errors import Unavailable
from tests.unit.hasher import deadly
from tests.waiting import until

ROOT = Path(__file__).parents[3]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own means")


def gone(pid: int) -> bool:
    """Whether a process has ended; as a zombie it has, though nobody has asked after it yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def test_calls_from_one_thread_share_a_child_that_is_not_this_process() -> None:
    call = deadly.isolated(deadly.own_pid)
    assert call() == call() != os.getpid()


def test_a_child_that_dies_once_costs_only_a_second_try(tmp_path: Path) -> None:
    call = deadly.isolated(deadly.killed_once)
    survivor = call(tmp_path / "marker")
    assert call(tmp_path / "marker") == survivor, "the new child is kept"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGBUS])
def test_a_child_that_dies_twice_is_told_by_its_signal(number: signal.Signals) -> None:
    with pytest.raises(Died) as death:
        deadly.isolated(deadly.killed)(number)
    assert death.value.how == f"signal {number.name}"


def test_a_real_segfault_is_survived_each_time() -> None:
    call = deadly.isolated(deadly.reads_nowhere)
    for _ in range(2):
        with pytest.raises(Died, match="signal SIGSEGV"):
            call()


def test_a_library_that_calls_exit_is_a_death_too() -> None:
    with pytest.raises(Died, match="status 3"):
        deadly.isolated(deadly.leaves)(3)


def test_a_call_that_hangs_is_ended_in_time_and_not_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    begun = tmp_path / "begun"
    with capture_logs() as said, pytest.raises(TookTooLong):
        deadly.isolated(deadly.hangs)(begun, seconds=0.3)
    assert gone(int(begun.read_text()))
    assert said == [], "nothing was tried twice"
    assert "deadly.py" in capfd.readouterr().err, "the log says where it hung"


@LINUX
def test_memory_beyond_the_limit_is_an_error_in_the_call() -> None:
    call = deadly.isolated(deadly.takes_all_memory, memory_bytes=200_000_000)
    with pytest.raises(ChildFailed, match="MemoryError"):
        call()


def test_what_the_service_raises_itself_comes_through_as_it_is() -> None:
    call = deadly.isolated(deadly.refuses)
    with pytest.raises(Rejected) as rejected:
        call("rejected")
    assert (rejected.value.code, rejected.value.reason) == ("damaged", "a damaged file")
    with pytest.raises(Unavailable, match="no disk"):
        call("unavailable")


def test_any_other_error_comes_through_in_words_with_the_childs_stack() -> None:
    with pytest.raises(ChildFailed, match="KeyError: 'bug'") as failed:
        deadly.isolated(deadly.refuses)("bug")
    assert "in refuses" in failed.value.__notes__[0]


def test_an_idle_child_that_was_killed_is_replaced_without_blame() -> None:
    call = deadly.isolated(deadly.own_pid)
    first = call()
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first), within_s=30)
    with capture_logs() as said:
        assert call() != first
    assert said == [], "nothing was tried twice"


@pytest.mark.parametrize(("code", "kept"), [("damaged", True), (OUT_OF_MEMORY, False)])
def test_a_child_that_had_too_little_memory_is_replaced(code: str, kept: bool) -> None:
    call = deadly.isolated(deadly.pid_or_refusal)
    first = call()
    with pytest.raises(Rejected):
        call(code)
    assert (call() == first) == kept


def test_a_child_that_can_not_start_is_an_outage_and_no_verdict(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unavailable, match=r"did not start \(status 1\)"):
        Isolated[[], None]("tests.unit.hasher.deadly:nothing_of_that_name", ())()
    assert "nothing_of_that_name" in capfd.readouterr().err


def test_nine_pictures_in_work_notice_nothing_of_a_tenth_that_kills_its_child(tmp_path: Path) -> None:
    work, killer = deadly.isolated(deadly.waits), deadly.isolated(deadly.killed)
    killer._room = work._room  # one `Isolated` calls one function; these two are as one
    with ThreadPoolExecutor(10) as threads:
        nine = [threads.submit(work, tmp_path, str(n)) for n in range(9)]
        until(lambda: len(list(tmp_path.glob("* begun"))) == 9, within_s=30)
        tenth = threads.submit(killer, signal.SIGSEGV)
        assert not any(future.done() for future in nine)
        (tmp_path / "go on").touch()
        assert len({future.result(30) for future in nine}) == 9
        assert isinstance(tenth.exception(30), Died)


def test_the_second_try_has_nobody_beside_it(tmp_path: Path) -> None:
    work, killer = deadly.isolated(deadly.waits), deadly.isolated(deadly.killed_once)
    killer._room = work._room
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(work, tmp_path, "first")
        until((tmp_path / "first begun").exists, within_s=30)
        again = threads.submit(killer, tmp_path / "marker")
        until(lambda: work._room._reserved, within_s=30)
        later = threads.submit(work, tmp_path, "later")
        assert not again.done()
        assert not (tmp_path / "later begun").exists()
        (tmp_path / "go on").touch()
        assert [isinstance(future.result(30), int) for future in (first, again, later)] == [True] * 3


def test_children_end_with_the_threads_that_called_them() -> None:
    call = deadly.isolated(deadly.own_pid)
    with ThreadPoolExecutor(1) as thread:
        child = thread.submit(call).result()
        assert not gone(child)
    until(lambda: gone(child), within_s=30)


@pytest.fixture(params=["idle", "hanging"])
def parent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with a child, and the child's pid."""
    told = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-m", "tests.unit.hasher.deadly", request.param, told], cwd=ROOT) as process:
        until(lambda: told.exists() and told.read_text(), within_s=30)
        yield process, int(told.read_text())
        process.kill()


@LINUX
def test_a_parent_that_is_killed_leaves_no_child(parent: tuple[subprocess.Popen[bytes], int]) -> None:
    process, child = parent
    assert not gone(child)
    process.send_signal(signal.SIGKILL)
    until(lambda: gone(child), within_s=30)


def test_what_stops_the_parent_does_not_stop_its_child(tmp_path: Path) -> None:
    call = deadly.isolated(deadly.waits)
    child = deadly.isolated(deadly.own_pid)
    with ThreadPoolExecutor(1) as thread:
        idle = child()
        working = thread.submit(call, tmp_path, "picture")
        until((tmp_path / "picture begun").exists, within_s=30)
        os.kill(idle, signal.SIGINT)
        os.kill(idle, signal.SIGTERM)
        (tmp_path / "go on").touch()
        busy = working.result(30)
        os.kill(busy, signal.SIGTERM)
        assert (child(), thread.submit(call, tmp_path, "next").result(30)) == (idle, busy)


@LINUX
def test_an_idle_child_gives_back_the_memory_that_it_has_freed() -> None:
    call = deadly.isolated(deadly.leaves_a_hole_in_the_heap)
    child, held = call()
    assert held > 200_000_000
    until(lambda: deadly.resident_bytes(child) < 100_000_000, within_s=30)


@LINUX
def test_the_kernel_takes_the_child_first_when_memory_runs_out() -> None:
    call = deadly.isolated(deadly.own_pid)
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (call(), os.getpid())]
    assert scores[0] > scores[1]
