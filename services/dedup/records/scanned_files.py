"""What a scan of the NAS found there, or missed, and what is known of it. Used inside a transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, update
from sqlalchemy.dialects.postgresql import insert

from services.dedup.records.claims import FRESH, Claim
from services.dedup.records.old_designs import took
from services.dedup.rule.known_picture import Known
from services.dedup.tables import CLOCK, as_bits, hashes
from shared.contracts import DesignStored

LEARNT = (hashes.c.item_id.is_(None), hashes.c.source == "nas")
FORGET = delete(hashes).where(
    hashes.c.tenant_id == bindparam("tenant"),
    hashes.c.path == bindparam("lies"),
    hashes.c.print_sha256 == bindparam("print"),
    *LEARNT,
)
"""Made once: it runs for every design, and making the statement takes longer than PostgreSQL's answer to it."""


def learn(connection: Connection, tenant_id: UUID, picture: Known) -> Claim | None:
    """Know this picture from now on, in place of what was known at its path. Its row; None for one that we stored.

    At the path of an old system's design it is that design's picture (`old_designs.py`). A design that we stored
    ourselves is not learnt from the NAS as well: tried anew, it would be a duplicate of itself. If it was missing, it
    is back; if something else lies there, it is missing.
    """
    hashed, there = _hashed(picture), [picture.path or ""]
    old = took(connection, tenant_id, picture.path, hashed)
    if old or _is_ours(connection, tenant_id, picture):
        forget(connection, tenant_id, there)
        return Claim(old, fresh=False) if old else None
    let_go(connection, tenant_id, there, "session")  # ours was overwritten by this one
    forget(connection, tenant_id, there, hashes.c.algorithm != picture.algorithm)
    unique = {"tenant_id": tenant_id, "source": "nas", "path": picture.path, "algorithm": picture.algorithm}
    facts = hashed | {"state": "known", "filename": picture.filename, "name": picture.name}
    new = insert(hashes).values(**unique | facts)
    changed = facts | {"changed_at": CLOCK}
    known = new.on_conflict_do_update(index_elements=list(unique), index_where=hashes.c.item_id.is_(None), set_=changed)
    row = connection.execute(known.returning(hashes.c.id, FRESH)).one()
    return Claim(row.id, row.fresh)


def forget(connection: Connection, tenant_id: UUID, paths: Sequence[str], *which: ColumnElement[bool]) -> None:
    """Match nothing any more with the pictures learnt from the NAS at these paths; `which` narrows them down."""
    there = (hashes.c.tenant_id == tenant_id, hashes.c.path.in_(paths))
    connection.execute(delete(hashes).where(*there, *LEARNT, *which))


def let_go(connection: Connection, tenant_id: UUID, paths: Sequence[str], source: str) -> None:
    """Match nothing with the designs that lay at these paths, until they are back. `source`: whose they are."""
    these = (hashes.c.tenant_id == tenant_id, hashes.c.path.in_(paths), hashes.c.item_id.is_not(None))
    known = update(hashes).where(*these, hashes.c.source == source, hashes.c.state == "known")
    connection.execute(known.values(state="released", changed_at=CLOCK))


def forget_prints(connection: Connection, events: Sequence[DesignStored]) -> None:
    """Match nothing with a picture as a file of the NAS, where the file at its path is a design of ours."""
    prints = [{"tenant": e.tenant_id, "lies": e.path, "print": e.print_file.sha256} for e in events]
    connection.execute(FORGET, prints)


def _hashed(picture: Known) -> dict[str, Any]:
    return {
        "algorithm": picture.algorithm,
        "phash": as_bits(picture.phash) if picture.phash else None,
        "dhash": as_bits(picture.dhash) if picture.dhash else None,
        "upload_sha256": picture.upload_sha256,
        "print_sha256": picture.print_sha256,
        "canonical_sha256": picture.canonical.sha256 if picture.canonical else None,
        "canonical_size": picture.canonical.size if picture.canonical else None,
    }


def _is_ours(connection: Connection, tenant_id: UUID, picture: Known) -> bool:
    """Whether the picture is a design that we stored at its path; a design that had been missing is known again."""
    ours = update(hashes).where(
        hashes.c.tenant_id == tenant_id,
        hashes.c.item_id.is_not(None),
        hashes.c.path == picture.path,
        hashes.c.print_sha256 == picture.print_sha256,
    )
    back = ours.values(state=case((hashes.c.state == "released", "known"), else_=hashes.c.state), changed_at=CLOCK)
    return bool(connection.execute(back).rowcount)
