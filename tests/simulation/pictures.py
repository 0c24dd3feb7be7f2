"""What the files of a life are: which are twins of each other, and which are none; and what hasher and mockup say."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from shared.blobs import Blobs
from shared.bus.service import Service
from shared.contracts import (
    BatchSubmitted,
    Blob,
    ImageFailed,
    ImageHashed,
    ImageRejected,
    MockupsRendered,
    MockupsRequested,
    RenderedMockup,
    UploadedFile,
)

Fate = Literal["fine", "rejected", "lost", "unstorable"]
FATES: tuple[Fate, ...] = ("fine", "fine", "fine", "fine", "fine", "fine", "rejected", "lost", "unstorable")
BITS_APART = 4


@dataclass(frozen=True)
class File:
    """A file as a seller sends it: a copy of a picture. It is `lost` or `unstorable` until it is tried again."""

    picture: int
    copy: int
    fate: Fate = "fine"

    @property
    def upload(self) -> Blob:
        text = f"upload {self.picture} {self.copy} {self.fate}"
        return Blob(sha256=hashlib.sha256(text.encode()).hexdigest(), size=len(text))

    @property
    def content(self) -> bytes:
        """Of its print file."""
        return f"print {self.picture} {self.copy} {self.fate}".encode()

    @property
    def look(self) -> str:
        """Both hashes. One copy and the next are near to each other, and the one after that is too far off."""
        look = int(hashlib.sha256(f"picture {self.picture}".encode()).hexdigest(), 16)
        return f"{look ^ ((1 << BITS_APART * self.copy) - 1):064x}"

    def is_twin(self, other: "File") -> bool:
        """Whether one of them alone is to be stored."""
        return self.picture == other.picture and abs(self.copy - other.copy) <= 1


@dataclass
class Pictures:
    """All files of a life by what was uploaded, and the two services that would look at them."""

    blobs: Blobs
    files: dict[str, File] = field(default_factory=dict)

    def add(self, file: File) -> Blob:
        self.files[file.upload.sha256] = file
        return file.upload

    def hasher(self) -> Service:
        service = Service("hasher")
        service.on(on_batch_submitted, pictures=self)
        return service

    def mockup(self) -> Service:
        service = Service("mockup")
        service.on(on_mockups_requested, image=self.blobs.put(b"a mockup"))
        return service

    def answer(self, batch: BatchSubmitted, file: UploadedFile) -> ImageHashed | ImageRejected | ImageFailed:
        found = self.files[file.upload.sha256]
        facts = {"tenant_id": batch.tenant_id, "session_id": batch.session_id, **file.model_dump()}
        if found.fate == "rejected":
            return ImageRejected.model_validate(facts | {"code": "not_an_image", "reason": "not an image"})
        if found.fate == "lost" and not file.generation:
            return ImageFailed.model_validate(facts | {"failed_stage": "hasher", "reason": "its bytes are lost"})
        print_file = self.blobs.put(found.content)
        if found.fate == "unstorable" and not file.generation:
            self.blobs.path(print_file).unlink()
        made = {"print_file": print_file, "canonical": print_file, "width": 1, "height": 1, "dpi": 400}
        made |= {"algorithm": "a", "phash": found.look, "dhash": found.look, "destination": batch.destination}
        made |= {"duplicates": batch.duplicates}
        return ImageHashed.model_validate(facts | made)


def on_batch_submitted(
    batch: BatchSubmitted, pictures: Pictures
) -> Iterator[ImageHashed | ImageRejected | ImageFailed]:
    for file in batch.files:
        yield pictures.answer(batch, file)


def on_mockups_requested(request: MockupsRequested, image: Blob) -> Iterator[MockupsRendered]:
    mockup = RenderedMockup(image=image, filename=f"{request.item_id}.jpg", width=1, height=1)
    yield MockupsRendered.model_validate(request.model_dump() | {"mockups": [mockup]})
