"""What each tenant's pictures are found by, in memory: it catches up from the table before it answers."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select

from services.dedup.candidates.binary_copy import Rows, rows_of
from services.dedup.candidates.hamming_index import HammingIndex
from services.dedup.candidates.keys import Keys
from services.dedup.records.claims import Claim
from services.dedup.tables import keys as table

RADIUS = 9  # bits of 64 (docs/duplicates.md says what it finds and costs, at the end)
MOST_FOUND = 400  # the nearest of a family of thousands
MOST_KEYS = 20_000_000
"""In memory, of all tenants: about 60 bytes each. Tenants that nobody asks about are forgotten beyond it."""
HALF = 1 << 63  # PostgreSQL's integers have a sign
AT_ONCE = 1_000_000  # of 38 bytes on their way
COLUMNS = (table.c.id, table.c.hash_id, table.c.key)

NEWER = select(*COLUMNS).where(table.c.tenant_id == bindparam("tenant"), table.c.id > bindparam("last"))
NEWER = NEWER.order_by(table.c.id)
KEEP = insert(table)

Found = Mapping[int, frozenset[str]]
"""Rows of `hashes`, each with the ways in which it may be like the picture: plain, inverted, mirrored."""


@dataclass
class Tenant:
    """One tenant's keys, as far as the table has been read."""

    nearby: HammingIndex = field(default_factory=HammingIndex)
    last: int = 0


class Finder:
    """Finds pictures by their keys. Used inside the tenant's only transaction, where new rows come in order of id."""

    def __init__(self) -> None:
        self.tenants: OrderedDict[UUID, Tenant] = OrderedDict()
        self.lock = Lock()

    def found(self, connection: Connection, tenant_id: UUID, asked: Sequence[Keys]) -> list[Found]:
        """The known pictures that are near to each of these, in the same order."""
        nearby = self._caught_up(connection, tenant_id).nearby
        return [_found(nearby, keys) for keys in asked]

    def remember(self, connection: Connection, tenant_id: UUID, claimed: Sequence[tuple[Claim, Keys]]) -> None:
        """Write the keys of these claims into the table; the memory reads them from there at the next question."""
        old = [claim.id for claim, _ in claimed if not claim.fresh]
        if old:
            connection.execute(delete(table).where(table.c.hash_id.in_(old)))
        pairs = ((claim.id, key - HALF) for claim, keys in claimed for key in keys.plain)
        values = [{"tenant_id": tenant_id, "hash_id": row, "key": key} for row, key in pairs]
        if values:
            connection.execute(KEEP, values)

    def forget(self, tenant_id: UUID) -> None:
        """Drop what is in memory of this tenant, after a transaction that may not have been committed.

        Rows that were read in it may be undone, and a database that crashed gives their ids to other rows.
        """
        with self.lock:
            self.tenants.pop(tenant_id, None)

    def _caught_up(self, connection: Connection, tenant_id: UUID) -> Tenant:
        tenant = self._tenant(tenant_id)
        read = _few if tenant.last else _many
        new = read(connection, tenant_id, tenant.last)
        if len(new):
            tenant.nearby.add(new[:, 2].astype(np.uint64) ^ np.uint64(HALF), new[:, 1].copy())
            tenant.last = int(new[-1, 0])
        return tenant

    def _tenant(self, tenant_id: UUID) -> Tenant:
        with self.lock:
            tenant = self.tenants.setdefault(tenant_id, Tenant())
            self.tenants.move_to_end(tenant_id)
            while len(self.tenants) > 1 and sum(len(each.nearby) for each in self.tenants.values()) > MOST_KEYS:
                self.tenants.popitem(last=False)
        return tenant


def ways_between(keys: Keys, other: Keys) -> frozenset[str]:
    """In which ways a picture with the first keys may be like one with the others."""
    return frozenset(
        way for way, asked in _ways(keys) if any((a ^ b).bit_count() <= RADIUS for a in asked for b in other.plain)
    )


def _ways(keys: Keys) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "plain", keys.plain + keys.zoomed
    yield "inverted", keys.inverted
    yield "mirrored", keys.mirrored


def _found(nearby: HammingIndex, keys: Keys) -> Found:
    ways: dict[int, set[str]] = {}
    for way, asked in _ways(keys):
        for row in _nearest(nearby.within(asked, RADIUS)):
            ways.setdefault(row, set()).add(way)
    return {row: frozenset(how) for row, how in ways.items()}


def _few(connection: Connection, tenant_id: UUID, last: int) -> Rows:
    found = connection.execute(NEWER, {"tenant": tenant_id, "last": last}).all()
    return np.array([tuple(row) for row in found], np.int64).reshape(-1, len(COLUMNS))


def _many(connection: Connection, tenant_id: UUID, last: int) -> Rows:
    """What `_few` reads, but quickly where it may be millions of rows."""
    parts: list[Rows] = []
    while not parts or len(parts[-1]) == AT_ONCE:
        last = int(parts[-1][-1, 0]) if parts else last
        newer = NEWER.params(tenant=tenant_id, last=last).limit(AT_ONCE)
        parts.append(rows_of(connection, newer, len(COLUMNS)))
    return np.concatenate(parts)


def _nearest(found: Mapping[int, int]) -> list[int]:
    return sorted(found, key=lambda row: (found[row], row))[:MOST_FOUND]
