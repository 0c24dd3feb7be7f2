"""Dedup and storage together on the in-process bus: right whatever the order and number of deliveries."""

import itertools
import random
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.blobs import Blobs
from shared.bus.envelope import Envelope
from shared.contracts import (
    DesignStored,
    Destination,
    DuplicateFound,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    ItemEvent,
    StorageFailed,
)
from shared.nas import PathNas
from tests.integration.storage.pipeline import Watcher, run
from tests.unit.dedup.pictures import ALGORITHM, flipped, random_hash

FOLDER = "NorthCups/UVDTF 16oz"


class Upload:
    """A session whose files are copies of a few pictures, some of them unreadable or lost."""

    def __init__(self, blobs: Blobs, tenant: UUID, dice: random.Random, looks: list[str], count: int) -> None:
        self.session = uuid4()
        self.looks: dict[UUID, str] = {}
        self.events: list[ItemEvent] = []
        for index in range(count):
            item = uuid4()
            facts = {
                "tenant_id": tenant, "session_id": self.session, "item_id": item, "index": index,
                "filename": f"{index}.png",
            }  # fmt: skip
            fate = dice.random()
            if fate < 0.1:
                self.events.append(ImageRejected(**facts, code="not_an_image", reason="not an image"))
            elif fate < 0.15:
                self.events.append(ImageFailed(**facts, failed_stage="hasher", reason="gave up"))
            else:
                look = dice.choice(looks)
                self.looks[item] = look
                self.events.append(self._hashed(blobs, facts, dice, look, lost=dice.random() < 0.15))

    def _hashed(
        self, blobs: Blobs, facts: dict[str, object], dice: random.Random, look: str, *, lost: bool
    ) -> ImageHashed:
        print_file = blobs.put(f"print of {facts['item_id']}".encode())
        if lost:  # so that storing it fails for good, and its duplicates must take over
            blobs.path(print_file).unlink()
        return ImageHashed.model_validate(
            facts
            | {
                "upload": {"sha256": f"{dice.getrandbits(256):064x}", "size": 1},
                "print_file": print_file,
                "canonical": print_file,
                "width": 3800,
                "height": 1732,
                "dpi": 400,
                "algorithm": ALGORITHM,
                "phash": flipped(look, dice.randrange(128), 128 + dice.randrange(128)),
                "dhash": random_hash(),
                "destination": Destination(shop="NorthCups", template="UVDTF 16oz"),
            }
        )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_delivered_when_and_how_often_numbers_are_gap_free_and_twins_stored_once(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    dice, tenant, watcher = random.Random(seed), uuid4(), Watcher()
    PathNas(tmp_path / "nas").initialise()
    blobs = Blobs(tmp_path / "blobs")
    looks = [random_hash() for _ in range(8)]
    uploads = [Upload(blobs, tenant, dice, looks, count) for count in (14, 9)]
    envelopes = [
        Envelope(uuid4(), event, "hasher", str(upload.session)) for upload in uploads for event in upload.events
    ]
    deliveries = envelopes + dice.sample(envelopes, len(envelopes) // 2)
    dice.shuffle(deliveries)
    run(database_url, tmp_path, watcher, deliveries)

    assert watcher.dead == []
    stored, newest = watcher.stored(), watcher.newest()
    files = {path.name for path in (tmp_path / "nas" / FOLDER).iterdir()}
    assert files == {design.name for design in stored.values()}, "exactly what was told lies there, and nothing hidden"
    assert sorted(design.number for design in stored.values()) == list(range(100, 100 + len(stored)))
    for upload in uploads:
        assert {event.item_id for event in upload.events} <= newest.keys(), "every file has a last word"
        mine = [stored[e.item_id] for e in upload.events if e.item_id in stored]
        first_tries = [design.number for design in mine if design.generation == 0]
        assert first_tries == sorted(first_tries), "in order of upload"
    ends = {DesignStored, DuplicateFound, ImageRejected, ImageFailed, StorageFailed}
    assert {type(event) for event in newest.values()} <= ends
    looks_of = {item: look for upload in uploads for item, look in upload.looks.items()}
    for look, items in itertools.groupby(sorted(looks_of, key=looks_of.__getitem__), key=looks_of.__getitem__):
        members = list(items)
        fates = [type(newest[item]) for item in members]
        storable = [i for i in members if not isinstance(newest[i], StorageFailed)]
        assert fates.count(DesignStored) == (1 if storable else 0), f"of the copies of {look[:8]} one is stored"
