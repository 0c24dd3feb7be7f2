"""Accounts: who may log in, and which folder on the NAS is theirs."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.ingest.catalog.folders import lies_unclaimed
from services.ingest.tables import users
from shared.nas.names import collision_key, safe_folder_name

OVERSEERS = ("operator", "viewer")


class EmailTaken(Exception):  # noqa: N818
    """Somebody has registered with this e-mail."""


class FolderLies(Exception):  # noqa: N818
    """A folder of the shop's name lies on the NAS, and is no account's: who runs the server knows whose it is."""


@dataclass(frozen=True)
class User:
    """An account. `shop_folder` is where its files lie on the NAS, unique among all tenants."""

    id: UUID
    email: str
    shop_name: str
    shop_folder: str
    is_active: bool
    created_at: datetime
    role: str = "seller"

    @property
    def operates(self) -> bool:
        """Whether the operators' calls are open to it."""
        return self.role == "operator"

    @property
    def looks(self) -> bool:
        """Whether the operators' calls that change nothing are open to it."""
        return self.role in OVERSEERS


@dataclass(frozen=True)
class Users:
    """The accounts."""

    connection: Connection

    def active(self, user_id: UUID) -> User | None:
        """The account, if it exists and may still be used."""
        found = self.for_token(user_id)
        return found[0] if found else None

    def for_login(self, email: str) -> tuple[User, str] | None:
        """The account that may log in with this e-mail, and the hash of its password."""
        found = select(users).where(users.c.email_key == email_key(email), users.c.is_active)
        row = self.connection.execute(found).one_or_none()
        return (_user(row), row.hashed_password) if row else None

    def for_token(self, user_id: UUID) -> tuple[User, str, datetime | None] | None:
        """The account as `active` has it, the hash of its password, and when it was changed: what ends its tokens."""
        row = self.connection.execute(select(users).where(users.c.id == user_id, users.c.is_active)).one_or_none()
        return (_user(row), row.hashed_password, row.updated_at) if row else None

    def of_email(self, email: str) -> User | None:
        """The account that this e-mail reaches, though it may be closed."""
        row = self.connection.execute(select(users).where(users.c.email_key == email_key(email))).one_or_none()
        return _user(row) if row else None

    def everybody(self) -> list[User]:
        """All accounts, the closed ones too, oldest first."""
        found = select(users).order_by(users.c.created_at, users.c.email_key)
        return [_user(row) for row in self.connection.execute(found)]

    def register(
        self, email: str, hashed_password: str, shop_name: str, *, takes_what_lies_there: bool = False
    ) -> User:
        """A new account with a shop folder of its own: `shop_name`, or `shop_name 2` if that is somebody's.

        Raises:
            EmailTaken: nothing was changed.
            FolderLies: nothing was changed, as the folder may have somebody's designs.
        """
        user_id = uuid4()
        for number in count(1):
            folder = folder_name(shop_name, number)
            if not takes_what_lies_there and lies_unclaimed(self.connection, folder):
                if number > 1:
                    continue
                raise FolderLies(folder)
            new = insert(users).values(
                id=user_id,
                email=email,
                email_key=email_key(email),
                hashed_password=hashed_password,
                shop_name=shop_name,
                shop_folder=folder,
                shop_folder_key=collision_key(folder),
            )
            row = self.connection.execute(new.on_conflict_do_nothing().returning(users)).one_or_none()
            if row:
                return _user(row)
            # Either of the two keys was taken; a concurrent registration has committed by now, so this sees it.
            if self.connection.execute(select(users.c.id).where(users.c.email_key == email_key(email))).first():
                break
        raise EmailTaken

    def set_password(self, user_id: UUID, hashed_password: str, *, instead_of: str | None = None) -> bool:
        """Give an account another password: the logins by the old one are over.

        False, and nothing is changed, if the hash that is stored is not `instead_of` any more.
        """
        changed = update(users).where(users.c.id == user_id)
        if instead_of is not None:
            changed = changed.where(users.c.hashed_password == instead_of)
        done = self.connection.execute(changed.values(hashed_password=hashed_password, updated_at=func.now()))
        return done.rowcount > 0

    def set_role(self, email: str, role: str) -> User | None:
        """Make the account with this e-mail an operator's, a viewer's or a seller's; None if there is none."""
        return self._change(email, role=role)

    def set_active(self, email: str, *, active: bool) -> User | None:
        """Open or close the account with this e-mail; None if there is none."""
        return self._change(email, is_active=active)

    def operators(self) -> list[User]:
        """The accounts to which the operators' calls are open, or those that change nothing."""
        found = select(users).where(users.c.role.in_(OVERSEERS)).order_by(users.c.email)
        return [_user(row) for row in self.connection.execute(found)]

    def _change(self, email: str, **values: Any) -> User | None:  # noqa: ANN401 - columns
        mine = update(users).where(users.c.email_key == email_key(email)).values(**values, updated_at=func.now())
        row = self.connection.execute(mine.returning(users)).one_or_none()
        return _user(row) if row else None


def email_key(email: str) -> str:
    """Equal for e-mails that reach the same account."""
    return email.strip().casefold()


def folder_name(shop_name: str, number: int) -> str:
    """The shop's folder on the NAS; with a number behind it from the second of that name on."""
    name = stem = safe_folder_name(shop_name)
    if number > 1:
        name = f"{stem} {number}"
        while safe_folder_name(name) != name:  # too long for a folder: what goes is the stem's end, not the number
            stem = stem[:-1].rstrip(" .")
            name = f"{stem} {number}"
    return name


def _user(row: Row[Any]) -> User:
    return User(row.id, row.email, row.shop_name, row.shop_folder, row.is_active, row.created_at, row.role)
