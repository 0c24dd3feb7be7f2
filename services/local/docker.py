"""Run one official image with the docker client, as a child that ends with us."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.local.process import claim, start, stop

LIMIT_S = 3.0


@dataclass(frozen=True)
class Image:
    """What to run. `stop_signal` is the one that makes the server inside stop cleanly and soon."""

    name: str
    data: str
    stop_signal: signal.Signals


RABBITMQ = Image("rabbitmq:4-management", "/var/lib/rabbitmq", signal.SIGTERM)
POSTGRES = Image("postgres:18", "/var/lib/postgresql", signal.SIGINT)


def answers() -> bool:
    """Whether a Docker engine answers; the client alone is not enough."""
    client = shutil.which("docker")
    if client is None:
        return False
    try:
        asked = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [client, "info"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


@contextlib.contextmanager
def container(
    image: Image, data_dir: Path, *, ports: Mapping[int, int], settings: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `image` with its data in `data_dir`; `ports` maps the image's ports to ours on 127.0.0.1.

    Raises:
        NotStarted: another presswork uses `data_dir`.
    """
    data_dir = data_dir.resolve()
    name = f"presswork-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    client = shutil.which("docker") or "docker"
    options = ["--rm", "--name", name, "--hostname", "presswork", "--volume", f"{data_dir / 'data'}:{image.data}"]
    for inside, outside in ports.items():
        options += ["--publish", f"127.0.0.1:{outside}:{inside}"]
    for setting in settings:  # without a value: docker takes it from its environment, and `ps` shows no password
        options += ["--env", setting]
    with claim(data_dir) as lock:
        # one that a killed client left behind has our folder mounted
        subprocess.run([client, "rm", "--force", name], capture_output=True, check=False)  # noqa: S603
        process = start(
            [client, "run", *options, image.name],
            when_orphaned=image.stop_signal.name.removeprefix("SIG"),
            log=data_dir / "docker.log",
            env=os.environ | dict(settings),
            inherit=[lock],
        )
    try:
        yield process
    finally:
        stop(process, image.stop_signal, grace_s=30)
