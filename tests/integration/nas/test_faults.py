"""Lines that drop, stall and come back, full disks, wrong keys and passwords: on real servers."""

import asyncio
import contextlib
import gc
import hashlib
import os
import queue
import subprocess
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import asyncssh
import httpx
import pytest

from shared.errors import Permanent, Retryable
from shared.nas import Access, Nas, open_nas
from shared.nas.errors import BadPath, NameTaken, NasFull, NasRefused, NasUnavailable
from shared.nas.ssh import Line, SshLogin
from tests import backends
from tests.integration.nas.test_nas import Local, content_of, names_in
from tests.nas_servers import HOST, Server
from tests.proxy import Proxy
from tests.waiting import until

pytestmark = [pytest.mark.nas, pytest.mark.filterwarnings("ignore:unclosed SMB handle:ResourceWarning")]

REMOTE = {"sftp": "openssh", "smb": "samba", "s3": "moto"}
SOON_S = 0.5
Open = Callable[[Server], Nas]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens clients, and closes them in the end."""
    with contextlib.ExitStack() as stack:

        def client(server: Server) -> Nas:
            nas = open_nas(server.url, access=server.access, first_wait_s=0.01, spare_bytes=0)
            stack.callback(nas.close)
            return nas

        yield client


@pytest.fixture(params=REMOTE)
def server(request: pytest.FixtureRequest) -> Server:
    """A root of its own on each server."""
    found: Server = request.getfixturevalue(REMOTE[request.param])
    return found.below(uuid.uuid4().hex)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port).running() as running:
        yield running
    gc.collect()  # files that a cut line left open are missed here, and not in the middle of another test


@pytest.fixture
def nas(server: Server, proxy: Proxy, opened: Open) -> Nas:
    """A NAS whose line is the proxy."""
    client = opened(server.through(proxy.port))
    client.initialise()
    return client


@pytest.fixture
def impatient(nas: Nas, server: Server, proxy: Proxy, opened: Open) -> Nas:
    """The same NAS, and a client that soon takes silence for an answer."""
    far = server.through(proxy.port)
    mark = "&" if "?" in far.url else "?"
    return opened(replace(far, url=f"{far.url}{mark}timeout={SOON_S}"))


@pytest.fixture
def rose(tmp_path: Path) -> Local:
    return Local(tmp_path / "rose.png", os.urandom(2 << 20))


def only_the_file_is_there(nas: Nas, rose: Local) -> None:
    assert content_of(nas, "a/rose.png") == rose.content
    assert names_in(nas, "a") == ["a/rose.png"]


def test_a_line_that_is_cut_in_the_middle_of_a_file_is_made_again(nas: Nas, proxy: Proxy, rose: Local) -> None:
    proxy.cut_after(1 << 20)
    rose.put(nas, "a/rose.png")
    only_the_file_is_there(nas, rose)
    proxy.cut()
    assert nas.verify("a/rose.png", rose.sha256, rose.size)


def test_a_nas_that_falls_silent_is_given_up_in_time_and_used_again_when_it_speaks(
    nas: Nas, impatient: Nas, proxy: Proxy, rose: Local
) -> None:
    def stored() -> bool:
        try:
            rose.put(impatient, "a/rose.png")
        except (NasUnavailable, NasRefused):  # a busy machine may be slower than its patience
            return False
        return True

    proxy.swallow()
    begun = monotonic()
    assert not stored()
    assert monotonic() - begun < 60 * SOON_S
    with pytest.raises(NasUnavailable, match="the NAS does not answer"):
        impatient.check()
    proxy.release()
    until(stored)
    only_the_file_is_there(nas, rose)


def test_a_nas_that_is_off_is_unavailable_and_used_again_when_it_is_on(nas: Nas, proxy: Proxy, rose: Local) -> None:
    proxy.refuse()
    for call in (nas.check, lambda: rose.put(nas, "a/rose.png"), lambda: nas.list("a"), lambda: nas.stat("a")):
        with pytest.raises(NasUnavailable, match="the NAS does not answer"):
            call()
    proxy.accept()
    rose.put(nas, "a/rose.png")
    only_the_file_is_there(nas, rose)


def test_while_a_nas_is_known_to_be_silent_one_asks_and_the_others_are_told_at_once(
    impatient: Nas, proxy: Proxy
) -> None:
    def told(_: int) -> float:
        begun = monotonic()
        with pytest.raises(NasUnavailable, match="the NAS does not answer"):
            impatient.stat("a/rose.png")
        return monotonic() - begun

    proxy.swallow()
    told(0)
    with ThreadPoolExecutor(40) as threads:
        waited = sorted(threads.map(told, range(40)))
    assert waited[30] < SOON_S, "most of them waited for nothing"
    proxy.release()
    until(lambda: answers(impatient))


def answers(nas: Nas) -> bool:
    try:
        nas.stat("a/rose.png")
    except (NasUnavailable, NasRefused):
        return False
    return True


def test_a_thorough_check_passes_and_leaves_nothing(nas: Nas) -> None:
    assert nas.check(thorough=True) == nas.check()
    assert nas.list() == ()
    assert nas.sweep(-3600) == ()


def test_many_files_at_once_go_over_few_lines(nas: Nas, server: Server, proxy: Proxy, tmp_path: Path) -> None:
    flowers = [Local(tmp_path / f"{n}.png", os.urandom(50_000)) for n in range(12)]
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda flower: flower.put(nas, f"a/{flower.path.name}"), flowers))
    assert all(nas.verify(f"a/{flower.path.name}", flower.sha256, flower.size) for flower in flowers)
    # HTTP's lines are the library's: one for each thread
    assert proxy.connections <= (len(flowers) if server.url.startswith("s3") else server.access.connections)


def test_a_wrong_password_or_key_is_said_at_once_and_costs_nothing(
    openssh: Server, samba: Server, opened: Open, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(stranger))
    for server, access in (
        (openssh, replace(openssh.access, private_key=str(stranger))),
        (openssh, replace(openssh.access, private_key="", password="wrong")),
        (samba, replace(samba.access, password="wrong")),
    ):
        begun = monotonic()
        with pytest.raises(NasUnavailable, match="refuses the login of 'root': check the user"):
            opened(replace(server, access=access)).check()
        assert monotonic() - begun < 10


def test_the_key_itself_does_as_well_as_its_file(openssh: Server, opened: Open) -> None:
    text = Path(openssh.access.private_key).read_text()
    nas = opened(replace(openssh.below("keyed"), access=replace(openssh.access, private_key=text)))
    assert len(nas.initialise()) == 32


def test_a_server_with_another_host_key_is_sent_nothing(openssh: Server, opened: Open) -> None:
    (shown,) = openssh.access.host_keys
    another = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    changed = replace(openssh, access=replace(openssh.access, host_keys=(another,)))
    with pytest.raises(NasUnavailable, match="nothing was sent to it") as refusal:
        opened(changed).check()
    assert shown in str(refusal.value)
    assert str(refusal.value).endswith("change NAS_HOST_KEY (of a shop's own NAS: what stands in NAS_SHOPS)")


def test_a_server_that_nobody_has_vouched_for_is_not_trusted_but_named(openssh: Server, opened: Open) -> None:
    (shown,) = openssh.access.host_keys
    with pytest.raises(NasUnavailable) as refusal:
        opened(replace(openssh, access=replace(openssh.access, host_keys=()))).check()
    assert f"set NAS_HOST_KEY={shown}" in str(refusal.value)


def test_a_share_or_a_bucket_that_is_not_there_is_said_so(samba: Server, moto: Server, opened: Open) -> None:
    for server, name, words in ((samba, "Graphics", "has no such share"), (moto, "bucket", "there is no bucket")):
        with pytest.raises(NasUnavailable, match=words):
            opened(replace(server, url=server.url.replace(name, "nowhere", 1))).initialise()


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    """A disk in memory, mounted there."""
    folder.mkdir()
    if os.geteuid() != 0:
        backends.missing("a small disk is mounted for this: run it as root")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"can't mount here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def on_a_small_disk(server: Server, opened: Open, options: str = "size=4m") -> Iterator[tuple[Path, Nas]]:
    """A new NAS on a disk of its own, and the folder that it is."""
    its = server.below(uuid.uuid4().hex)
    assert its.folder is not None
    with small_disk(its.folder, options):
        nas = opened(its)
        nas.initialise()
        yield its.folder, nas
        nas.close()


@pytest.mark.parametrize("kind", ["openssh", "bare_openssh", "samba"])
def test_a_full_disk_is_called_full_and_the_work_goes_on_when_there_is_room(
    request: pytest.FixtureRequest, opened: Open, tmp_path: Path, kind: str
) -> None:
    flowers = [Local(tmp_path / f"{n}.png", os.urandom(3 << 20)) for n in range(2)]
    with on_a_small_disk(request.getfixturevalue(kind), opened) as (_, nas):
        flowers[0].put(nas, "a/0.png")
        with pytest.raises(NasFull, match="free some space"):
            flowers[1].put(nas, "a/1.png")
        assert names_in(nas, "a") == ["a/0.png"]
        assert nas.sweep(-3600) == ()
        nas.delete("a/0.png")
        flowers[1].put(nas, "a/1.png")


@pytest.mark.parametrize("kind", ["openssh", "samba"])
def test_a_disk_without_room_for_another_name_is_called_full(
    request: pytest.FixtureRequest, opened: Open, rose: Local, kind: str
) -> None:
    with on_a_small_disk(request.getfixturevalue(kind), opened, "nr_inodes=40") as (folder, nas):
        rose.put(nas, "a/0.png")
        with contextlib.suppress(OSError):
            for number in range(40):
                (folder / f"{number}.txt").touch()
        with pytest.raises(NasFull, match="free some space") as told:
            rose.put(nas, "a/1.png")
        assert "NtStatus" not in str(told.value)


@pytest.mark.parametrize("kind", ["openssh", "samba"])
def test_a_disk_that_became_read_only_is_called_so(
    request: pytest.FixtureRequest, opened: Open, rose: Local, kind: str
) -> None:
    with on_a_small_disk(request.getfixturevalue(kind), opened, "size=9m") as (folder, nas):
        rose.put(nas, "a/0.png")
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        for call in (nas.check, lambda: rose.put(nas, "a/1.png"), lambda: nas.delete("a/0.png")):
            with pytest.raises(NasUnavailable, match="the NAS is mounted read-only; mount it read-write"):
                call()
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        rose.put(nas, "a/1.png")


def test_names_that_samba_mangles_are_listed_and_read_by_what_samba_calls_them(
    samba: Server, opened: Open, rose: Local
) -> None:
    server = samba.below(uuid.uuid4().hex)
    nas = opened(server)
    nas.initialise()
    rose.put(nas, "a/UV 100 Cup_100.png")
    assert server.folder is not None
    for name in ("Old: name?.png", "trailing dot.", "blank ", 'quo"te.png', "pipe|.png", "CON.png", "aux"):
        (server.folder / "a" / name).write_bytes(rose.content)
    names = names_in(nas, "a")
    assert len(names) == len(set(names)) == 8
    for name in names:
        assert hashlib.sha256(content_of(nas, name)).hexdigest() == rose.sha256
    for path in ("a/Old: name?.png", "a/rose.png:stream", "a/x.", "a /x.png"):
        with pytest.raises(BadPath, match="can't stand there over SMB"):
            rose.put(nas, path)
    assert len(names_in(nas, "a")) == 8


def test_links_that_lead_out_of_the_nas_are_not_followed(
    openssh: Server, samba: Server, opened: Open, tmp_path: Path, rose: Local
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(rose.content)
    for server, refused in ((openssh, BadPath), (samba, (Permanent, Retryable))):
        here = server.below(uuid.uuid4().hex)
        nas = opened(here)
        nas.initialise()
        assert here.folder is not None
        (here.folder / "a").symlink_to(outside)
        (here.folder / "secret.png").symlink_to(outside / "secret.png")
        for call in (
            lambda nas=nas: rose.put(nas, "a/new.png"),
            lambda nas=nas: content_of(nas, "a/secret.png"),
            lambda nas=nas: content_of(nas, "secret.png"),
            lambda nas=nas: nas.move("a/secret.png", "stolen.png", rose.sha256),
        ):
            with pytest.raises(refused):
                call()
        assert nas.list() == ()
    assert [path.name for path in outside.iterdir()] == ["secret.png"]


def test_a_server_without_extensions_does_as_well(bare_openssh: Server, opened: Open, rose: Local) -> None:
    nas = opened(bare_openssh.below(uuid.uuid4().hex))
    nas.initialise()
    nas.check(thorough=True)
    assert nas.free_bytes() is None
    for _ in range(2):
        rose.put(nas, "a/.staged")
    for _ in range(2):
        nas.move("a/.staged", "a/rose.png", rose.sha256)
    only_the_file_is_there(nas, rose)
    with pytest.raises(NameTaken):
        nas.put("a/rose.png", Path(__file__), hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), 1)
    with pytest.raises(NameTaken, match="in the way"):
        rose.put(nas, "a/rose.png/b.png")
    only_the_file_is_there(nas, rose)


class PasswordServer(asyncssh.SSHServer):
    """Lets one user in, by password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("maria ö", "p@ss:w/rd")


