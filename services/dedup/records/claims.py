"""The rows of `hashes` that uploads made: claimed when accepted, known when stored. Used inside a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Executable, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from services.dedup.records.verdicts import Release
from services.dedup.tables import CLOCK, as_bits, hashes
from shared.contracts import DesignStored, ImageHashed

LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key"), 0)))
FRESH: ColumnElement[bool] = literal_column("xmax = 0").label("fresh")  # else an upsert's row was there to change
CLAIMED = (
    *("session_id", "generation", "algorithm", "phash", "dhash", "upload_sha256", "print_sha256"),
    *("canonical_sha256", "canonical_size", "art_width", "art_height", "filename"),
)


def _claiming() -> Executable:
    new = insert(hashes).values(source="session", state="claimed", changed_at=CLOCK)
    facts: dict[str, Any] = {name: new.excluded[name] for name in CLAIMED}
    # A design that is stored stays known, whatever becomes of its later generations.
    facts |= {"state": func.coalesce(func.nullif(hashes.c.state, "released"), "claimed"), "changed_at": CLOCK}
    changing = new.on_conflict_do_update(index_elements=["item_id"], set_=facts)
    return changing.returning(hashes.c.item_id, hashes.c.id, FRESH)


CLAIM = _claiming()
MARK_KNOWN = (
    update(hashes)
    .where(hashes.c.item_id == bindparam("item"), hashes.c.generation <= bindparam("of"))
    .values(
        state="known",
        name=bindparam("called"),
        path=bindparam("lies"),
        print_sha256=bindparam("print"),
        changed_at=CLOCK,
    )
)
"""CLAIM and MARK_KNOWN are made once: making such a statement takes longer than PostgreSQL's answer to it."""


@dataclass(frozen=True)
class Claim:
    """A picture's row. `fresh`: it is new, so that it has no keys from an earlier try."""

    id: int
    fresh: bool


def lock(connection: Connection, tenant_id: UUID) -> None:
    """Let this transaction be the tenant's only one here, in whichever process (docs/reliability.md, "Locks")."""
    connection.execute(LOCK, {"key": f"dedup:{tenant_id}"})


def claim(connection: Connection, events: Sequence[ImageHashed]) -> dict[UUID, Claim]:
    """Claim these pictures, no picture twice, so that later ones that are like them find their rows. By item id."""
    if not events:
        return {}
    rows = connection.execute(CLAIM, [_facts(event) for event in events])
    return {row.item_id: Claim(row.id, row.fresh) for row in rows}


def mark_known(connection: Connection, events: Sequence[DesignStored]) -> None:
    """These designs are on the NAS: known from now on, under their stored names."""
    connection.execute(MARK_KNOWN, [_stored(event) for event in events])


def give_up(connection: Connection, tenant_id: UUID, release: Release) -> bool:
    """Let the claim go, and return whether there was one. A picture that was stored stays known."""
    freed = connection.execute(
        update(hashes)
        .where(
            hashes.c.item_id == release.item_id,
            hashes.c.tenant_id == tenant_id,
            hashes.c.generation <= release.generation,
            hashes.c.state == "claimed",
        )
        .values(state="released", changed_at=CLOCK)
    )
    return bool(freed.rowcount)


def _stored(event: DesignStored) -> dict[str, Any]:
    return {
        "item": event.item_id,
        "of": event.generation,
        "called": event.name,
        "lies": event.path,
        "print": event.print_file.sha256,
    }


def _facts(event: ImageHashed) -> dict[str, Any]:
    art_width, art_height = event.artwork or (None, None)
    return {
        "tenant_id": event.tenant_id,
        "item_id": event.item_id,
        "session_id": event.session_id,
        "generation": event.generation,
        "algorithm": event.algorithm,
        "phash": as_bits(event.phash),
        "dhash": as_bits(event.dhash),
        "upload_sha256": event.upload.sha256,
        "print_sha256": event.print_file.sha256,
        "canonical_sha256": event.canonical.sha256,
        "canonical_size": event.canonical.size,
        "art_width": art_width,
        "art_height": art_height,
        "filename": event.filename,
    }
