"""The folder of a world's NAS, reached by SFTP over a line that can be cut, as the NAS of an outage."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import nas_servers
from tests.chaos.world import World
from tests.proxy import Proxy

SILENT_S = 5


@contextmanager
def reached_by_sftp(world: World, folder: Path, **settings: str) -> Iterator[Proxy]:
    """Storage and ingest reach the NAS by OpenSSH for the length of the block, and have these settings; the line."""
    processes = world.running.processes
    usual = processes.environment
    nas_servers.install_missing()
    with nas_servers.openssh(folder) as server, Proxy(server.port).running() as line:
        url = server.through(line.port).url.replace(str(server.folder), str(world.nas))
        access = {"NAS_PRIVATE_KEY": server.access.private_key, "NAS_HOST_KEY": ",".join(server.access.host_keys)}
        processes.environment = {**usual, "NAS_URL": f"{url}?timeout={SILENT_S}", **access, **settings}
        _begin_anew(world)
        try:
            yield line
        finally:
            processes.environment = usual
            _begin_anew(world)


def spool_bytes(world: World) -> int:
    """What lies in the blob folder."""
    total = 0
    for place, _, names in os.walk(world.running.environment["BLOB_DIR"]):
        for name in names:
            path = Path(place) / name
            total += path.stat().st_size if path.exists() else 0
    return total


def _begin_anew(world: World) -> None:
    for service in ("storage", "ingest"):
        world.restart(service, 1)
    world.until_ready()
