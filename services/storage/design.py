"""An accepted item on its way to the NAS, what is told of it, and the message that answers for it. Pure."""

from dataclasses import dataclass
from uuid import UUID

from services.storage.placing import design_folder, design_name, staging_path
from shared.contracts import DesignStored, ImageAccepted, ItemEvent, StorageFailed

UNNUMBERED = ("accepted", "placed")
"""States of what waits for its number."""
NUMBERED = ("numbered", "stored")
"""States of what has its number."""
GIVEN_UP = ("rejected", "failed")
"""States of what will have no file, although dedup may believe that it will. (Of a duplicate dedup knows.)"""
SETTLED = ("duplicate", *GIVEN_UP)
"""States of what will have no file."""


@dataclass(frozen=True)
class Cause:
    """A message, by what it says: the same whenever it is delivered, on every machine."""

    type: str
    item_id: UUID
    generation: int

    @classmethod
    def of(cls, event: ItemEvent) -> "Cause":
        return cls(type(event).__name__, event.item_id, event.generation)


@dataclass(frozen=True)
class Design:
    """An accepted item, with the number and the fate that it has so far."""

    event: ImageAccepted
    state: str
    number: int | None = None
    reason: str | None = None

    @property
    def folder(self) -> str:
        """The folder on the NAS that the design belongs into."""
        place = self.event.destination
        return design_folder(place.shop, place.template, digital=place.digital)

    @property
    def staging(self) -> str:
        """Where its file waits for the number."""
        return staging_path(self.folder, self.event.item_id, self.event.generation)

    @property
    def overtaken(self) -> list[str]:
        """Where files of the item's earlier generations may still wait, for nothing."""
        return [staging_path(self.folder, self.event.item_id, earlier) for earlier in range(self.event.generation)]

    @property
    def name(self) -> str:
        """The file name that its number gives it."""
        if self.number is None:
            raise ValueError(f"{self.event.filename} has no number yet")
        return design_name(self.event.destination.template, self.number, digital=self.event.destination.digital)

    @property
    def path(self) -> str:
        """Where it is to lie under that name."""
        return f"{self.folder}/{self.name}"

    def outcome(self) -> DesignStored | StorageFailed | None:
        """What there is to tell of it: nothing while it is on its way."""
        facts = self.event.model_dump(
            include={"tenant_id", "session_id", "item_id", "index", "generation", "filename", "print_file"}
        )
        if self.state == "stored":
            facts |= {"number": self.number, "name": self.name, "path": self.path}
            return DesignStored.model_validate(facts | {"digital": self.event.destination.digital})
        if self.state in GIVEN_UP:
            return StorageFailed.model_validate(facts | {"reason": self.reason})
        return None
