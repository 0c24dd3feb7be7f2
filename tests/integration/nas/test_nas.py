"""What every NAS backend must do. A new backend is one more name in `REMOTE`, which is its server's fixture."""

import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from errno import EPERM
from functools import partial
from pathlib import Path

import pytest

from shared.errors import Permanent, Retryable
from shared.nas import Nas, PathNas, open_nas
from shared.nas.errors import BadPath, FileGone, NameTaken, NasUnavailable
from shared.nas.files import Files

pytestmark = pytest.mark.nas
REMOTE = {"sftp": "openssh", "smb": "samba", "s3": "moto"}
BACKENDS = ["path", "path without hard links", *REMOTE]
BAD_PATHS = ["", "/etc/passwd", "../out.png", "a/../../out.png", "a\\b.png", "C:/a.png", "a\0.png", ".presswork-nas"]


class NoHardLinks(Files):
    """What vfat, exFAT and some FUSE file systems answer."""

    def link(self, source: Path, target: Path) -> None:
        raise OSError(EPERM, os.strerror(EPERM), str(source), None, str(target))


@pytest.fixture(params=BACKENDS)
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Nas]]:
    """A new client of the same empty, uninitialised NAS."""
    made: list[Nas] = []
    if request.param in REMOTE:
        server = request.getfixturevalue(REMOTE[request.param]).below(uuid.uuid4().hex)
        opened = partial(open_nas, server.url, access=server.access, first_wait_s=0.02)
    else:
        root = tmp_path / "nas"
        root.mkdir()
        files = NoHardLinks() if request.param == "path without hard links" else Files()
        opened = partial(PathNas, root, files=files, first_wait_s=0.02)

    def connected() -> Nas:
        made.append(opened())
        return made[-1]

    yield connected
    for nas in made:
        nas.close()


@pytest.fixture
def nas(connect: Callable[[], Nas]) -> Nas:
    client = connect()
    client.initialise()
    return client


