"""The NAS servers, each started once per test process, and by the first test that needs it."""

from collections.abc import Iterator

import pytest

from tests import nas_servers
from tests.nas_servers import Server

# what a server may lack: Synology's and other vendors' SFTP servers know none of them
EXTENSIONS = ("posix-rename", "statvfs", "fstatvfs", "fsync", "hardlink", "limits")


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nas_servers.openssh(tmp_path_factory.mktemp("openssh")) as server:
        yield server


@pytest.fixture(scope="session")
def bare_openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nas_servers.openssh(tmp_path_factory.mktemp("bare-openssh"), without=EXTENSIONS) as server:
        yield server


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nas_servers.samba(tmp_path_factory.mktemp("samba")) as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with nas_servers.moto(tmp_path_factory.mktemp("moto")) as server:
        yield server
