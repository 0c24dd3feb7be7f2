"""Which of a tenant's pictures are near enough to ask the rule about: exact at every distance, quick at small ones."""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import BIT

from services.dedup.matching import BANDED_DISTANCE, BITS, Known, bands
from services.dedup.tables import BANDS, hashes
from shared.contracts import Blob, ImageHashed

HASHES = ("phash", "dhash")
TOLD = (
    *(hashes.c.id, hashes.c.item_id, hashes.c.session_id, hashes.c.source, hashes.c.state),
    *(hashes.c.algorithm, hashes.c.phash, hashes.c.dhash, hashes.c.upload_sha256, hashes.c.print_sha256),
    *(hashes.c.canonical_sha256, hashes.c.canonical_size, hashes.c.filename, hashes.c.name, hashes.c.path),
)
"""What a verdict needs of a picture: with all columns asking takes a fifth longer."""

OWN = select(hashes.c.id).where(hashes.c.item_id == bindparam("item"), hashes.c.state != "released", hashes.c.is_active)
"""Made once, as each statement that runs for every picture: making one takes longer than its answer."""


def candidates(
    connection: Connection, event: ImageHashed, max_distance: int, also: Collection[int] = ()
) -> list[Known]:
    """Every picture that could make the event's a duplicate, oldest first; with these rows, found by other means."""
    asked: dict[str, Any] = {
        "tenant": event.tenant_id,
        "item": event.item_id,
        "also": list(also),
        "upload": event.upload.sha256,
        "print": event.print_file.sha256,
        "algorithm": event.algorithm,
        "distance": max_distance,
    }
    for source, value in zip(HASHES, (event.phash, event.dhash), strict=True):
        asked[source] = as_bits(value)
        asked |= {f"{source}_{number}": band for number, band in enumerate(bands(value))}
    banded = max_distance <= BANDED_DISTANCE
    return [_known(row) for row in connection.execute(_query(banded=banded), asked)]


@cache
def _query(*, banded: bool) -> Select[Any]:
    """Made once: it is long, and asked for each picture."""
    also = hashes.c.id.in_(bindparam("also", expanding=True))
    return (
        select(*TOLD)
        .where(
            hashes.c.tenant_id == bindparam("tenant"),
            hashes.c.state != "released",
            hashes.c.is_active,
            hashes.c.item_id.is_distinct_from(bindparam("item")),
            or_(also, *_reachable(banded=banded)),
            or_(also, _same_bytes(), _near()),
        )
        .order_by(hashes.c.id)
    )


def holds(connection: Connection, event: ImageHashed) -> bool:
    """Whether the file's own claim stands from an earlier try: it may be stored, and what is like it came beside it."""
    return connection.execute(OWN, {"item": event.item_id}).first() is not None


def _reachable(*, banded: bool) -> Iterator[ColumnElement[bool]]:
    """What the indexes can find. Beyond the bands' reach: all of the tenant's pictures, one after the other."""
    if not banded:
        yield literal(True, Boolean)
        return
    yield _same_bytes()
    for source in HASHES:
        for number in BANDS:
            yield hashes.c[f"{source}_{number}"] == bindparam(f"{source}_{number}")


def _same_bytes() -> ColumnElement[bool]:
    return or_(hashes.c.upload_sha256 == bindparam("upload"), hashes.c.print_sha256 == bindparam("print"))


def _near() -> ColumnElement[bool]:
    differing = (
        func.bit_count(hashes.c[source].op("#")(cast(bindparam(source), BIT(BITS)))) <= bindparam("distance")
        for source in HASHES
    )
    return and_(hashes.c.algorithm == bindparam("algorithm"), or_(*differing))


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
