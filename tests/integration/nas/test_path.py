"""What only a mounted NAS can suffer: unmounting, read-only and full disks, links, crashes. On real file systems."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from errno import EIO, ESTALE
from pathlib import Path

import pytest

from shared.errors import Retryable
from shared.nas import PathNas
from shared.nas.errors import BadPath, FileGone, NameTaken, NasFull, NasRefused, NasUnavailable
from shared.nas.files import Files
from shared.nas.marker import MARKER

REPOSITORY = Path(__file__).parents[3]
CONTENT = b"rose" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


@pytest.fixture
def rose(tmp_path: Path) -> Path:
    path = tmp_path / "rose.png"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "nas"
    path.mkdir()
    return path


def nas_at(root: Path, files: Files | None = None, spare_bytes: int = 0) -> PathNas:
    nas = PathNas(root, files=files, first_wait_s=0.001, spare_bytes=spare_bytes)
    nas.initialise(adopt=True)
    return nas


def mount(where: Path, *arguments: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system of its own")
    done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # where CI is root this is a test that must run
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"can't mount here: {done.stderr.strip()}")


def unmount(where: Path) -> None:
    subprocess.run(["umount", str(where)], check=True)


@contextlib.contextmanager
def disk(where: Path, options: str = "size=8m") -> Iterator[None]:
    """A small disk of its own, mounted there."""
    mount(where, "-t", "tmpfs", "-o", options, "tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=False, capture_output=True)


def everything_below(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")} - {MARKER}


def calls(nas: PathNas, rose: Path) -> list[Callable[[], object]]:
    return [
        nas.check,
        nas.list,
        lambda: nas.put("a/new.png", rose, SHA256, SIZE),
        lambda: nas.move("a/rose.png", "a/other.png", SHA256),
        lambda: nas.stat("a/rose.png"),
        lambda: list(nas.read("a/rose.png")),
        lambda: nas.verify("a/rose.png", SHA256, SIZE),
        lambda: nas.delete("a/rose.png"),
        lambda: nas.sweep(0),
    ]


def test_an_unmounted_nas_is_never_filled_and_never_found_empty(root: Path, rose: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "rose.png").write_bytes(CONTENT)  # lies under the mount, and is nobody's business
    with disk(root):
        nas = nas_at(root)
        nas.put("a/rose.png", rose, SHA256, SIZE)
        unmount(root)
        for call in calls(nas, rose):
            with pytest.raises(NasUnavailable, match="mount it"):
                call()
        assert everything_below(root) == {"a", "a/rose.png"}


@pytest.mark.parametrize("in_the_way", ["North", "North/Cups"])
def test_a_file_in_place_of_a_folder_is_named_by_its_path_on_the_nas(root: Path, rose: Path, in_the_way: str) -> None:
    nas = nas_at(root)
    (root / in_the_way).parent.mkdir(exist_ok=True)
    (root / in_the_way).write_bytes(b"in the way")
    for path in ("North/Cups/.staged", "North/Cups/Mugs/rose.png"):
        with pytest.raises(NameTaken, match=rf"is in the way \('{in_the_way}' is no folder\); rename or remove it"):
            nas.put(path, rose, SHA256, SIZE)


def test_another_nas_at_the_same_place_is_noticed(root: Path, rose: Path) -> None:
    with disk(root):
        nas = nas_at(root)
        with disk(root):
            nas_at(root)
            for call in (nas.check, lambda: nas.put("a/rose.png", rose, SHA256, SIZE)):
                with pytest.raises(NasUnavailable, match="another NAS is mounted"):
                    call()
        nas.check()


def test_a_put_that_outlives_the_mount_is_not_reported_as_stored(root: Path, rose: Path) -> None:
    class UnmountedMeanwhile(Files):
        def rename_new(self, source: Path, target: Path) -> None:
            super().rename_new(source, target)
            if target.name != MARKER:
                (root / MARKER).unlink()

    nas = nas_at(root, UnmountedMeanwhile())
    with pytest.raises(NasUnavailable):
        nas.put("a/rose.png", rose, SHA256, SIZE)


def test_a_plain_folder_is_refused_where_a_mount_is_required(root: Path, rose: Path) -> None:
    nas = PathNas(root, require_mount=True, spare_bytes=0)
    for call in (nas.initialise, *calls(nas, rose)):
        with pytest.raises(NasUnavailable, match="nothing is mounted"):
            call()
    assert everything_below(root) == set()
    with disk(root):
        nas.initialise()
        nas.put("a/rose.png", rose, SHA256, SIZE)


def test_a_damaged_mark_is_no_mark(root: Path) -> None:
    nas = nas_at(root)
    (root / MARKER).write_text("")
    with pytest.raises(NasUnavailable, match="is damaged"):
        nas.check()


def test_a_folder_with_files_is_only_initialised_when_they_are_adopted(root: Path) -> None:
    (root / ".DS_Store").touch()
    (root / "@Recycle").mkdir()
    shop = root / "NorthCups"
    shop.mkdir()
    nas = PathNas(root)
    with pytest.raises(NameTaken, match="is not empty"):
        nas.initialise()
    assert nas.initialise(adopt=True) == nas.check()
    assert [entry.path for entry in nas.list()] == ["NorthCups"]


def test_a_new_folder_is_made_by_initialising_it(root: Path) -> None:
    nas = PathNas(root / "a" / "b")
    nas.initialise()
    assert nas.check()


def test_a_read_only_nas_is_unavailable_until_it_can_be_written(root: Path, rose: Path) -> None:
    with disk(root):
        nas = nas_at(root)
        nas.put("a/rose.png", rose, SHA256, SIZE)
        mount(root, "-o", "remount,ro")
        for write in (
            nas.check,
            lambda: nas.put("a/new.png", rose, SHA256, SIZE),
            lambda: nas.move("a/rose.png", "a/new.png", SHA256),
            lambda: nas.delete("a/rose.png"),
        ):
            with pytest.raises(NasUnavailable, match="mount it read-write"):
                write()
        assert nas.verify("a/rose.png", SHA256, SIZE)
        mount(root, "-o", "remount,rw")
        nas.put("a/new.png", rose, SHA256, SIZE)


def test_one_locked_folder_does_not_make_the_nas_unavailable(root: Path, rose: Path) -> None:
    nas = nas_at(root)
    locked = root / "locked"
    locked.mkdir()
    with contextlib.ExitStack() as stack:
        if os.geteuid() == 0:  # permissions do not bind root
            mount(locked, "--bind", str(locked))
            stack.callback(subprocess.run, ["umount", "-l", str(locked)], check=False)
            mount(locked, "-o", "remount,ro,bind")
        else:
            locked.chmod(0o500)
            stack.callback(locked.chmod, 0o700)
        with pytest.raises(NasRefused, match="only there: the NAS itself can be written"):
            nas.put("locked/rose.png", rose, SHA256, SIZE)
        nas.put("open/rose.png", rose, SHA256, SIZE)


@pytest.mark.parametrize("told", [True, False])
def test_a_full_nas_leaves_nothing_behind_and_goes_on_when_there_is_room(
    root: Path, tmp_path: Path, told: bool
) -> None:
    class Silent(Files):
        """A server that does not tell its free space, so that the disk fills up in the middle of the write."""

        def free_bytes(self, directory: Path) -> int | None:
            return super().free_bytes(directory) if told else None

    content = os.urandom(3 << 20)
    big = tmp_path / "big.png"
    big.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    with disk(root, "size=4m"):
        nas = nas_at(root, Silent())
        nas.put("a/1.png", big, sha256, len(content))
        with pytest.raises(NasFull, match="free some space"):
            nas.put("a/2.png", big, sha256, len(content))
        assert everything_below(root) == {"a", "a/1.png"}
        nas.delete("a/1.png")
        nas.put("a/2.png", big, sha256, len(content))


def test_the_last_bytes_are_kept_in_reserve(root: Path, rose: Path) -> None:
    with disk(root, "size=4m"):
        nas = nas_at(root, spare_bytes=4 << 20)
        with pytest.raises(NasFull, match="kept in reserve"):
            nas.put("a/rose.png", rose, SHA256, SIZE)
        assert nas.stat("a/rose.png") is None


def test_a_folder_that_is_full_for_itself_holds_up_no_other(root: Path, rose: Path) -> None:
    nas = nas_at(root, spare_bytes=9 << 20)
    locked = root / "locked"
    locked.mkdir()
    with disk(locked, "size=8m"):
        with pytest.raises(NasRefused, match=r"'locked/rose.png'.*: this folder is full.*only there") as told:
            nas.put("locked/rose.png", rose, SHA256, SIZE)
        assert not isinstance(told.value, NasFull)
        nas.put("open/rose.png", rose, SHA256, SIZE)
        subprocess.run(["mount", "-o", "remount,size=20m", str(locked)], check=True)
        nas.put("locked/rose.png", rose, SHA256, SIZE)


def test_a_nas_without_room_for_another_name_is_full(root: Path, rose: Path) -> None:
    with disk(root, "nr_inodes=4"):
        nas = nas_at(root)
        nas.put("rose.png", rose, SHA256, SIZE)
        with pytest.raises(NasFull):
            nas.put("a/rose.png", rose, SHA256, SIZE)


class Faulty(Files):
    """The operating system's calls, of which the next `faults` writes whose path contains `where` fail."""

    def __init__(self, number: int, faults: int, where: str = "") -> None:
        self.number = number
        self.faults = faults
        self.where = where
        self.failed = 0

    def write(self, content: Iterable[bytes], target: Path) -> None:
        if self.failed < self.faults and self.where in str(target) and MARKER not in target.name:
            self.failed += 1
            raise OSError(self.number, os.strerror(self.number), str(target))
        super().write(content, target)


