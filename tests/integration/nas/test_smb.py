"""How a file gets its name over SMB: by a hard link, and where there are none by a rename."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import smbclient
from smbprotocol.exceptions import SMBOSError
from smbprotocol.header import NtStatus

from shared.nas import Nas, open_nas
from shared.nas.errors import NameTaken
from tests.nas_servers import Server

pytestmark = pytest.mark.nas
NO_LINKS = [NtStatus.STATUS_NOT_SUPPORTED, NtStatus.STATUS_INVALID_DEVICE_REQUEST, NtStatus.STATUS_ACCESS_DENIED]


@pytest.fixture
def nas(samba: Server) -> Iterator[Nas]:
    server = samba.below(uuid.uuid4().hex)
    found = open_nas(server.url, access=server.access, first_wait_s=0.02)
    found.initialise()
    yield found
    found.close()


def put(nas: Nas, folder: Path, path: str, content: bytes) -> str:
    file = folder / "design.png"
    file.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    nas.put(path, file, sha256, len(content))
    return sha256


def test_a_name_is_given_by_a_link_as_renames_at_the_same_moment_overwrite(
    nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(source: str, target: str, **_options: str) -> None:
        pytest.fail(f"{source} was renamed to {target}")

    monkeypatch.setattr(smbclient, "rename", rename)
    sha256 = put(nas, tmp_path, "a/.1.staged", b"rose")
    nas.move("a/.1.staged", "a/1.png", sha256)
    assert [found.path for found in nas.list("a")] == ["a/1.png"]


@pytest.mark.parametrize("status", NO_LINKS, ids=hex)
def test_a_server_without_hard_links_renames_and_takes_nobodys_name(
    status: int, nas: Nas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: str, _target: str, **_options: str) -> None:
        raise SMBOSError(status, source)

    monkeypatch.setattr(smbclient, "link", link)
    put(nas, tmp_path, "a/1.png", b"rose")
    lily = put(nas, tmp_path, "a/.2.staged", b"lily")
    with pytest.raises(NameTaken):
        nas.move("a/.2.staged", "a/1.png", lily)
    nas.move("a/.2.staged", "a/2.png", lily)
    assert b"".join(nas.read("a/1.png")) + b"".join(nas.read("a/2.png")) == b"roselily"
