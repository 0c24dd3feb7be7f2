"""What sessions are made of, as values: what was chosen and received, and how they stand. Pure; `rows` reads them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.ingest.sessions.progress.totals import Totals
from services.ingest.sessions.progress.workload import Workload
from shared.contracts import Background, Blob, Destination, Duplicates, ListingTemplate, PrintSpec

UPLOAD_CANCELLED = "upload_cancelled"
"""A fact told with the end of an upload that was cancelled as a whole: counts don't tell it from many single files."""


@dataclass(frozen=True)
class Choice:
    """What the user chose for an upload."""

    template_id: UUID
    mockup_id: UUID | None
    canvas_config_id: UUID | None
    size_config_id: UUID | None
    print_spec: PrintSpec
    destination: Destination
    description: str | None = None
    duplicates: Duplicates | None = None
    """The policy that the upload asks for; None: the one of the account's setting."""

    def as_json(self) -> dict[str, Any]:
        """This choice as the session's row keeps it."""
        said = {"duplicates": self.duplicates} if self.duplicates else {}
        return said | {
            "template_id": str(self.template_id),
            "mockup_id": str(self.mockup_id) if self.mockup_id else None,
            "canvas_config_id": str(self.canvas_config_id) if self.canvas_config_id else None,
            "size_config_id": str(self.size_config_id) if self.size_config_id else None,
            "print_spec": self.print_spec.model_dump(mode="json"),
            "destination": self.destination.model_dump(mode="json"),
            "description": self.description,
        }


@dataclass(frozen=True)
class Wanted:
    """What listings are asked for: of this template with these mockups, in the user's shop folder.

    `target` is where they go: "dry-run", or "etsy:" and the number of the shop there; None: nobody can tell now.
    """

    shop: str
    template: ListingTemplate
    mockup_id: UUID
    backgrounds: tuple[Background, ...]
    target: str | None = None

    @property
    def request(self) -> dict[str, Any]:
        """This choice as each listing's row keeps it."""
        return {
            "shop": self.shop,
            "template": self.template.model_dump(mode="json"),
            "backgrounds": [background.model_dump(mode="json") for background in self.backgrounds],
        }


@dataclass(frozen=True)
class Received:
    """One file as it was received. `refused` says why it is not worth looking into (too large, say)."""

    filename: str
    upload: Blob
    refused: str | None = None


@dataclass(frozen=True)
class Session:
    """A session as it stands."""

    id: UUID
    user_id: UUID
    client_key: str
    state: str
    lane: str | None
    totals: Totals
    last_seq: int
    percent: float
    announced_at: datetime
    submitted_at: datetime | None
    settled_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None = None
    lane_reason: str | None = None
    duplicates: str | None = None
    reopened_at: datetime | None = None
    """When it was taken up again after its end, or some of its files after all of theirs; the last time."""
    workload: Workload = field(default_factory=Workload)

    @property
    def files_settled(self) -> bool:
        """Whether every file that was sent has its end state."""
        return self.submitted_at is not None and self.totals.in_progress == 0

    @property
    def begun_at(self) -> datetime:
        """What people wait for since then: a pause between an end and going on is no part of it."""
        return self.reopened_at or self.announced_at

    @property
    def finished(self) -> bool:
        return self.state == "finished"


@dataclass(frozen=True)
class Event:
    """One entry of a session's timeline."""

    seq: int
    type: str
    item_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime

    @property
    def totals(self) -> Totals:
        """The counts of its session as they were when it happened."""
        return Totals(**self.payload["totals"])

    @property
    def cancels_upload(self) -> bool:
        return UPLOAD_CANCELLED in self.payload
