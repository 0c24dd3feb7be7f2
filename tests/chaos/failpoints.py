"""Arms the places where a process under test dies, waits or fails (`inside/sitecustomize.py` is the other end)."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import until

INSIDE = Path(__file__).parent / "inside"

ACK = "aio_pika.message:IncomingMessage.ack"
PUBLISH = "aio_pika.exchange:Exchange.publish"
SUBMIT = "services.ingest.sessions.serving.store:Sessions.submit"
DECIDE = "services.dedup.store:HashIndex.decide_once"
PREPARE = "services.hasher.preparing:prepare"
MAKE = "services.hasher.handlers:_result"
CREATE = "services.publisher.dry_run:DryRunShop.create"
ETSY_CREATE = "services.publisher.etsy.shop:EtsyShop.create"
ETSY_PICTURE = "services.publisher.etsy.shop:EtsyShop.put_picture"
REPLAY = "services.ingest.dead_letters.replaying:Replays.replay"
NAS_WRITE = "shared.nas.files:Files.write"
NAS_DIGEST = "shared.nas.files:Files.digest"
NAS_RENAME = "shared.nas.files:Files.rename_new"
AT_ETSY = (ETSY_CREATE, ETSY_PICTURE)
NAS = (NAS_WRITE, NAS_DIGEST, NAS_RENAME)
TARGETS = (ACK, PUBLISH, SUBMIT, DECIDE, PREPARE, MAKE, CREATE, REPLAY, *AT_ETSY, *NAS)


@dataclass(frozen=True)
class Shot:
    """One armed place."""

    folder: Path
    name: str

    @property
    def fired(self) -> int:
        """How often a process came by."""
        return sum(path.name.startswith(self.name) for path in (self.folder / "fired").iterdir())

    def times(self) -> list[int]:
        """When a lasting one was come by, in nanoseconds of the clock that all processes share."""
        return [int(path.name.rpartition(".")[2]) for path in (self.folder / "fired").glob(f"{self.name}.*")]

    def pids(self) -> list[int]:
        """Which processes came by a lasting one."""
        told = [path.read_text() for path in (self.folder / "fired").glob(f"{self.name}.*")]
        return [int(pid) for pid in told if pid]

    def wait(self, within_s: float = 60) -> None:
        """Until a process came by; a test whose fault did not happen has shown nothing."""
        until(lambda: self.fired, within_s=within_s, what=f"{self.name} was not reached")


@dataclass(frozen=True)
class Failpoints:
    """All the places of one system."""

    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        for name in ("armed", "fired"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to be told so that it can be hit."""
        return {
            "PYTHONPATH": str(INSIDE),
            "FAILPOINTS": str(self.folder),
            "FAILPOINT_TARGETS": ",".join(TARGETS),
        }

    def arm(
        self,
        point: str,
        when: str,
        action: str,
        *needles: str,
        service: str = "",
        skip: int = 0,
        lasting: bool = False,
    ) -> Shot:
        """Let whoever comes by do `action`: kill, sleep:<s>, oserror:<name> or raise:<module>:<class>.

        Only calls whose arguments mention every needle count. The first `skip` may pass.
        """
        shot = {"point": point, "when": when, "service": service, "needles": needles, "lasting": lasting}
        for _ in range(skip):
            self._write({**shot, "action": "pass"})
        return Shot(self.folder, self._write({**shot, "action": action}))

    def disarm(self) -> None:
        """Nothing happens any more."""
        for file in (self.folder / "armed").iterdir():
            file.unlink(missing_ok=True)

    def _write(self, shot: Mapping[str, object]) -> str:
        name = f"{next(self._numbers):06}"
        new = self.folder / f"{name}.new"
        new.write_text(json.dumps(shot))
        new.rename(self.folder / "armed" / name)
        return name