@pytest.fixture
def clients(connect: Callable[[], Nas], nas: Nas) -> list[Nas]:
    """Four clients of one NAS, as in as many processes."""
    return [nas, *(connect() for _ in range(3))]


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a race is run."""
    return 3 if request.node.callspec.params["connect"] in REMOTE else 10


class Local:
    """A file on this machine, about to be stored."""

    def __init__(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        self.path = path
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.size = len(content)

    def put(self, nas: Nas, path: str) -> None:
        nas.put(path, self.path, self.sha256, self.size)


@pytest.fixture
def rose(tmp_path: Path) -> Local:
    return Local(tmp_path / "rose.png", b"rose" * 1000)


@pytest.fixture
def tulip(tmp_path: Path) -> Local:
    return Local(tmp_path / "tulip.png", b"tulip" * 1000)


def content_of(nas: Nas, path: str) -> bytes:
    return b"".join(nas.read(path))


def names_in(nas: Nas, directory: str) -> list[str]:
    return [entry.path for entry in nas.list(directory)]


def test_a_stored_file_is_there_whole_and_found(nas: Nas, rose: Local) -> None:
    rose.put(nas, "Shop/UVDTF 16oz/UV 100.png")
    stored = nas.stat("Shop/UVDTF 16oz/UV 100.png")
    assert stored is not None
    assert stored.size == rose.size
    assert not stored.is_directory
    assert content_of(nas, "Shop/UVDTF 16oz/UV 100.png") == rose.content
    assert nas.verify("Shop/UVDTF 16oz/UV 100.png", rose.sha256, rose.size)
    assert nas.list("Shop/UVDTF 16oz") == (stored,)
    assert rose.path.read_bytes() == rose.content


def test_a_file_of_many_pieces_and_an_empty_one_come_back_as_they_were(nas: Nas, tmp_path: Path) -> None:
    for content in (os.urandom(5 * (1 << 20) + 17), b""):
        local = Local(tmp_path / "local", content)
        path = f"a/{local.size}.png"
        local.put(nas, path)
        assert content_of(nas, path) == content


def test_putting_the_same_content_again_changes_nothing(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/rose.png")
    (first,) = nas.list("a")
    rose.put(nas, "a/rose.png")
    assert nas.list("a") == (first,)


def test_other_content_never_takes_a_name(nas: Nas, rose: Local, tulip: Local) -> None:
    rose.put(nas, "a/flower.png")
    with pytest.raises(NameTaken, match=r"flower\.png"):
        tulip.put(nas, "a/flower.png")
    assert content_of(nas, "a/flower.png") == rose.content
    assert nas.sweep(-3600) == ()


def test_a_folder_in_the_way_is_a_taken_name(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/b/rose.png")
    for path in ("a/b", "a/b/rose.png/c.png"):
        with pytest.raises(NameTaken):
            rose.put(nas, path)


@pytest.mark.parametrize("second", ["A/Flower.PNG", "a/FLOWER.png"])
def test_a_case_twin_never_harms_the_first_file(nas: Nas, rose: Local, tulip: Local, second: str) -> None:
    rose.put(nas, "a/flower.png")
    try:
        tulip.put(nas, second)
    except NameTaken:
        first, twin = nas.stat("a/flower.png"), nas.stat(second)
        assert first is not None
        assert twin == first._replace(path=second)  # a NAS that takes them for one
    else:
        assert content_of(nas, second) == tulip.content
    assert content_of(nas, "a/flower.png") == rose.content


def test_a_source_that_is_not_what_it_should_be_is_not_stored(nas: Nas, rose: Local, tulip: Local) -> None:
    for sha256, size in ((tulip.sha256, rose.size), (rose.sha256, rose.size + 1)):
        with pytest.raises(Permanent, match=r"rose\.png is not what it should be"):
            nas.put("a/x.png", rose.path, sha256, size)
    assert nas.list("a") == ()
    assert nas.sweep(-3600) == ()


def test_a_source_that_is_gone_is_tried_again_later(nas: Nas, rose: Local) -> None:
    rose.path.unlink()
    with pytest.raises(Retryable, match=r"rose\.png, which is to be stored on the NAS, is gone"):
        rose.put(nas, "a/rose.png")
    assert nas.list("a") == ()
    assert nas.sweep(-3600) == ()


def test_a_staged_file_is_hidden_until_it_gets_its_name(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/.1234.staged")
    assert nas.list("a") == ()
    nas.move("a/.1234.staged", "a/UV 100.png", rose.sha256)
    assert names_in(nas, "a") == ["a/UV 100.png"]
    assert nas.stat("a/.1234.staged") is None
    assert content_of(nas, "a/UV 100.png") == rose.content


def test_moving_again_is_done_already(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/.staged")
    nas.move("a/.staged", "b/rose.png", rose.sha256)
    moved = nas.list("b")
    nas.move("a/.staged", "b/rose.png", rose.sha256)
    assert nas.list("b") == moved
    assert [file.path for file in moved] == ["b/rose.png"]


def test_moving_onto_the_same_content_leaves_one_file(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/.staged")
    rose.put(nas, "a/rose.png")
    nas.move("a/.staged", "a/rose.png", rose.sha256)
    assert nas.stat("a/.staged") is None
    assert content_of(nas, "a/rose.png") == rose.content


def test_moving_never_overwrites_other_content(nas: Nas, rose: Local, tulip: Local) -> None:
    rose.put(nas, "a/.staged")
    tulip.put(nas, "a/flower.png")
    with pytest.raises(NameTaken, match=r"flower\.png"):
        nas.move("a/.staged", "a/flower.png", rose.sha256)
    assert content_of(nas, "a/flower.png") == tulip.content
    assert content_of(nas, "a/.staged") == rose.content


def test_moving_what_is_nowhere_says_so(nas: Nas, rose: Local, tulip: Local) -> None:
    with pytest.raises(FileGone, match="store it again"):
        nas.move("a/.staged", "a/rose.png", rose.sha256)
    tulip.put(nas, "a/tulip.png")
    with pytest.raises(NameTaken):
        nas.move("a/.staged", "a/tulip.png", rose.sha256)


@pytest.mark.parametrize("target", ["a/rose.png", "A/Rose.PNG"])
def test_a_file_can_not_be_moved_onto_itself(nas: Nas, rose: Local, target: str) -> None:
    rose.put(nas, "a/rose.png")
    with pytest.raises(BadPath):
        nas.move("a/rose.png", target, rose.sha256)
    assert content_of(nas, "a/rose.png") == rose.content


def test_what_is_not_there_is_told_from_what_is(nas: Nas, rose: Local, tulip: Local) -> None:
    assert nas.stat("a/rose.png") is None
    assert nas.list("a") == ()
    assert not nas.verify("a/rose.png", rose.sha256, rose.size)
    with pytest.raises(FileGone, match=r"can't read 'a/rose\.png'"):
        content_of(nas, "a/rose.png")
    rose.put(nas, "a/rose.png")
    assert not nas.verify("a/rose.png", tulip.sha256, rose.size)
    assert not nas.verify("a/rose.png", rose.sha256, rose.size + 1)
    assert not nas.verify("a", rose.sha256, rose.size)
    assert nas.stat("a/rose.png/x") is None


def test_deleting_twice_is_deleting_once(nas: Nas, rose: Local, tulip: Local) -> None:
    rose.put(nas, "a/rose.png")
    tulip.put(nas, "a/tulip.png")
    for _ in range(2):
        nas.delete("a/rose.png")
        assert names_in(nas, "a") == ["a/tulip.png"]


def test_a_folder_lists_its_own_entries_by_name(nas: Nas, rose: Local) -> None:
    for path in ("b.png", "Shop/b.png", "Shop/a.png", "Shop/DTF/c.png"):
        rose.put(nas, path)
    assert names_in(nas, "") == ["Shop", "b.png"]
    entries = nas.list("Shop")
    assert [entry.path for entry in entries] == ["Shop/DTF", "Shop/a.png", "Shop/b.png"]
    assert [entry.is_directory for entry in entries] == [True, False, False]
    shop = nas.stat("Shop")
    assert shop is not None
    assert shop.is_directory


def test_unusual_but_safe_names_are_kept_as_they_are(nas: Nas, rose: Local) -> None:
    names = ["Caf\u00e9 & Lid (1).png", "\u676f\u5b50.png", "x" * 200 + ".png", "a..b.png", "50%25 + #1.png"]
    for name in names:
        rose.put(nas, f"Kid's Cup/{name}")
        assert content_of(nas, f"Kid's Cup/{name}") == rose.content
    assert names_in(nas, "Kid's Cup") == sorted(f"Kid's Cup/{name}" for name in names)


def test_no_call_touches_a_path_that_is_none(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/rose.png")
    for path in BAD_PATHS:
        for call in calls_about(nas, rose, path):
            with pytest.raises(BadPath):
                call()
    assert names_in(nas, "") == ["a"]
    assert names_in(nas, "a") == ["a/rose.png"]


def calls_about(nas: Nas, rose: Local, path: str) -> list[Callable[[], object]]:
    calls: list[Callable[[], object]] = [
        lambda: rose.put(nas, path),
        lambda: nas.move("a/rose.png", path, rose.sha256),
        lambda: nas.move(path, "a/other.png", rose.sha256),
        lambda: nas.stat(path),
        lambda: content_of(nas, path),
        lambda: nas.delete(path),
        lambda: nas.verify(path, rose.sha256, rose.size),
    ]
    return [*calls, lambda: nas.list(path)] if path else calls


def test_a_path_too_long_for_windows_is_not_made(nas: Nas, rose: Local) -> None:
    rose.put(nas, "a/rose.png")
    for path in ("/".join(["x" * 60] * 4), "\u676f" * 100):
        with pytest.raises(BadPath, match=r"allowed|more than"):
            rose.put(nas, path)
        with pytest.raises(BadPath, match=r"allowed|more than"):
            nas.move("a/rose.png", path, rose.sha256)
    assert names_in(nas, "") == ["a"]


def test_nothing_works_before_the_nas_is_initialised(connect: Callable[[], Nas], rose: Local) -> None:
    nas = connect()
    calls: list[Callable[[], object]] = [
        nas.check,
        nas.list,
        lambda: rose.put(nas, "a/rose.png"),
        lambda: nas.move("a/x.png", "a/rose.png", rose.sha256),
        lambda: nas.stat("a/rose.png"),
        lambda: content_of(nas, "a/rose.png"),
        lambda: nas.delete("a/rose.png"),
        lambda: nas.verify("a/rose.png", rose.sha256, rose.size),
        lambda: nas.sweep(0),
    ]
    for call in calls:
        with pytest.raises(NasUnavailable, match="correct its path in the settings"):
            call()
    nas.initialise()
    assert nas.list() == ()


def test_a_nas_is_initialised_once_and_known_by_its_id(connect: Callable[[], Nas], rose: Local) -> None:
    first = connect().initialise()
    rose.put(connect(), "a/rose.png")
    assert connect().initialise() == first
    assert connect().check() == first
    assert len(first) == 32


def test_two_who_initialise_at_once_agree(connect: Callable[[], Nas]) -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(lambda client: client.initialise(), [connect() for _ in range(8)]))
    assert ids == {connect().check()}
    assert connect().sweep(-3600) == ()


def together(actions: list[Callable[[], object]]) -> Iterator[object]:
    """Run all at the same moment; what each returned or raised."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        start.wait(timeout=10)
        try:
            return action()
        except Permanent as error:
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        yield from threads.map(run, actions)


