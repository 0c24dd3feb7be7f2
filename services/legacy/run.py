"""The whole move, in an order in which nothing comes before what it belongs to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from services.ingest.scan_requests import ask
from services.ingest.tables import users
from services.legacy.designs import copy_designs
from services.legacy.mockups import copy_mockups
from services.legacy.move import Move
from services.legacy.people import copy_people
from services.legacy.products import copy_products
from shared.database import transaction
from shared.errors import Retryable

PATIENCE_S = 10
LOCK_NOT_AVAILABLE = "55P03"
LOCK = "hashtextextended('presswork import-legacy', 0)"  # docs/reliability.md, "Locks"


def run(move: Move, say: Callable[[str], None]) -> None:
    """Copy everything, and have the shops' folders on the NAS looked through.

    Raises:
        Unavailable: one of the databases, the NAS or the blob store is away; what was copied stays.
        Retryable: somebody else is at it.
    """
    for line in move.old.lacks():
        say(f"The old system: {line}.")
    with _alone(move.engine):
        for what, copy in (
            ("accounts", copy_people),
            ("products", copy_products),
            ("mockups", copy_mockups),
            ("designs", copy_designs),
        ):
            say(f"Looking at {what} ..." if move.dry_run else f"Copying {what} ...")
            copy(move)
        if not move.dry_run and move.accounts:
            theirs = [account.id for account in move.accounts.values()]
            with transaction(move.engine) as connection:
                ask(connection, move.lane, users.c.id.in_(theirs))


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Two moves at a time would count the same rows twice. One that was killed a moment ago is waited for."""
    single = create_engine(engine.url, poolclass=NullPool)
    with transaction(single) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'"))
        try:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise Retryable("another import from the old system is running") from error
        yield
