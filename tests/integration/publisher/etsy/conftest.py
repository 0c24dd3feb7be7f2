"""A stand-in for Etsy beside the test, a publisher that writes to it, and every exchange between them checked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from json import loads
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine, delete, text

from services.etsy_fake.faults import Fault
from services.etsy_fake.serve import beside
from services.etsy_fake.state import Etsy, Listing
from services.migrations.tables import METADATA
from services.publisher.etsy import calls, oauth
from services.publisher.etsy.choosing import Choices
from services.publisher.etsy.client import Client
from services.publisher.etsy.shop import EtsyTarget
from services.publisher.etsy.wiring import app_of, connections, limiter
from services.publisher.handlers import on_mockups_rendered
from services.publisher.settings import Settings
from services.publisher.store import Ledger
from shared.blobs import Blobs
from shared.contracts import ListingFailed, ListingPublished, MockupsRendered
from shared.database import engine_of
from tests import backends
from tests.etsy.description import at_hand, form_fields
from tests.etsy.seller import CHOSEN, TOKEN_KEY, consented
from tests.unit.publisher.events import TENANT, pictures, rendered

JPEG = b"\xff\xd8\xff\xe0"


@dataclass
class Exchanges:
    """Every call that was answered, to be checked at the end of the test."""

    seen: list[tuple[httpx.Request, httpx.Response]] = field(default_factory=list)

    def note(self, response: httpx.Response) -> None:
        response.read()
        response.request.read()
        self.seen.append((response.request, response))

    def problems(self) -> list[str]:
        """What is neither as our schema says, nor as Etsy's description says, where that is at hand."""
        description, found = at_hand(), []
        for request, response in self.seen:
            if request.url.path == oauth.TOKEN_PATH:
                continue
            found += ours(request, response)
            if description and response.headers.get("content-type") == "application/json":
                found += description.problems(request, response)
        return found


def ours(request: httpx.Request, response: httpx.Response) -> list[str]:
    """Against our own schema of the calls."""
    for operation in calls.OPERATIONS:
        pattern = re.sub(r"\{\w+\}", r"\\d+", operation.path)
        if operation.method != request.method or not re.fullmatch(pattern, request.url.path):
            continue
        fields = form_fields(request)
        has_file = operation.file in fields
        fields.pop(operation.file or "", None)
        json = loads(request.content) if operation.encoding == "json" else None
        operation.check(list(fields.items()), request.url.params.multi_items(), has_file=has_file, json=json)
        if response.is_success:
            operation.answer.model_validate_json(response.content)
        return []
    return [f"{request.method} {request.url.path} is none of our calls"]


@dataclass
class World:
    """A publisher, its ledger, and the stand-in that it writes to."""

    etsy: Etsy
    url: str
    settings: Settings
    engine: Engine
    blobs: Blobs
    exchanges: Exchanges
    http: httpx.Client
    target: EtsyTarget

    def arm(self, operation: str, kind: Any, **more: Any) -> None:
        """Something goes wrong with the next such call."""
        self.etsy.faults.arm(Fault(operation=operation, kind=kind, **more))

    def event(self, *images: bytes, **changes: Any) -> MockupsRendered:
        """One design with these pictures; three by default."""
        stored = [self.blobs.put(JPEG + image) for image in images or (b"first", b"second", b"third")]
        return rendered(**{"mockups": pictures(*stored), **changes})

    def handle(self, event: MockupsRendered) -> ListingPublished | ListingFailed:
        """One delivery."""
        (answer,) = on_mockups_rendered(event, Ledger(self.engine), self.target, self.blobs)
        return answer

    def publish(self, event: MockupsRendered) -> ListingPublished:
        """One delivery that must end in a listing."""
        answer = self.handle(event)
        assert isinstance(answer, ListingPublished), answer
        return answer

    def listing(self) -> Listing:
        """The only one that there is at Etsy."""
        (found,) = self.etsy.listings.values()
        return found

    def images(self) -> list[bytes]:
        """The pictures of the only listing, in order."""
        return [each.data.removeprefix(JPEG) for each in self.listing().pictures]

    def count(self, operation: str) -> int:
        """How often it was called, and answered."""
        return sum(call["operation"] == operation for call in self.etsy.log)

    def one(self, query: str) -> Any:
        """A value of the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()

    def connect(self, tenant_id: UUID = TENANT, user_id: int = 77, choices: Choices | None = CHOSEN) -> None:
        """Through the consent page, as a seller does it."""
        connected = self.target.connections
        attempt = connected.attempt(tenant_id)
        address = consented(oauth.consent_url(self.target.app, attempt), user_id)
        code = oauth.code_of(address, attempt)
        tokens = oauth.traded(self.http, self.target.app, code, attempt.verifier)
        app, limiter = self.target.app, self.target.limiter
        client = Client(self.http, app, limiter, lambda _: tokens.access_token, lambda *_: None, urgent=True)
        me = client.call(calls.ME, {})
        shop = client.call(calls.THE_SHOP, {"shop_id": me.shop_id})
        connected.connect(tenant_id, me.user_id, shop, tokens, self.settings.etsy_scopes, code)
        if choices:
            connected.choose(tenant_id, shop.shop_id, lambda _: choices)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[tuple[Etsy, str]]:
    """One server for a module; each test finds it empty."""
    etsy = Etsy()
    with beside(etsy) as url:
        yield etsy, url


@pytest.fixture(scope="package")
def engine(postgres_url: str, _template: str) -> Iterator[Engine]:
    """A migrated database for all of these tests: emptying it is much quicker than making it."""
    with backends.new_database(postgres_url, _template) as url:
        engine = engine_of(url)
        yield engine
        engine.dispose()


@pytest.fixture
def world(stand_in: tuple[Etsy, str], engine: Engine, tmp_path: Path) -> Iterator[World]:
    """Connected and set up, with nothing listed."""
    etsy, url = stand_in
    etsy.forget()
    with engine.begin() as connection:
        for metadata in METADATA:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
    etsy.limits = replace(etsy.limits, per_second=10_000)
    settings = Settings(
        publisher_target="etsy",
        etsy_keystring=etsy.keystring,
        etsy_shared_secret=etsy.shared_secret,
        etsy_token_key=TOKEN_KEY,
        etsy_api_url=url,
        etsy_consent_url=f"{url}/oauth/connect",
        etsy_calls_per_second=1000,
    )
    exchanges = Exchanges()
    with httpx.Client(timeout=5, trust_env=False, event_hooks={"response": [exchanges.note]}) as http:
        target = EtsyTarget(
            http,
            app_of(settings),
            limiter(settings, engine),
            connections(settings, engine, http),
            Ledger(engine).known,
            create_takes_s=0,
            settles_after_s=0,
        )
        world = World(etsy, url, settings, engine, Blobs(tmp_path / "blobs"), exchanges, http, target)
        world.connect()
        yield world
    assert exchanges.problems() == []


@pytest.fixture
def other_mockup(world: World) -> MockupsRendered:
    """The same design with another mockup group: another listing with the same words."""
    return world.event(b"other", mockup_id=UUID(int=9))
