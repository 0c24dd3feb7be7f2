"""Which of a tenant's pictures are near enough to ask the rule about: exact at every distance, quick at small ones."""

from collections.abc import Collection, Iterator

from sqlalchemy import Boolean, ColumnElement, Connection, Row, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import BIT

from services.dedup.matching import BANDED_DISTANCE, BITS, Known, bands
from services.dedup.tables import hashes
from shared.contracts import Blob, ImageHashed


def candidates(
    connection: Connection, event: ImageHashed, max_distance: int, also: Collection[int] = ()
) -> list[Known]:
    """Every picture that could make the event's a duplicate, oldest first; with these rows, found by other means."""
    rows = connection.execute(
        select(hashes)
        .where(
            hashes.c.tenant_id == event.tenant_id,
            hashes.c.state != "released",
            hashes.c.is_active,
            hashes.c.item_id.is_distinct_from(event.item_id),
            or_(hashes.c.id.in_(also), *_reachable(event, max_distance)),
            or_(hashes.c.id.in_(also), _same_bytes(event), _near(event, max_distance)),
        )
        .order_by(hashes.c.id)
    )
    return [_known(row) for row in rows]


def holds(connection: Connection, event: ImageHashed) -> bool:
    """Whether the file's own claim stands from an earlier try: it may be stored, and what is like it came beside it."""
    own = select(hashes.c.id).where(hashes.c.item_id == event.item_id, hashes.c.state != "released", hashes.c.is_active)
    return connection.execute(own).first() is not None


def _reachable(event: ImageHashed, max_distance: int) -> Iterator[ColumnElement[bool]]:
    """What the indexes can find. Beyond the bands' reach: all of the tenant's pictures, one after the other."""
    if max_distance > BANDED_DISTANCE:
        yield literal(True, Boolean)
        return
    yield hashes.c.upload_sha256 == event.upload.sha256
    yield hashes.c.print_sha256 == event.print_file.sha256
    for source, value in (("phash", event.phash), ("dhash", event.dhash)):
        for number, band in enumerate(bands(value)):
            yield hashes.c[f"{source}_{number}"] == band


def _same_bytes(event: ImageHashed) -> ColumnElement[bool]:
    return or_(hashes.c.upload_sha256 == event.upload.sha256, hashes.c.print_sha256 == event.print_file.sha256)


def _near(event: ImageHashed, max_distance: int) -> ColumnElement[bool]:
    differing = (
        func.bit_count(column.op("#")(cast(as_bits(value), BIT(BITS)))) <= max_distance
        for column, value in ((hashes.c.phash, event.phash), (hashes.c.dhash, event.dhash))
    )
    return and_(hashes.c.algorithm == event.algorithm, or_(*differing))


def as_bits(hash256: str) -> str:
    """64 hex digits as PostgreSQL writes them: 256 noughts and ones."""
    return f"{int(hash256, 16):0{BITS}b}"


def _hex(bits: str | None) -> str | None:
    return None if bits is None else f"{int(bits, 2):0{BITS // 4}x}"


def _known(row: Row[tuple[object, ...]]) -> Known:
    found = row._mapping
    canonical = found["canonical_sha256"]
    return Known(
        row=found["id"],
        canonical=Blob(sha256=canonical, size=found["canonical_size"]) if canonical else None,
        source=found["source"],
        algorithm=found["algorithm"],
        phash=_hex(found["phash"]),
        dhash=_hex(found["dhash"]),
        item_id=found["item_id"],
        session_id=found["session_id"],
        stored=found["state"] == "known",
        upload_sha256=found["upload_sha256"],
        print_sha256=found["print_sha256"],
        filename=found["filename"],
        name=found["name"],
        path=found["path"],
    )
