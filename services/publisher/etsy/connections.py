"""The connected shops: tokens sealed at rest, refreshed by one process at a time, and saved before they are used."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from services.publisher.etsy.answers import ShopAnswer, TokensAnswer
from services.publisher.etsy.choosing import Choices, Options
from services.publisher.etsy.oauth import Attempt
from services.publisher.etsy.sealing import OtherKey, Seal
from services.publisher.etsy.tables import attempts, connections
from services.publisher.etsy.words import RECONNECT
from services.publisher.shop import NotAuthorised, Replaced
from shared.database import transaction

EARLY = timedelta(seconds=90)  # a token that runs out during a call is no use
REFRESH_LIVES = timedelta(days=90)
KEEP_ALIVE = timedelta(days=30)
ATTEMPT_LIVES = timedelta(hours=1)
REFRESH_LOCK_WAIT_MS = 20_000  # longer than the refresh of another process takes

NOT_CONNECTED = "no Etsy shop is connected to this account: connect it on the account page, or: presswork etsy connect"

OTHER_APP = (
    "this shop was connected with another app of Etsy than ETSY_KEYSTRING names now: put that app's keys back, or "
    + RECONNECT
)

Refresh = Callable[[str], TokensAnswer]


@dataclass(frozen=True)
class Connected:
    """A tenant's shop. `broken` says why a person must connect it again."""

    tenant_id: UUID
    user_id: int
    shop_id: int
    shop_name: str
    scopes: tuple[str, ...]
    broken: str | None
    choices: Choices
    options: Options | None
    refresh_expires_at: datetime
    refreshed_at: datetime

    @property
    def target(self) -> str:
        """Its listings are on record under this: another shop, connected in its place, begins anew."""
        return f"etsy:{self.shop_id}"

    def trouble(self, now: datetime) -> str | None:
        """Why it can't be used, if it can't."""
        if self.refresh_expires_at <= now:
            return f"the connection to Etsy has run out after 90 days without use: {RECONNECT}"
        return self.broken


