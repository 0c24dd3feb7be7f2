"""The whole job over each kind of NAS: real designs, from upload to drafts at the stand-in for Etsy, and counted there.

    make destinations                                    200 designs over a folder, SFTP, SMB and S3
    make destinations DESIGNS=20 ARGS="sftp smb"         fewer, over some of them

The designs are drawings of Debian's openclipart-svg, where that and librsvg2-bin are installed, else drawn from a seed.
OpenSSH, Samba, moto's S3, RabbitMQ, PostgreSQL and `presswork etsy-fake` are this run's own. Exits with 1 unless every
design is stored, verified and a draft, once, with its pictures in order. Drawings that are duplicates of others, or
that no print can be made of (blank ones, say), are named, and are none.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer import echo

from services.etsy_fake.serve import settings_for
from services.etsy_fake.state import Etsy
from services.local.process import free_ports, start, stop, wait_for
from services.local.system import Plan, Running, system
from shared.nas import open_nas
from tests import backends, nas_servers
from tests.integration.etsy_setup.test_pages import CHOSEN
from tests.integration.etsy_setup.test_session import set_up
from tests.integration.publisher.etsy.conftest import TOKEN_KEY
from tests.seller import File, Seller, artworks

CLIPART = Path("/usr/share/openclipart/svg")
SEED = 20261126
PHOTOGRAPHS = 3
PATIENCE_S = 6 * 3600
KINDS: dict[str, Callable[[Path], AbstractContextManager[nas_servers.Server]] | None] = {
    "folder": None,
    "sftp": nas_servers.openssh,
    "smb": nas_servers.samba,
    "s3": nas_servers.moto,
}


@dataclass
class Row:
    """What became of the designs over one kind of NAS."""

    nas: str
    designs: int
    duplicates: int
    rejected: int
    failed: int
    stored: int
    verified: int
    drafts: int
    doubled: int
    wrong_order: int
    seconds: int

    @property
    def fine(self) -> bool:
        due = self.designs - self.duplicates - self.rejected
        right = due == self.stored == self.verified == self.drafts
        return right and not (self.failed or self.doubled or self.wrong_order)


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(description="The whole job over each kind of NAS.")
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--clipart", type=Path, default=CLIPART, help="folder of SVG files")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help=f"of {', '.join(KINDS)}; all, if none is named")
    asked = parser.parse_args()
    nas_servers.install_missing()
    backends.install_missing()
    files, source = drawings(asked.clipart, asked.designs)
    echo(f"{len(files)} designs ({source}), {sum(len(data) for _, data in files) / 1e6:.1f} MB")
    rows = []
    with tempfile.TemporaryDirectory(prefix="presswork-destinations-", dir="/var/tmp") as home:
        folder = Path(home)
        with backends.postgres(folder / "postgres") as postgres, backends.rabbit(folder / "rabbit") as rabbit:
            for kind in asked.kinds or KINDS:
                with backends.virtual_host(rabbit) as amqp_url, backends.new_database(postgres.url) as database_url:
                    settings = {"AMQP_URL": amqp_url, "DATABASE_URL": database_url}
                    rows.append(run(kind, folder / kind, files, settings))
                echo(table(rows))
    return 0 if all(row.fine for row in rows) else 1


def run(kind: str, folder: Path, files: Sequence[File], settings: Mapping[str, str]) -> Row:
    """All designs over one kind of NAS, with a stand-in for Etsy of their own."""
    folder.mkdir()
    with ExitStack() as stack:
        etsy_url, of_etsy = stack.enter_context(etsy_fake(folder))
        (port,) = free_ports(1)
        waits = {"HTTP_WAIT_SECONDS": str(PATIENCE_S), "REGISTRATION_RATE_LIMIT": "off"}
        environment = {**settings, **of_etsy, **waits, **stack.enter_context(nas(kind, folder))}
        running = stack.enter_context(system(Plan(folder / "data", port, environment=environment), say=echo))
        with Seller(running.base_url, photographs=PHOTOGRAPHS) as seller:
            seller.http.timeout = PATIENCE_S
            set_up(seller, 77, CHOSEN)
            began = time.monotonic()
            session, designs = seller.upload(list(files))
            seller.list_designs([design["id"] for design in designs])
            seconds = time.monotonic() - began
            receipt = seller.receipt(session)
        for item in receipt["items"]:
            if item["state"] != "stored":
                echo(f"{item['state']}: {item['filename']}: {item['reason']}")
        listings = httpx.get(f"{etsy_url}/_fake/state", trust_env=False, timeout=60).json()["listings"]
        return judged(kind, receipt, verified(running, folder / "data"), listings, seconds)


def judged(kind: str, receipt: dict[str, Any], good: int, listings: list[dict[str, Any]], seconds: float) -> Row:
    """The figures, from what each end says itself."""
    titles = Counter(listing["title"] for listing in listings)
    return Row(
        nas=kind,
        designs=receipt["received"],
        duplicates=receipt["duplicate"],
        rejected=receipt["rejected"],
        failed=receipt["failed"],
        stored=receipt["stored"],
        verified=good,
        drafts=sum(listing["state"] == "draft" for listing in listings),
        doubled=sum(count - 1 for count in titles.values()),
        wrong_order=sum(not in_order(listing) for listing in listings),
        seconds=round(seconds),
    )


def in_order(listing: dict[str, Any]) -> bool:
    """Whether it has the pictures of its own number, each photograph's in its place."""
    number = listing["title"].split()[1]
    shown = [re.search(r"_(\d+)_BG_(\d+)\.", picture["name"]) for picture in listing["pictures"]]
    return [found and found.groups() for found in shown] == [(number, str(index)) for index in range(PHOTOGRAPHS)]


