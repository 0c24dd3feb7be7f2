"""Storage with everything it needs, and verdicts to hand it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Engine

from services.storage.allotment import Numbers
from services.storage.filing import Answer, Filing
from services.storage.handlers import (
    on_duplicate_found,
    on_image_accepted,
    on_image_failed,
    on_image_rejected,
    on_work_cancelled,
)
from services.storage.store import Designs
from shared.blobs import Blobs
from shared.contracts import (
    Blob,
    DesignStored,
    Destination,
    DuplicateFound,
    ImageAccepted,
    ImageFailed,
    ImageRejected,
    Match,
    Stage,
    UploadedFile,
    WorkCancelled,
)
from shared.nas import Nas, PathNas

FOLDER = "NorthCups/UVDTF 16oz"
NOWHERE = Blob(sha256="0" * 64, size=1)

Verdict = ImageAccepted | DuplicateFound | ImageRejected | ImageFailed | WorkCancelled
Answers = list[Answer]


class Workshop:
    """One storage process, as its handlers see it."""

    def __init__(self, engine: Engine, root: Path, nas: Nas | None = None) -> None:
        self.root = root / "nas"
        self.blobs = Blobs(root / "blobs")
        self.filing = Filing(Designs(engine), Numbers(engine), nas or PathNas(self.root, first_wait_s=0.01), self.blobs)
        self.engine = engine

    def hear(self, *events: Verdict) -> Answers:
        """All that the handlers answer to these, one after the other."""
        return [answer for event in events for answer in self._handled(event)]

    def _handled(self, event: Verdict) -> Iterable[Answer]:
        if isinstance(event, ImageAccepted):
            return on_image_accepted(event, self.filing)
        if isinstance(event, DuplicateFound):
            return on_duplicate_found(event, self.filing)
        if isinstance(event, ImageRejected):
            return on_image_rejected(event, self.filing)
        if isinstance(event, WorkCancelled):
            return on_work_cancelled(event, self.filing)
        return on_image_failed(event, self.filing)

    def files(self, folder: str = FOLDER) -> list[str]:
        """The visible files of a folder."""
        return sorted(path.name for path in (self.root / folder).glob("[!.]*"))

    def hidden(self, folder: str = FOLDER) -> list[str]:
        """The hidden ones."""
        return sorted(path.name for path in (self.root / folder).glob(".*"))

    def accepted(self, upload: "Upload", index: int, generation: int = 0, print_file: bytes = b"") -> ImageAccepted:
        """An item whose print file is in the blob store."""
        content = print_file or f"print of {upload.item(index)}".encode()
        return ImageAccepted.model_validate(
            upload.facts(index, generation)
            | {
                "upload": NOWHERE,
                "print_file": self.blobs.put(content),
                "canonical": NOWHERE,
                "width": 3800,
                "height": 1732,
                "dpi": 400,
                "algorithm": "grey512-1",
                "phash": "0" * 64,
                "dhash": "0" * 64,
                "destination": upload.destination,
            }
        )


class Upload:
    """One session of one tenant."""

    def __init__(self, **destination: object) -> None:
        self.tenant, self.session = uuid4(), uuid4()
        self.destination = Destination.model_validate({"shop": "NorthCups", "template": "UVDTF 16oz"} | destination)
        self._items: dict[int, UUID] = {}

    def item(self, index: int) -> UUID:
        return self._items.setdefault(index, uuid4())

    def facts(self, index: int, generation: int = 0) -> dict[str, object]:
        return {
            "tenant_id": self.tenant,
            "session_id": self.session,
            "item_id": self.item(index),
            "index": index,
            "generation": generation,
            "filename": f"{index}.png",
        }

    def duplicate(self, index: int, generation: int = 0) -> DuplicateFound:
        match = {"kind": "near", "distance": 2, "match": Match(source="nas"), "reason": "the same picture"}
        return DuplicateFound.model_validate(self.facts(index, generation) | match)

    def rejected(self, index: int) -> ImageRejected:
        return ImageRejected.model_validate(self.facts(index) | {"code": "not_an_image", "reason": "not an image"})

    def cancelled(self, *indexes: int, generation: int = 0) -> WorkCancelled:
        facts = [self.facts(index, generation) | {"upload": NOWHERE} for index in indexes]
        files = tuple(map(UploadedFile.model_validate, facts))
        return WorkCancelled(tenant_id=self.tenant, session_id=self.session, reason="cancelled by you", files=files)

    def failed(self, index: int, stage: Stage = "hasher", generation: int = 0) -> ImageFailed:
        return ImageFailed.model_validate(self.facts(index, generation) | {"failed_stage": stage, "reason": "gave up"})


def numbers(answers: Iterable[Answer]) -> dict[int, int]:
    """The number of each stored item, by index."""
    return {answer.index: answer.number for answer in answers if isinstance(answer, DesignStored)}


def uv(*given: int) -> list[str]:
    """The names that these numbers make."""
    return [f"UV {number} UVDTF_16oz_{number}.png" for number in given]


def lies(workshop: Workshop, stored: DesignStored) -> bool:
    """Whether exactly the design's bytes lie where the event says."""
    content = (workshop.root / stored.path).read_bytes()
    print_file = stored.print_file
    return len(content) == print_file.size and hashlib.sha256(content).hexdigest() == print_file.sha256
