"""Asks storage to look through shops' folders on the NAS: now and then by itself, or when somebody wants it."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, literal, or_, select, true
from sqlalchemy.dialects.postgresql import insert

from services.ingest.catalog.users import email_key
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.tables import outbox
from services.ingest.tables import CLOCK, scans, users
from shared.contracts import ShopScanRequested
from shared.database import transaction

AT_ONCE = 10
"""Shops asked for in one look, of which there is one every few seconds. All at once, the first scans of a thousand
accounts would be one transaction; the NAS works on one after the other anyway."""
SENT_KEPT = timedelta(days=1)


def ask_when_due(engine: Engine, lane: str, every: timedelta) -> int:
    """Ask for a few of the shops that nobody asked for in so long, or ever; return for how many.

    Any number of processes may do so: each shop is asked for once.
    """
    with transaction(engine) as connection:
        late = or_(scans.c.user_id.is_(None), scans.c.asked_at < CLOCK - every)
        due = select(users.c.id, CLOCK).outerjoin(scans, scans.c.user_id == users.c.id).where(users.c.is_active, late)
        insert_new = insert(scans).from_select(["user_id", "asked_at"], due.limit(AT_ONCE))
        claim = insert_new.on_conflict_do_update(
            index_elements=["user_id"], set_={"asked_at": CLOCK}, where=scans.c.asked_at < CLOCK - every
        )
        user_ids = connection.execute(claim.returning(scans.c.user_id)).scalars().all()
        return len(ask(connection, lane, users.c.id.in_(user_ids))) if user_ids else 0


def ask(
    connection: Connection, lane: str, which: ColumnElement[bool], *, anew: bool = False
) -> Sequence[ShopScanRequested]:
    """Ask for the shops of these users, in this transaction. With `anew` what is known is hashed once more."""
    shops = connection.execute(select(users.c.id, users.c.shop_folder).where(users.c.is_active, which)).all()
    requests = [ShopScanRequested(tenant_id=row.id, shop=row.shop_folder, scan_id=uuid4(), anew=anew) for row in shops]
    for request in requests:
        owe(connection, lane, request, message_id=request.scan_id)
    _forget_sent(connection, [row.id for row in shops])
    return requests


def named(shop: str) -> ColumnElement[bool]:
    """The shop with this folder, or else those with this name, e-mail or user id; all, if none is named.

    Shops may share a name, of which the first one's folder is called: "NorthCups", and "NorthCups 2".
    """
    if not shop:
        return true()
    names = [users.c.shop_name == shop, users.c.email_key == email_key(shop)]
    with contextlib.suppress(ValueError):
        names.append(users.c.id == UUID(shop))
    other = users.alias()
    its_folder = select(other.c.id).where(other.c.shop_folder == shop).exists()
    return or_(users.c.shop_folder == shop, and_(~its_folder, or_(*names)))


def _forget_sent(connection: Connection, tenant_ids: Sequence[UUID]) -> None:
    """What was asked of old is answered by every later scan, too."""
    old = outbox.c.sent_at < CLOCK - literal(SENT_KEPT)
    sent_long_ago = (outbox.c.type == ShopScanRequested.__name__, outbox.c.tenant_id.in_(tenant_ids), old)
    connection.execute(delete(outbox).where(*sent_long_ago))
