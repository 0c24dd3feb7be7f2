"""What is known of a picture that a tenant has. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts import Blob

BITS = 256
"""How many a hash has."""

Source = Literal["session", "nas", "database"]


@dataclass(frozen=True)
class Known:
    """A picture that the tenant has: of an upload in work, stored, found on the NAS, or of the old system."""

    source: Source
    algorithm: str
    phash: str | None
    dhash: str | None
    item_id: UUID | None = None
    session_id: UUID | None = None
    stored: bool = True
    upload_sha256: str | None = None
    print_sha256: str | None = None
    filename: str | None = None
    name: str | None = None
    path: str | None = None
    artwork: tuple[int, int] | None = None
    """Width and height of what is visible of the upload, where that is known."""
    row: int = 0
    """Its id in the table `hashes`; less than 0 for one that is claimed in the same go and has no row yet."""
    canonical: Blob | None = None

    @property
    def content(self) -> str | None:
        """What it is, whichever upload brought it; of what the old system only lists, where it is."""
        listed = hashlib.sha256(self.path.encode()).hexdigest() if self.path else None
        return self.upload_sha256 or self.print_sha256 or listed
