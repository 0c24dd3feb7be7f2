"""What the calls work with, handed to each by FastAPI's dependencies; nothing here is global."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from services.ingest.catalog.links import FileLinks
from services.ingest.catalog.passwords import Passwords
from services.ingest.catalog.pictures import Pictures
from services.ingest.catalog.shop import NoEtsy, ShopConnection
from services.ingest.catalog.tokens import Tokens
from services.ingest.neighbours import Neighbours
from services.ingest.sessions.intake.admission import Door
from services.ingest.sessions.serving.upload_calls import Desk
from services.ingest.settings import Settings
from shared.blobs import Blobs
from shared.contracts import Message
from shared.database import transaction

MEGA = 10**6

Emit = Callable[[Connection, Message], None]
"""Owes a message to the other services, from the given transaction on."""


@dataclass(frozen=True)
class Resources:
    """Everything that a call may need."""

    settings: Settings
    engine: Engine
    emit: Emit
    neighbours: Neighbours
    broker_state: Callable[[], str]
    tokens: Tokens
    links: FileLinks
    passwords: Passwords
    pictures: Pictures
    shop: ShopConnection
    door: Door | None = None
    """Whether uploads are let in."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction: committed before the call answers."""
        return transaction(self.engine)


def build(
    settings: Settings,
    engine: Engine,
    blobs: Blobs,
    emit: Emit,
    neighbours: Neighbours,
    *,
    broker_state: Callable[[], str] = lambda: "unknown",
    passwords: Passwords | None = None,
    door: Door | None = None,
) -> Resources:
    """The resources that follow from these settings. `broker_state` is a word for `/ready`, like "ok"."""
    secret = settings.jwt_secret_key.get_secret_value().encode()
    return Resources(
        settings=settings,
        engine=engine,
        emit=emit,
        neighbours=neighbours,
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
        shop=neighbours.shop or NoEtsy(dry_run=settings.publisher_target == "dry-run"),
        door=door,
    )


def _of_app(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


Using = Annotated[Resources, Depends(_of_app)]
"""A parameter of this type gets the app's resources."""


async def _desk_of_app(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


AtDesk = Annotated[Desk, Depends(_desk_of_app)]
"""A parameter of this type gets the desk that takes the app's uploads."""
