"""Which of a tenant's pictures are near enough to ask the rule about: exact at every distance, quick at small ones."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import BIT, JSONB

from services.dedup.rule.known_picture import BITS, Known
from services.dedup.tables import BANDED_DISTANCE, BANDS, as_bits, band_keys, bytes_key, hashes
from shared.contracts import Blob, ImageHashed

HASHES = ("phash", "dhash")
LOOKUP_KEYS = (*(f"{source}_key_{number}" for source in HASHES for number in BANDS), "upload_key", "print_key")
"""The columns with indexes: what is within BANDED_DISTANCE, or has the same bytes, agrees in one of them at least."""

KNOWN_COLUMNS = (
    *(hashes.c.id, hashes.c.item_id, hashes.c.session_id, hashes.c.source, hashes.c.state),
    *(hashes.c.algorithm, hashes.c.phash, hashes.c.dhash, hashes.c.upload_sha256, hashes.c.print_sha256),
    *(hashes.c.canonical_sha256, hashes.c.canonical_size, hashes.c.art_width, hashes.c.art_height),
    *(hashes.c.filename, hashes.c.name, hashes.c.path),
)
"""What a verdict needs of a picture: with all columns asking takes a fifth longer."""

STANDS = and_(hashes.c.state != "released", hashes.c.is_active).label("stands")
OWN = select(hashes.c.item_id, STANDS).where(hashes.c.item_id == any_(bindparam("items", type_=ARRAY(Uuid))))
"""Made once, as each statement that runs for every picture: making one takes longer than its answer."""

ASKED = (
    func.jsonb_to_recordset(bindparam("asked", type_=JSONB))
    .table_valued(
        column("place", Integer),
        column("item", Uuid),
        column("upload", Text),
        column("print", Text),
        column("algorithm", Text),
        column("phash", BIT(BITS)),
        column("dhash", BIT(BITS)),
        *(column(key, BigInteger) for key in LOOKUP_KEYS),
        column("distance", Integer),
        column("also", ARRAY(BigInteger)),
    )
    .render_derived("asked", with_types=True)
)
"""The questions, as JSON: a list for each column could not hold `also`, which is a list of each question."""


@dataclass(frozen=True)
class Question:
    """Which known pictures could make this one a duplicate? Those within `max_distance`, and those in the rows `also`.

    The latter were found by other means (`key_search.py`).
    """

    event: ImageHashed
    max_distance: int
    also: Collection[int] = ()


def candidates(connection: Connection, tenant_id: UUID, asked: Sequence[Question]) -> list[list[Known]]:
    """For each question, in the same order: every picture of this tenant that is an answer to it, oldest first."""
    found: list[list[Known]] = [[] for _ in asked]
    for banded in (True, False):
        places = [n for n, each in enumerate(asked) if (each.max_distance <= BANDED_DISTANCE) is banded]
        if places:
            values = [_values(place, asked[place]) for place in places]
            for row in connection.execute(_query(banded=banded), {"tenant": tenant_id, "asked": values}):
                found[row.place].append(_known(row))
    return found


def _values(place: int, asked: Question) -> dict[str, Any]:
    event = asked.event
    return {
        "place": place,
        "item": str(event.item_id),
        "upload": event.upload.sha256,
        "print": event.print_file.sha256,
        "algorithm": event.algorithm,
        "phash": as_bits(event.phash),
        "dhash": as_bits(event.dhash),
        "distance": asked.max_distance,
        "also": list(asked.also),
        **_keys(event),
    }


def _keys(event: ImageHashed) -> dict[str, int]:
    of_hashes = (*band_keys(event.tenant_id, event.phash), *band_keys(event.tenant_id, event.dhash))
    of_bytes = (bytes_key(event.tenant_id, each.sha256) for each in (event.upload, event.print_file))
    return dict(zip(LOOKUP_KEYS, (*of_hashes, *of_bytes), strict=True))


@cache
def _query(*, banded: bool) -> Select[Any]:
    """The query, made once for each kind: it is long, and is needed for every picture."""
    also = hashes.c.id == any_(ASKED.c.also)
    of_one = (
        select(*KNOWN_COLUMNS)
        .where(
            # in a form that no index serves: while PostgreSQL has not counted the table, it reads all the tenant's rows
            hashes.c.tenant_id.is_not_distinct_from(bindparam("tenant"))
            if banded
            else hashes.c.tenant_id == bindparam("tenant"),
            hashes.c.state != "released",
            hashes.c.is_active,
            hashes.c.item_id.is_distinct_from(ASKED.c.item),
            or_(also, *_reachable()) if banded else true(),
            or_(also, _same_bytes(), _near()),
        )
        .offset(0)  # planned for one question, however many there are: else all the tenant's rows are read for several
        .lateral("found")
    )
    return select(ASKED.c.place, of_one).join_from(ASKED, of_one, true()).order_by(of_one.c.id)


def held(connection: Connection, events: Sequence[ImageHashed]) -> dict[UUID, bool]:
    """The items of these events that have a row from an earlier try; and of each whether that claim still stands."""
    rows = connection.execute(OWN, {"items": [event.item_id for event in events]})
    return {row.item_id: row.stands for row in rows}


def _reachable() -> Iterator[ColumnElement[bool]]:
    """The conditions that the indexes find rows by. Beyond BANDED_DISTANCE all of the tenant's are compared instead."""
    for key in LOOKUP_KEYS:
        yield hashes.c[key] == ASKED.c[key]


def _same_bytes() -> ColumnElement[bool]:
    return or_(hashes.c.upload_sha256 == ASKED.c.upload, hashes.c.print_sha256 == ASKED.c.print)


def _near() -> ColumnElement[bool]:
    differing = (func.bit_count(hashes.c[source].op("#")(ASKED.c[source])) <= ASKED.c.distance for source in HASHES)
    return and_(hashes.c.algorithm == ASKED.c.algorithm, or_(*differing))


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
        artwork=(found["art_width"], found["art_height"]) if found["art_width"] else None,
    )
