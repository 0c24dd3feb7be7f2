"""Shop folders that lie on the NAS, as `presswork init` found them: who registers waits for no NAS."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from services.ingest.tables import nas_folders, users
from shared.nas.names import collision_key


def note(connection: Connection, folders: Collection[str], *, complete: bool) -> list[str]:
    """Remember what lies there; where that is not all of it, what was known before as well. Those that nobody has."""
    if complete:
        connection.execute(delete(nas_folders))
    rows = {collision_key(folder): folder for folder in folders}
    if rows:
        new = insert(nas_folders).values([{"folder_key": key, "folder": name} for key, name in rows.items()])
        connection.execute(new.on_conflict_do_nothing())
    found = select(nas_folders.c.folder).where(nas_folders.c.folder_key.not_in(select(users.c.shop_folder_key)))
    return sorted(connection.execute(found).scalars())


def lies_unclaimed(connection: Connection, folder: str) -> bool:
    """Whether a folder lies there, is no account's, and other accounts are. The first may have what it finds.

    Who seems to be the first waits for others who seem so, too: else each would have what they find.
    """
    mine = nas_folders.c.folder_key == collision_key(folder)
    claimed = select(users.c.id).where(users.c.shop_folder_key == nas_folders.c.folder_key).exists()
    if connection.execute(select(nas_folders.c.folder).where(mine, ~claimed)).first() is None:
        return False
    somebody = select(users.c.id).limit(1)
    if connection.execute(somebody).first() is None:
        key = func.hashtextextended("first account", 0)  # docs/reliability.md, "Locks"
        connection.execute(select(func.pg_advisory_xact_lock(key)))
    return connection.execute(somebody).first() is not None
