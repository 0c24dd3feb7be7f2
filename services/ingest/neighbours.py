"""What ingest needs to know of the other services and of the broker, and may not ask by itself.

It knows no other service, nor who opens connections to the broker (the import rules say so). Whoever composes it does:
`services/embedded.py` asks the services, `services/cli.py` adds the broker.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.ingest.catalog.shop import ShopConnection
from services.ingest.dead_letters.jobs import Obstacles
from services.ingest.sessions.actions.reviewing import AsScanned
from services.ingest.sessions.progress.delays import QueueOf
from services.ingest.sessions.serving.uncompared import ScanOf
from services.ingest.watch import Alarms, Depths
from shared.bus.run import Inspect
from shared.bus.service import Service
from shared.contracts import Blob
from shared.nas import Nas

TemplateFault = Callable[[Blob, Blob], str | None]
"""What is wrong with a photograph's template, in words: mockup knows."""
Preview = Callable[[UUID, int | None, int], dict[str, Any]]
"""What an account's duplicates would be at another distance: dedup knows (`services/dedup/preview.py`)."""


@dataclass(frozen=True)
class Neighbours:
    """Where one of these is None, nobody knows it, and what needs it is left out."""

    nas: Nas
    """Where shops' files lie: one, or all shops' as one."""
    services: Sequence[Service] = ()
    """The handlers of all other services: for the original lane, and to tell what was cancelled (`ahead.py`)."""
    queue_of: QueueOf | None = None
    scan_of: ScanOf = lambda _connection, _user_id: None
    as_scanned: AsScanned | None = None
    shop: ShopConnection | None = None
    """None: listings go to a folder."""
    template_fault: TemplateFault | None = None
    preview: Preview | None = None
    obstacles: Obstacles = lambda _: []
    inspect: Inspect | None = None
    alarms: Alarms | None = None
    depths: Depths | None = None