@pytest.mark.parametrize("number", [ESTALE, EIO])
def test_a_stumble_is_overcome_within_the_call(root: Path, rose: Path, number: int) -> None:
    files = Faulty(number, faults=4)
    nas_at(root, files).put("a/rose.png", rose, SHA256, SIZE)
    assert files.failed == 4


def test_a_nas_that_keeps_failing_is_unavailable_after_five_tries(root: Path, rose: Path) -> None:
    files = Faulty(ESTALE, faults=1000)
    with pytest.raises(NasUnavailable, match="does not answer"):
        nas_at(root, files).put("a/rose.png", rose, SHA256, SIZE)
    assert files.failed == 5 + 1  # and a last look whether it is the whole NAS
    assert everything_below(root) == {"a"}


def test_a_nas_that_is_back_at_the_last_look_has_not_refused_the_file_but_takes_it(root: Path, rose: Path) -> None:
    files = Faulty(ESTALE, faults=5)
    nas_at(root, files).put("a/rose.png", rose, SHA256, SIZE)
    assert files.failed == 5


def test_one_path_that_keeps_failing_does_not_make_the_nas_unavailable(root: Path, rose: Path) -> None:
    nas = nas_at(root, Faulty(EIO, faults=1000, where="/broken/"))
    with pytest.raises(NasRefused, match="only there"):
        nas.put("broken/rose.png", rose, SHA256, SIZE)
    nas.put("a/rose.png", rose, SHA256, SIZE)


