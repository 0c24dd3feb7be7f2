"""What the calls work with, handed to each by FastAPI's dependencies; nothing here is global."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from services.ingest.catalog.links import FileLinks
from services.ingest.catalog.passwords import Passwords
from services.ingest.catalog.pictures import Pictures
from services.ingest.catalog.shop import NoEtsy, ShopConnection
from services.ingest.catalog.tokens import Tokens
from services.ingest.dead_letters.jobs import Obstacles
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.progress.delays import QueueOf
from services.ingest.settings import Settings
from shared.blobs import Blobs
from shared.contracts import Blob, Message
from shared.database import transaction
from shared.nas.protocol import Nas

MEGA = 10**6

Emit = Callable[[Connection, Message], None]
"""Owes a message to the other services, from the given transaction on."""


TemplateFault = Callable[[Blob, Blob], str | None]
"""What is wrong with a photograph's template, in words. The mockup service knows; whoever composes them tells us."""

ScanOf = Callable[[Connection, UUID], dict[str, Any] | None]
"""How the newest scan of a user's folder on the NAS stands. Storage knows; whoever composes us tells us."""


Preview = Callable[[UUID, int | None, int], dict[str, Any]]
"""What an account's duplicates would be at another distance; dedup knows. See `services/dedup/preview.py`."""


@dataclass(frozen=True)
class Resources:
    """Everything that a call may need."""

    settings: Settings
    engine: Engine
    nas: Nas
    emit: Emit
    broker_state: Callable[[], str]
    tokens: Tokens
    links: FileLinks
    passwords: Passwords
    pictures: Pictures
    shop: ShopConnection
    door: Door | None = None
    """Whether uploads are let in."""
    obstacles: Obstacles = lambda _: []
    """What keeps services from taking a replay."""
    template_fault: TemplateFault | None = None
    preview: Preview | None = None
    scan_of: ScanOf = lambda _connection, _user_id: None
    queue_of: QueueOf | None = None

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction: committed before the call answers."""
        return transaction(self.engine)


def build(
    settings: Settings,
    engine: Engine,
    blobs: Blobs,
    nas: Nas,
    emit: Emit,
    *,
    broker_state: Callable[[], str] = lambda: "unknown",
    passwords: Passwords | None = None,
    shop: ShopConnection | None = None,
    door: Door | None = None,
    obstacles: Obstacles = lambda _: [],
    template_fault: TemplateFault | None = None,
    preview: Preview | None = None,
    scan_of: ScanOf = lambda _connection, _user_id: None,
    queue_of: QueueOf | None = None,
) -> Resources:
    """The resources that follow from these settings. `broker_state` is a word for `/ready`, like "ok"."""
    secret = settings.jwt_secret_key.get_secret_value().encode()
    return Resources(
        settings=settings,
        engine=engine,
        nas=nas,
        emit=emit,
        broker_state=broker_state,
        tokens=Tokens(
            secret,
            timedelta(minutes=settings.user_login_access_token_expire_minutes),
            timedelta(minutes=settings.token_refresh_grace_minutes),
        ),
        links=FileLinks(secret, settings.file_link_minutes * 60),
        passwords=passwords or Passwords(),
        pictures=Pictures(
            blobs, max_bytes=settings.mockup_max_megabytes << 20, max_pixels=settings.mockup_max_megapixels * MEGA
        ),
        shop=shop or NoEtsy(dry_run=settings.publisher_target == "dry-run"),
        door=door,
        obstacles=obstacles,
        template_fault=template_fault,
        preview=preview,
        scan_of=scan_of,
        queue_of=queue_of,
    )


def _of_app(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


Using = Annotated[Resources, Depends(_of_app)]
"""A parameter of this type gets the app's resources."""
