"""Dead letters with all that is known of them, for a file."""

import base64
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from services.ingest.ops.finding import Filter
from services.ingest.ops.tables import dead_letters
from shared.database import transaction

AT_ONCE = 200


def exported(engine: Engine, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Every letter, in the order of their ids; a few in memory at a time."""
    last = UUID(int=0)
    while True:
        some = select(dead_letters).where(wanted.where(), dead_letters.c.id > last)
        with transaction(engine) as connection:
            rows = connection.execute(some.order_by(dead_letters.c.id).limit(AT_ONCE)).mappings().all()
        for row in rows:
            last = row["id"]
            yield dict(row) | {"raw": base64.b64encode(row["raw"]).decode() if row["raw"] else None}
        if len(rows) < AT_ONCE:
            return
