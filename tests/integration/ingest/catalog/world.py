"""The real application on a real database, blob store and NAS folder, called as browsers call it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from fastapi import APIRouter, FastAPI
from PIL import Image
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, select
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.api.resources import Resources
from services.ingest.app import create_app
from services.ingest.catalog.passwords import Passwords
from services.ingest.sessions.tables import outbox
from shared.blobs import Blobs
from shared.contracts import StoreFile
from tests.images import saved

SECRET = "a secret that is only used in these tests, long enough for HS512 as well"
PASSWORD = "correct horse battery"
QUICK = Passwords(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
"""Each of the real ones takes a fifth of a second of the processor, for each user of each test."""


_made: dict[tuple[str, ...], FastAPI] = {}
"""By the origins that it allows: FastAPI takes a tenth of a second to see what each call's parameters are."""


def _application(resources: Resources) -> ASGIApp:
    """One that calls may go to beside another one's."""
    origins = tuple(resources.settings.allowed_origins)
    if origins not in _made:
        _made[origins] = create_app(resources)
    app = _made[origins]

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        app.state.resources = resources  # one call at a time: they come from one thread
        await app(scope, receive, send)

    return serve


@dataclass
class Browser:
    """Calls the application as a browser at one address would, in the caller's thread."""

    client: httpx.AsyncClient
    loop: asyncio.Runner

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        return self.loop.run(self.client.request(method, path, **kwargs))

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("POST", path, **kwargs)


@dataclass
class Caller:
    """One logged-in shop."""

    client: Browser
    user: dict[str, Any]
    token: str

    @property
    def id(self) -> UUID:
        return UUID(self.user["id"])

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        return self.client.request(method, path, headers=headers, **kwargs)

    def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a POST made."""
        answer = self("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class World:
    """The application and what it stands on."""

    resources: Resources
    engine: Engine
    blobs: Blobs
    nas_root: Path
    loop: asyncio.Runner
    logs: Sequence[Mapping[str, Any]]

    def client(self, *, address: str = "203.0.113.7", routers: tuple[APIRouter, ...] = ()) -> Browser:
        """A browser at this address."""
        app = create_app(self.resources) if routers else _application(self.resources)
        for router in routers:
            app.include_router(router)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))
        return Browser(httpx.AsyncClient(transport=transport, base_url="http://testserver"), self.loop)

    def owed(self) -> list[StoreFile]:
        """The files that storage was asked to copy, in order."""
        rows = select(outbox.c.data).where(outbox.c.type == "StoreFile").order_by(outbox.c.created_at, outbox.c.id)
        with self.engine.connect() as connection:
            return [StoreFile.model_validate(data) for data in connection.execute(rows).scalars()]


def registration(email: str, shop_name: str) -> dict[str, Any]:
    """What the registration page sends."""
    return {
        "email": email,
        "password": PASSWORD,
        "shop_name": shop_name,
        "registration_mode": "create",
        "organization_name": shop_name,
        "invite_code": "",
    }


def registered(client: Browser, email: str, shop_name: str) -> Caller:
    """A new shop, logged in."""
    answer = client.post("/auth/register", json=registration(email, shop_name))
    assert answer.status_code == 201, answer.text
    return Caller(client, answer.json()["user"], answer.json()["access_token"])


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "white") -> bytes:
    """An encoded picture."""
    return saved(Image.new("RGB", size, colour), kind)