def test_content_that_comes_back_changed_is_not_stored(root: Path, rose: Path) -> None:
    class FlipsBits(Files):
        def write(self, content: Iterable[bytes], target: Path) -> None:
            damaged = (bytes([piece[0] ^ 1]) + piece[1:] for piece in content)
            super().write(content if MARKER in target.name else damaged, target)

    with pytest.raises(Retryable, match="came back changed"):
        nas_at(root, FlipsBits()).put("a/rose.png", rose, SHA256, SIZE)
    assert everything_below(root) == {"a"}


def test_a_nas_that_overwrites_when_it_renames_is_found_out_before_it_is_used(root: Path) -> None:
    class Overwrites(Files):
        def rename_new(self, source: Path, target: Path) -> None:
            source.replace(target)

    nas = nas_at(root, Overwrites())
    nas.check()
    with pytest.raises(NasUnavailable, match="overwrites a file"):
        nas.check(thorough=True)
    assert everything_below(root) == set()


KILLED = """
import os, signal, sys
from pathlib import Path
from shared.nas import PathNas
from shared.nas.files import Files

class Killed(Files):
    def rename_new(self, source, target):
        if sys.argv[2] == "after the link":
            os.link(source, target)
        os.kill(os.getpid(), signal.SIGKILL)

nas = PathNas(Path(sys.argv[1]), files=Killed())
{call}
"""