@contextlib.contextmanager
def listening(key: asyncssh.SSHKey, **options: Any) -> Iterator[int]:
    """An SSH server of asyncssh in a thread of its own, for as long as this lasts; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(HOST, 0, server_host_keys=[key], **options)

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    yield acceptor.get_port()
    loop.call_soon_threadsafe(acceptor.close)  # connections that end close it, too, and only one thread may at a time
    asyncio.run_coroutine_threadsafe(acceptor.wait_closed(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@contextlib.contextmanager
def serving(folder: Path, server: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> Iterator[Server]:
    """An SFTP server that is not OpenSSH's, and knows passwords."""
    key, chroot = asyncssh.generate_private_key("ssh-ed25519"), bytes(folder)
    access = Access(password="p@ss:w/rd", host_keys=(key.get_fingerprint(),))
    with listening(
        key, server_factory=PasswordServer, sftp_factory=lambda channel: server(channel, chroot=chroot)
    ) as port:
        yield Server(port, f"sftp://maria%20%C3%B6@{HOST}:{port}/Graphics", access, folder / "Graphics")


@pytest.fixture
def another_sftp(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        yield server


def test_another_makers_sftp_server_does_as_well_and_a_password_too(
    another_sftp: Server, opened: Open, rose: Local
) -> None:
    nas = opened(another_sftp)
    nas.initialise()
    nas.check(thorough=True)
    rose.put(nas, "a/.staged")
    nas.move("a/.staged", "a/rose.png", rose.sha256)
    only_the_file_is_there(nas, rose)
    with pytest.raises(NasUnavailable, match="refuses the login of 'maria ö'"):
        opened(replace(another_sftp, access=replace(another_sftp.access, password="wrong"))).check()
    nas.close()


class Overtaken(asyncssh.SFTPServer):
    """Renames as OpenSSH's server does (process_rename in its sftp-server.c), where every file gets its name twice.

    In the middle the other delivery finds the new name, and removes the old one as one too many.
    """

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        super().link(oldpath, newpath)
        super().remove(oldpath)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self.link(oldpath, newpath)
        try:
            self.remove(oldpath)
        except FileNotFoundError:
            self.remove(newpath)
            raise


def test_a_file_keeps_its_name_when_another_delivery_gives_it_to_it_in_the_same_moment(
    tmp_path: Path, opened: Open, rose: Local
) -> None:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served", Overtaken) as server:
        nas = opened(server)
        (tmp_path / "served/Graphics").mkdir()
        (tmp_path / "served/Graphics/.presswork-nas").write_text("0" * 32)
        (tmp_path / "served/Graphics/.staged").write_bytes(rose.content)
        nas.move(".staged", "rose.png", rose.sha256)
        assert content_of(nas, "rose.png") == rose.content
        nas.close()


class NoSftpServer(PasswordServer):
    """Offers no SFTP: it refuses it, or `silent` never answers. Notes in `ended` each connection that was closed."""

    def __init__(self, ended: queue.Queue[None], *, silent: bool) -> None:
        self.ended = ended
        self.silent = silent

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ended.put(None)

    def session_requested(self) -> bool | Awaitable[Any]:
        return asyncio.get_running_loop().create_future() if self.silent else False


@pytest.mark.parametrize(("silent", "words"), [(False, "offers no SFTP: switch it on"), (True, "says nothing")])
def test_a_login_that_leads_to_no_sftp_is_closed_again(*, silent: bool, words: str) -> None:
    key, ended = asyncssh.generate_private_key("ssh-ed25519"), queue.Queue[None]()
    with listening(key, server_factory=lambda: NoSftpServer(ended, silent=silent)) as port:
        host_keys, timeout_s = (key.get_fingerprint(),), 3 if silent else 30
        line = Line(SshLogin(HOST, port, "maria ö", "p@ss:w/rd", "", host_keys, timeout_s))
        with pytest.raises((NasUnavailable, OSError), match=words):
            line.client()
        ended.get(timeout=5)  # Empty: the client left its connection open


def test_an_s3_server_that_knows_no_conditions_is_looked_at_first(moto: Server, opened: Open, rose: Local) -> None:
    server = moto.below(uuid.uuid4().hex)
    nas = opened(replace(server, url=f"{server.url}&conditional=no"))
    nas.initialise()
    nas.check(thorough=True)
    rose.put(nas, "a/.staged")
    nas.move("a/.staged", "a/rose.png", rose.sha256)
    only_the_file_is_there(nas, rose)


def test_an_object_whose_name_is_no_path_is_told_of_and_stops_nothing_but_the_listing_of_its_folder(
    moto: Server, opened: Open, rose: Local
) -> None:
    """Other programs make `cups//lily.png` by a slash too many; the library then lists nothing of `cups`."""
    server = moto.below(uuid.uuid4().hex)
    nas = opened(server)
    nas.initialise()
    root = f"http://{HOST}:{server.port}/bucket/Graphics/{server.url.partition('?')[0].rpartition('/')[2]}"
    httpx.put(f"{root}/cups//lily.png", content=b"lily", trust_env=False).raise_for_status()

    rose.put(nas, "cups/rose.png")
    nas.sweep(older_than_s=3600)
    folder = nas.stat("cups")

    assert folder
    assert folder.is_directory
    assert nas.verify("cups/rose.png", rose.sha256, rose.size)
    assert [found.path for found in nas.list()] == ["cups"]
    with pytest.raises(BadPath, match=r"rename or remove this in the bucket.*/cups//"):
        nas.list("cups")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, NasUnavailable, "refuses this key"),
        (503, NasUnavailable, "does not answer"),
        (507, NasFull, "free some space"),
    ],
)
def test_what_an_s3_server_refuses_is_said_in_words(
    opened: Open, status: int, kind: type[Exception], words: str
) -> None:
    class Refuses(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = answer  # noqa: N815 - as the library calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Refuses) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"s3://key@bucket/Graphics?endpoint=http://{HOST}:{http.server_port}"
        with pytest.raises(kind, match=words) as refusal:
            opened(Server(http.server_port, url, Access(password="secret"))).check()
        assert "secret" not in str(refusal.value)
        assert len(str(refusal.value)) < 300, "or its end, which says what to do, is cut off where people read it"
        http.shutdown()