def test_concurrent_puts_of_the_same_content_all_succeed(clients: list[Nas], rounds: int, rose: Local) -> None:
    for n in range(rounds):
        path = f"a/{n}.png"
        outcomes = list(together([partial(c.put, path, rose.path, rose.sha256, rose.size) for c in clients]))
        assert set(outcomes) == {None}
        assert content_of(clients[0], path) == rose.content
    assert len(clients[0].list("a")) == rounds
    assert clients[0].sweep(-3600) == ()


def test_of_concurrent_puts_of_different_content_one_wins(clients: list[Nas], rounds: int, tmp_path: Path) -> None:
    flowers = [Local(tmp_path / f"{n}.png", bytes([n]) * 100_000) for n in range(4)]
    for n in range(rounds):
        path = f"a/{n}.png"
        outcomes = list(together([partial(f.put, c, path) for f, c in zip(flowers, clients, strict=True)]))
        won = [flower for flower, outcome in zip(flowers, outcomes, strict=True) if outcome is None]
        assert len(won) == 1
        assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 3
        assert content_of(clients[0], path) == won[0].content
    assert clients[0].sweep(-3600) == ()


def test_of_concurrent_moves_to_one_name_one_wins(clients: list[Nas], rounds: int, tmp_path: Path) -> None:
    flowers = [Local(tmp_path / f"{n}.png", bytes([n]) * 1000) for n in range(4)]
    nas = clients[0]
    for n in range(rounds):
        for index, flower in enumerate(flowers):
            flower.put(nas, f"a/.{n}.{index}.staged")
        moves: list[Callable[[], object]] = [
            partial(client.move, f"a/.{n}.{index}.staged", f"a/{n}.png", flower.sha256)
            for index, (client, flower) in enumerate(zip(clients, flowers, strict=True))
        ]
        outcomes = list(together(moves))
        won = [index for index, outcome in enumerate(outcomes) if not isinstance(outcome, NameTaken)]
        assert len(won) == 1
        assert content_of(nas, f"a/{n}.png") == flowers[won[0]].content
        staged = [index for index in range(4) if nas.stat(f"a/.{n}.{index}.staged")]
        assert staged == [index for index in range(4) if index != won[0]]