def killed_in(call: str, root: Path, moment: str) -> None:
    script = KILLED.format(call=call)
    child = subprocess.run([sys.executable, "-c", script, str(root), moment], cwd=REPOSITORY, check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["before the rename", "after the link"])
def test_a_killed_put_leaves_only_a_hidden_part_that_is_swept_later(root: Path, rose: Path, moment: str) -> None:
    nas = nas_at(root)
    killed_in(f"nas.put('a/UV 100.png', Path({str(rose)!r}), {SHA256!r}, {SIZE})", root, moment)
    (part,) = (root / "a").glob(".*")
    assert part.name.startswith(".UV 100.png.")
    if moment == "before the rename":
        assert nas.list("a") == ()
    nas.put("a/UV 100.png", rose, SHA256, SIZE)
    nas.put("a/.waiting.staged", rose, SHA256, SIZE)
    assert nas.sweep(3600) == ()  # another process might still be writing it
    hour_ago = time.time() - 3601
    for path in (root / "a").iterdir():
        os.utime(path, (hour_ago, hour_ago))
    assert nas.sweep(3600) == (f"a/{part.name}",)
    assert everything_below(root) == {"a", "a/UV 100.png", "a/.waiting.staged"}
    assert nas.verify("a/UV 100.png", SHA256, SIZE)


@pytest.mark.parametrize("moment", ["before the rename", "after the link"])
def test_a_killed_move_is_finished_by_its_repeat(root: Path, rose: Path, moment: str) -> None:
    nas = nas_at(root)
    nas.put("a/.waiting.staged", rose, SHA256, SIZE)
    killed_in(f"nas.move('a/.waiting.staged', 'a/UV 100.png', {SHA256!r})", root, moment)
    nas.move("a/.waiting.staged", "a/UV 100.png", SHA256)
    assert everything_below(root) == {"a", "a/UV 100.png"}
    assert nas.verify("a/UV 100.png", SHA256, SIZE)


class Claiming(Files):
    """As where there are no hard links: a name is claimed first."""

    def rename_new(self, source: Path, target: Path) -> None:
        self.rename_claimed(source, target)


def test_a_claim_that_a_crash_left_keeps_its_name_busy_until_it_is_swept(root: Path, rose: Path) -> None:
    nas = nas_at(root, Claiming())
    claim = root / "a" / ".rose.png.00000000.part"
    claim.parent.mkdir()
    claim.touch()
    with pytest.raises(NasRefused, match="it is in use"):
        nas.put("a/rose.png", rose, SHA256, SIZE)
    nas.put("a/other.png", rose, SHA256, SIZE)
    assert nas.sweep(-3600) == ("a/.rose.png.00000000.part",)
    nas.put("a/rose.png", rose, SHA256, SIZE)