def verified(running: Running, data: Path) -> int:
    """How many files `presswork nas verify` finds as they were stored."""
    command = [sys.executable, "-m", "services.cli", "nas", "verify", "--data", str(data)]
    done = subprocess.run(command, env=dict(running.environment), capture_output=True, text=True, check=False)
    found = re.search(r"^(\d+) files are as they were stored", done.stdout, re.MULTILINE)
    echo(f"{done.stdout.strip()} {done.stderr.strip()}")
    return int(found[1]) if found else 0


@contextmanager
def nas(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """The settings of a NAS of this kind, taken into use; none are needed for a folder."""
    serving = KINDS[kind]
    if serving is None:
        yield {}
        return
    (folder / "nas").mkdir()
    with serving(folder / "nas") as server:
        open_nas(server.url, access=server.access).initialise(adopt=True)
        yield {
            "NAS_URL": server.url,
            "NAS_PASSWORD": server.access.password,
            "NAS_PRIVATE_KEY": server.access.private_key,
            "NAS_HOST_KEY": ",".join(server.access.host_keys),
        }


@contextmanager
def etsy_fake(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`presswork etsy-fake`, in no hurry to limit us; its address, and the settings that it prints."""
    (port,) = free_ports(1)
    url, log = f"http://127.0.0.1:{port}", folder / "etsy-fake.log"
    command = [sys.executable, "-m", "services.cli", "etsy-fake", "--port", str(port)]
    process = start(command, when_orphaned="TERM", log=log, env={"PATH": "/usr/bin:/bin"})
    limits = {"per_second": 150, "per_day": 100_000}

    def answers() -> bool | None:
        try:
            return httpx.post(f"{url}/_fake/state", json=limits, trust_env=False, timeout=60).is_success
        except httpx.TransportError:
            return None

    try:
        wait_for(answers, process, what="presswork etsy-fake", log=log, limit_s=300)
        yield url, {**settings_for(Etsy(), port), "ETSY_TOKEN_KEY": TOKEN_KEY, "ETSY_CALLS_PER_SECOND": "100"}
    finally:
        stop(process)


def drawings(clipart: Path, count: int) -> tuple[list[File], str]:
    """So many designs, and where they are from; the same ones on each machine that has the drawings."""
    program, found = shutil.which("rsvg-convert"), sorted(clipart.rglob("*.svg"))
    if program is None or len(found) < count:
        return artworks(count), f"drawn from a seed: no rsvg-convert, or no {count} drawings in {clipart}"
    random.Random(SEED).shuffle(found)

    def rendered(path: Path) -> File | None:
        command = [program, "--width=1500", "--height=1500", "--keep-aspect-ratio", str(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        return (f"{path.stem}.png", done.stdout) if done.returncode == 0 and done.stdout else None

    with ThreadPoolExecutor(2) as pool:  # some are not to be rendered, so a few more
        usable = [file for file in pool.map(rendered, found[: count + count // 4 + 5]) if file]
    return list(dict(reversed(usable)).items())[::-1][:count], f"openclipart, seed {SEED}"


def table(rows: Sequence[Row]) -> str:
    """For people."""
    lines = [
        [field.name.replace("_", " ") for field in fields(Row)],
        *([str(each) for each in astuple(r)] for r in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except pytest.skip.Exception as missing:  # as tests say it: a server that is not to be had here
        sys.exit(str(missing))