@dataclass(frozen=True)
class Connections:
    """All of them. `refresh` asks Etsy for new tokens, as the app with this digest.

    Another app's are not refreshed: Etsy would call them void, and they are not.
    """

    engine: Engine
    seal: Seal
    refresh: Refresh
    app: str
    uncommitted: dict[str, TokensAnswer] = field(default_factory=dict)
    """New tokens by the old refresh token (sealed) that Etsy took for them, and does not take again."""

    def find(self, tenant_id: UUID) -> Connected | None:
        """The tenant's shop, whether it works or not."""
        with transaction(self.engine) as connection:
            row = connection.execute(select(connections).where(connections.c.tenant_id == tenant_id)).one_or_none()
        return self._connected(row) if row else None

    def all(self) -> list[Connected]:
        """Every connected shop."""
        with transaction(self.engine) as connection:
            return [self._connected(row) for row in connection.execute(select(connections)).all()]

    def working(self, tenant_id: UUID) -> Connected:
        """The tenant's shop.

        Raises:
            NotAuthorised: there is none, or a person must connect it again.
        """
        found = self.find(tenant_id)
        if found is None:
            raise NotAuthorised(NOT_CONNECTED)
        if trouble := found.trouble(datetime.now(UTC)):
            raise NotAuthorised(trouble)
        return found

    def attempt(self, tenant_id: UUID) -> Attempt:
        """The tenant's way to the consent page: the same one until it was used, as pages ask for it more than once."""
        new = Attempt.new()
        values = {"verifier": self.seal.closed(new.verifier), "state": new.state, "begun_at": func.now()}
        row = insert(attempts).values(tenant_id=tenant_id, **values)
        stale = attempts.c.begun_at < func.now() - ATTEMPT_LIVES
        with transaction(self.engine) as connection:
            connection.execute(row.on_conflict_do_update(constraint=attempts.primary_key, set_=values, where=stale))
            found = connection.execute(select(attempts).where(attempts.c.tenant_id == tenant_id)).one()
        return Attempt(self._opened(found.verifier), found.state)

    def made_with(self, tenant_id: UUID, code: str) -> bool:
        """Whether the tenant's connection was made with this code of the consent page."""
        mine = select(connections.c.code).where(connections.c.tenant_id == tenant_id)
        with transaction(self.engine) as connection:
            return connection.execute(mine).scalar_one_or_none() == _digest(code)

    def connect(
        self, tenant_id: UUID, user_id: int, shop: ShopAnswer, tokens: TokensAnswer, scopes: str, code: str
    ) -> None:
        """Keep a new connection. Its choices stay if it is the same shop again.

        Raises:
            NotAuthorised: the shop belongs to another account here.
        """
        about = {"user_id": user_id, "shop_id": shop.shop_id, "shop_name": shop.shop_name, "scopes": scopes}
        values = {**about, **self._sealed(tokens), "code": _digest(code), "connected_at": func.now()}
        same = connections.c.shop_id == shop.shop_id
        row = insert(connections).values(tenant_id=tenant_id, **values)
        try:
            with transaction(self.engine) as connection:
                other = delete(connections).where(connections.c.tenant_id == tenant_id, ~same)
                connection.execute(other)
                connection.execute(row.on_conflict_do_update(constraint=connections.primary_key, set_=values))
                connection.execute(delete(attempts).where(attempts.c.tenant_id == tenant_id))
        except IntegrityError as error:
            raise NotAuthorised(
                f"the Etsy shop {shop.shop_name} is connected to another account here: disconnect it there first"
            ) from error

    def access(self, tenant_id: UUID, refused: str | None, shop_id: int | None = None) -> str:
        """An access token that is good for a while; another one than Etsy has just `refused`. Of this shop, if any.

        Raises:
            NotAuthorised: a person must connect the shop again.
            Replaced: another shop is connected now.
            Unreachable: Etsy can't be asked for one now.
        """
        with transaction(self.engine) as connection:
            if usable := self._usable(self._row(connection, tenant_id, shop_id), refused):
                return usable
        with transaction(self.engine) as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = {REFRESH_LOCK_WAIT_MS}"))
            # however late Etsy answers: the old tokens are good for nothing then
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            row = self._row(connection, tenant_id, shop_id, lock=True)
            # another process may have been quicker
            found = self._usable(row, refused) or self._refreshed(connection, row)
        self.uncommitted.pop(row.refresh_token, None)
        if isinstance(found, NotAuthorised):  # raised within the transaction it would undo what that wrote down
            raise found
        return found

    def refuse(self, tenant_id: UUID, token: str, why: str) -> None:
        """Keep that Etsy refuses this access token for good: a person must connect the shop again.

        A connection that has another token by now is left as it is: it was made, or refreshed, meanwhile.
        """
        with transaction(self.engine) as connection:
            mine = select(connections).where(connections.c.tenant_id == tenant_id).with_for_update()
            row = connection.execute(mine).one_or_none()
            if row is not None and self._opened(row.access_token) == token:
                self._set(connection, tenant_id, broken=why)

    def keep_alive(self, tenant_id: UUID) -> None:
        """Refresh a connection that was not used for a month: after three it would be lost."""
        found = self.find(tenant_id)
        if found and not found.broken and found.refreshed_at < datetime.now(UTC) - KEEP_ALIVE:
            with transaction(self.engine) as connection:
                refused = self._opened(self._row(connection, tenant_id).access_token)
            self.access(tenant_id, refused)

    def choose(self, tenant_id: UUID, shop_id: int, change: Callable[[Choices], Choices]) -> Choices:
        """Keep what was chosen in set-up for this shop: a change of what is chosen by now, as others choose, too.

        Raises:
            NotAuthorised: it is not connected any more.
            Replaced: another shop is connected now, of which nothing was chosen.
        """
        with transaction(self.engine) as connection:
            row = self._row(connection, tenant_id, shop_id, lock=True)
            choices = change(Choices.model_validate(row.choices))
            self._set(connection, tenant_id, choices=choices.model_dump(mode="json"))
        return choices

    def offer(self, tenant_id: UUID, shop_id: int, options: Options) -> None:
        """Keep what this shop has to choose from.

        Raises:
            NotAuthorised: it is not connected any more.
            Replaced: another shop is connected now, which has other things.
        """
        with transaction(self.engine) as connection:
            self._row(connection, tenant_id, shop_id, lock=True)
            self._set(connection, tenant_id, options=options.model_dump(mode="json"), options_at=func.now())

    def forget(self, tenant_id: UUID) -> bool:
        """Forget the tokens; whether there were any."""
        with transaction(self.engine) as connection:
            gone = connection.execute(delete(connections).where(connections.c.tenant_id == tenant_id))
            connection.execute(delete(attempts).where(attempts.c.tenant_id == tenant_id))
        return bool(gone.rowcount)

    def _row(
        self, connection: Connection, tenant_id: UUID, shop_id: int | None = None, *, lock: bool = False
    ) -> Row[Any]:
        mine = select(connections).where(connections.c.tenant_id == tenant_id)
        mine = mine.with_for_update() if lock else mine
        # one that was replaced while we waited for it is gone, and the new one shows at a second look
        row = connection.execute(mine).one_or_none() or connection.execute(mine).one_or_none()
        if row is None:
            raise NotAuthorised(NOT_CONNECTED)
        if shop_id not in (None, row.shop_id):
            raise Replaced(f"another shop was connected meanwhile ({row.shop_name}): listings go there now")
        if trouble := self._trouble(row):
            raise NotAuthorised(trouble)
        return row

    def _trouble(self, row: Row[Any]) -> str | None:
        other = row.app not in (None, self.app)
        return row.broken or (OTHER_APP if other else None)

    def _refreshed(self, connection: Connection, row: Row[Any]) -> str | NotAuthorised:
        old = row.refresh_token
        try:
            tokens = self.uncommitted.get(old) or self.refresh(self._opened(old))
        except NotAuthorised as error:
            self._set(connection, row.tenant_id, broken=str(error))
            return error
        self.uncommitted[old] = tokens  # should the database go away now, it is asked again, and Etsy is not
        self._set(connection, row.tenant_id, **self._sealed(tokens))
        return tokens.access_token

    def _usable(self, row: Row[Any], refused: str | None) -> str | None:
        token = self._opened(row.access_token)
        return token if token != refused and row.access_expires_at > datetime.now(UTC) + EARLY else None

    def _sealed(self, tokens: TokensAnswer) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "access_token": self.seal.closed(tokens.access_token),
            "refresh_token": self.seal.closed(tokens.refresh_token),
            "access_expires_at": now + timedelta(seconds=tokens.expires_in),
            "refresh_expires_at": now + REFRESH_LIVES,
            "refreshed_at": now,
            "broken": None,
            "app": self.app,
        }

    def _opened(self, sealed: str) -> str:
        try:
            return self.seal.opened(sealed)
        except OtherKey as error:
            raise NotAuthorised(
                "the tokens of Etsy were sealed with another ETSY_TOKEN_KEY: put that key back, or connect again"
            ) from error

    def _set(self, connection: Connection, tenant_id: UUID, **values: object) -> None:
        connection.execute(update(connections).where(connections.c.tenant_id == tenant_id).values(**values))

    def _connected(self, row: Row[Any]) -> Connected:
        return Connected(
            tenant_id=row.tenant_id,
            user_id=row.user_id,
            shop_id=row.shop_id,
            shop_name=row.shop_name,
            scopes=tuple(row.scopes.split()),
            broken=self._trouble(row),
            choices=Choices.model_validate(row.choices),
            options=Options.model_validate(row.options) if row.options else None,
            refresh_expires_at=row.refresh_expires_at,
            refreshed_at=row.refreshed_at,
        )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