def test_a_claim_that_a_crash_left_a_minute_ago_is_in_nobodys_way(root: Path, rose: Path) -> None:
    nas = nas_at(root, Claiming())
    nas.put("a/.waiting.staged", rose, SHA256, SIZE)
    claim = root / "a" / ".UV 100.png.00000000.part"
    claim.touch()
    minute_ago = time.time() - 61
    os.utime(claim, (minute_ago, minute_ago))
    nas.move("a/.waiting.staged", "a/UV 100.png", SHA256)
    assert everything_below(root) == {"a", "a/UV 100.png"}


def test_links_out_of_the_nas_are_not_followed(root: Path, tmp_path: Path, rose: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(CONTENT)
    nas = nas_at(root)
    (root / "a").symlink_to(outside)
    (root / "secret.png").symlink_to(outside / "secret.png")
    for call in (
        lambda: nas.put("a/new.png", rose, SHA256, SIZE),
        lambda: nas.list("a"),
        lambda: list(nas.read("a/secret.png")),
        lambda: list(nas.read("secret.png")),
        lambda: nas.delete("a/secret.png"),
        lambda: nas.move("a/secret.png", "b/stolen.png", SHA256),
        lambda: nas.put("secret.png", rose, SHA256, SIZE),
    ):
        with pytest.raises((BadPath, NameTaken), match="out of the NAS folder"):
            call()
    assert nas.list() == ()
    assert everything_below(outside) == {"secret.png"}


def test_links_within_the_nas_and_to_its_root_work(root: Path, tmp_path: Path, rose: Path) -> None:
    entry = tmp_path / "entry"
    entry.symlink_to(root)
    nas = nas_at(entry)
    nas.put("real/rose.png", rose, SHA256, SIZE)
    (root / "alias").symlink_to(root / "real")
    assert b"".join(nas.read("alias/rose.png")) == CONTENT
    assert [entry.path for entry in nas.list("alias")] == ["alias/rose.png"]
    assert [entry.path for entry in nas.list()] == ["real"]


def test_what_is_not_the_users_is_not_listed(root: Path, rose: Path) -> None:
    nas = nas_at(root)
    nas.put("a/rose.png", rose, SHA256, SIZE)
    for name in (b"._rose.png", b".DS_Store", b"caf\xe9.png"):
        Path(os.fsdecode(os.fsencode(root / "a") + b"/" + name)).touch()
    for folder in ("@eaDir", "#recycle", "@Recycle", ".@__thumb"):
        (root / "a" / folder).mkdir()
    os.mkfifo(root / "a" / "pipe")
    assert [entry.path for entry in nas.list("a")] == ["a/rose.png"]


def test_a_file_that_goes_while_it_is_looked_at_is_simply_gone(root: Path, rose: Path) -> None:
    nas = nas_at(root)
    nas.put("a/rose.png", rose, SHA256, SIZE)
    reading = nas.read("a/rose.png")
    (root / "a" / "rose.png").unlink()
    with pytest.raises(FileGone):
        next(reading)


RACING = """
import hashlib, sys
from pathlib import Path
from shared.nas import PathNas
from shared.nas.errors import NameTaken

nas, mine = PathNas(Path(sys.argv[1])), Path(sys.argv[2])
content = mine.read_bytes()
print("ready", flush=True)
sys.stdin.readline()
for n in range(40):
    try:
        nas.put(f"a/{n}.png", mine, hashlib.sha256(content).hexdigest(), len(content))
        print(n, flush=True)
    except NameTaken:
        pass
"""


def test_of_two_processes_each_name_goes_to_one(root: Path, tmp_path: Path) -> None:
    nas_at(root)
    racers = []
    for n in range(2):
        mine = tmp_path / f"{n}.png"
        mine.write_bytes(bytes([n]) * 200_000)
        command = [sys.executable, "-c", RACING, str(root), str(mine)]
        racers.append(
            subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    won = [racer.communicate("go\n", timeout=60)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert sorted(won[0] + won[1], key=int) == [str(n) for n in range(40)]
    for n, names in enumerate(won):
        for name in names:
            assert (root / "a" / f"{name}.png").read_bytes() == bytes([n]) * 200_000
    assert len(everything_below(root)) == 41
