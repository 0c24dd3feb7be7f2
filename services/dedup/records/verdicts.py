"""The rows that remember what was decided about which picture, and because of what. Used inside a transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Row, Uuid, any_, bindparam, cast, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from services.dedup.rule.matching import Verdict
from services.dedup.tables import cancelled, hashes, verdicts
from shared.contracts import DuplicateFound, ImageAccepted, ImageHashed, WorkCancelled

STANDING = (
    select(verdicts)
    .where(verdicts.c.item_id == any_(bindparam("items", type_=ARRAY(Uuid))))
    .order_by(verdicts.c.generation)
)
KEEP = insert(verdicts)
"""Made once: making the statement takes longer than PostgreSQL's answer to it."""

_newer = verdicts.alias("newer")
IS_NEWEST = ~exists().where(_newer.c.item_id == verdicts.c.item_id, _newer.c.generation > verdicts.c.generation)
"""The condition that a verdict is the newest of its item, which is the one that stands."""


@dataclass(frozen=True)
class Release:
    """A claim that ended, for good or for the same picture earlier in its upload: why verdicts were made anew."""

    item_id: UUID
    generation: int


def decided(connection: Connection, events: Sequence[ImageHashed]) -> tuple[dict[UUID, Verdict], dict[UUID, Release]]:
    """By item: the verdict that stands, and the claim that made way for it when it was first decided about.

    What stands is the verdict of the newest generation, if that is no earlier one than the event's.
    """
    asked = {event.item_id: event.generation for event in events}
    rows = connection.execute(STANDING, {"items": list(asked)}).all()
    newest = {row.item_id: row for row in rows if row.generation >= asked[row.item_id]}
    first = [row for row in rows if row.generation == 0 and row.freed_item_id]
    made_way = {row.item_id: Release(row.freed_item_id, row.freed_generation) for row in first}
    return {item_id: _verdict(row) for item_id, row in newest.items()}, made_way


def later_copy(connection: Connection, event: ImageHashed, item_id: UUID) -> ImageHashed | None:
    """This item's picture as its next generation, if it has a claim and must make way for the event's; else None.

    It must if it comes later in the same upload. Storage numbers in order of upload, so it has no number before the
    event's has a verdict, unless one of the two was tried anew or cancelled: then it keeps its claim.
    """
    if event.generation:
        return None
    row = connection.execute(
        select(verdicts.c.hashed, verdicts.c.generation).where(
            verdicts.c.item_id == item_id,
            verdicts.c.session_id == event.session_id,
            verdicts.c.index > event.index,
            verdicts.c.generation == 0,
            exists().where(hashes.c.item_id == item_id, hashes.c.state == "claimed"),
            IS_NEWEST,
            ~exists().where(cancelled.c.item_id.in_((item_id, event.item_id))),
        )
    ).first()
    return None if row is None else _next(*row)


def remember(
    connection: Connection,
    new: Sequence[tuple[ImageHashed, Verdict]],
    because: Release | None = None,
    place: int = 0,
) -> None:
    """Keep these verdicts for good, with what it takes to decide anew; `place`: of the first of them."""
    rows = [_row(event, verdict, because, number) for number, (event, verdict) in enumerate(new, place)]
    connection.execute(KEEP, rows)


def _row(event: ImageHashed, verdict: Verdict, because: Release | None, place: int) -> dict[str, Any]:
    outcome, accepted = verdict.model_dump(mode="json"), isinstance(verdict, ImageAccepted)
    return {
        "item_id": event.item_id,
        "generation": event.generation,
        "tenant_id": event.tenant_id,
        "session_id": event.session_id,
        "index": event.index,
        "hashed": event.model_dump(mode="json"),
        "matched_item_id": verdict.match.item_id if isinstance(verdict, DuplicateFound) else None,
        "freed_item_id": because.item_id if because else None,
        "freed_generation": because.generation if because else None,
        "place": place,
        "accepted": outcome if accepted else None,
        "duplicate": None if accepted else outcome,
    }


def dependants(connection: Connection, tenant_id: UUID, item_ids: Sequence[UUID]) -> Iterator[ImageHashed]:
    """The pictures whose standing verdict is "duplicate of one of these", as next generation, in order of upload.

    Without those that nobody wants any more.
    """
    session = verdicts.alias("session")
    began = select(func.min(session.c.decided_at)).where(session.c.session_id == verdicts.c.session_id)
    rows = connection.execute(
        select(verdicts.c.hashed, verdicts.c.generation)
        .where(
            verdicts.c.tenant_id == tenant_id,
            verdicts.c.matched_item_id.in_(item_ids),
            IS_NEWEST,
            ~exists().where(cancelled.c.item_id == verdicts.c.item_id, cancelled.c.generation >= verdicts.c.generation),
        )
        .order_by(began.scalar_subquery(), verdicts.c.session_id, verdicts.c.index)
    ).all()
    yield from starmap(_next, rows)


def cancel(connection: Connection, event: WorkCancelled) -> None:
    """Decide nothing anew about these files, unless they are tried anew."""
    if event.files:
        new = upsert(cancelled).values([{"item_id": f.item_id, "generation": f.generation} for f in event.files])
        newer = {"generation": func.greatest(cancelled.c.generation, new.excluded.generation)}
        connection.execute(new.on_conflict_do_update(index_elements=["item_id"], set_=newer))


def is_cancelled(connection: Connection, event: ImageHashed) -> bool:
    """Whether nobody wants this picture any more."""
    this = (cancelled.c.item_id == event.item_id, cancelled.c.generation >= event.generation)
    return connection.execute(select(cancelled.c.item_id).where(*this)).first() is not None


def fill_instead_of(connection: Connection, first: ImageHashed) -> None:
    """Name in the first picture's acceptance the later ones of its upload that were accepted and are duplicates now.

    These made way for it, or for another picture before: storage may not have heard of that yet.
    """
    later_in_upload = (verdicts.c.session_id == first.session_id, verdicts.c.index > first.index)
    were = select(verdicts.c.item_id).where(*later_in_upload, verdicts.c.accepted.is_not(None))
    newest = select(verdicts).where(*later_in_upload, verdicts.c.item_id.in_(were)).ext(distinct_on(verdicts.c.index))
    rows = connection.execute(newest.order_by(verdicts.c.index, verdicts.c.generation.desc()))
    named = {"instead_of": [row.duplicate for row in rows if row.duplicate is not None]}
    is_first = (verdicts.c.item_id == first.item_id, verdicts.c.generation == first.generation)
    accepted = verdicts.c.accepted.concat(cast(named, JSONB))
    connection.execute(update(verdicts).where(*is_first).values(accepted=accepted))


def answers_to(connection: Connection, release: Release) -> list[Verdict]:
    """The verdicts that a release led to, in the order in which they were made, but one of generation 0 last.

    That first verdict is on the picture for which the claim made way, and the message about that picture tells all of
    these. Should the message die between two of them, only its own file has failed, and a replay tells them all.
    """
    rows = connection.execute(
        select(verdicts)
        .where(verdicts.c.freed_item_id == release.item_id, verdicts.c.freed_generation == release.generation)
        .order_by(verdicts.c.generation == 0, verdicts.c.place)
    )
    return [_verdict(row) for row in rows]


def _next(hashed: dict[str, Any], generation: int) -> ImageHashed:
    return ImageHashed.model_validate(hashed | {"generation": generation + 1})


def _verdict(row: Row[Any]) -> Verdict:
    if row.accepted is not None:
        return ImageAccepted.model_validate(row.accepted)
    return DuplicateFound.model_validate(row.duplicate)
