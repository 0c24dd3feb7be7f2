"""Which account here one of the old system is, and which folder on the NAS it gets. Used inside a transaction."""

from dataclasses import dataclass
from itertools import count
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from services.ingest.catalog.users import email_key, folder_name
from services.ingest.tables import imported, users
from shared.nas.names import collision_key


class Found(NamedTuple):
    """An account that is here."""

    id: UUID
    email: str
    shop_folder: str


@dataclass(frozen=True)
class Accounts:
    """The accounts that are here."""

    connection: Connection

    def of_id(self, user_id: UUID) -> Found | None:
        """The account with this id."""
        return self._found(user_id=user_id)

    def of_email(self, email: str) -> Found | None:
        """The account that this e-mail reaches."""
        return self._found(email=email_key(email))

    def came_from_there(self, user_id: UUID) -> bool:
        """Whether an account was copied from the old system."""
        mine = select(imported.c.id).where(imported.c.kind == users.name, imported.c.id == user_id)
        return self.connection.execute(mine).first() is not None

    def free_folder(self, wanted: str) -> str:
        """The folder that is wanted, or one with a number behind if that is somebody's."""
        for number in count(1):
            folder = folder_name(wanted, number)
            taken = select(users.c.id).where(users.c.shop_folder_key == collision_key(folder))
            if self.connection.execute(taken).first() is None:
                return folder
        raise AssertionError("numbers don't end")

    def _found(self, *, user_id: UUID | None = None, email: str | None = None) -> Found | None:
        which = users.c.id == user_id if user_id else users.c.email_key == email
        mine = select(users.c.id, users.c.email, users.c.shop_folder).where(which)
        row = self.connection.execute(mine).one_or_none()
        return Found(*row) if row else None
