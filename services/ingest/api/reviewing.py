"""Sellers look at near duplicates beside what they matched, and say: keep or skip."""

from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import Connection, Row

from services.ingest.api.identity import Caller
from services.ingest.api.resources import AtDesk, Using
from services.ingest.api.sessions import Mine, Place
from services.ingest.api.thumbnails import in_proportion
from services.ingest.api.turns import QUICK, SLOW
from services.ingest.catalog.users import User
from services.ingest.sessions.actions.reviewing import (
    Decided,
    Decision,
    Undecidable,
    UnknownFiles,
    Which,
    pair,
    pairs,
    picture,
    shown,
    waiting,
)
from services.ingest.sessions.intake.print_files import has
from services.ingest.sessions.lifecycle.records import Session
from services.ingest.sessions.serving import views
from services.ingest.sessions.serving.upload_calls import Desk
from shared.blobs import Blobs
from shared.contracts import Blob, Copy
from shared.errors import Permanent

routes = APIRouter(prefix="/api/v1", tags=["uploads"])

KEPT_BY_BROWSERS = {"Cache-Control": "private, max-age=3600"}
GONE = "There is no picture of it on the server any more."


class OneDecision(BaseModel):
    """About one file."""

    model_config = ConfigDict(extra="forbid")

    item_id: UUID
    decision: Decision


class AllOf(BaseModel):
    """About every file that waits; with a verdict: that waits because of this verdict."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision
    verdict: Copy | None = None


class Decisions(BaseModel):
    """All of them are made, or none."""

    model_config = ConfigDict(extra="forbid")

    decisions: list[OneDecision] = Field(default=[], max_length=10_000)
    all: AllOf | None = None

    @field_validator("decisions")
    @classmethod
    def _no_file_both_ways(cls, decisions: list[OneDecision]) -> list[OneDecision]:
        """What is kept can't be unkept, so nobody guesses which of the two was meant."""
        said: dict[UUID, Decision] = {}
        for each in decisions:
            if said.setdefault(each.item_id, each.decision) != each.decision:
                raise ValueError(f"{each.item_id} is to be kept and skipped: say one of them")
        return decisions


@routes.get("/sessions/{session_id}/review", dependencies=[QUICK])
def get_review(
    session: Mine,
    using: Using,
    which: Which = "all",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Place = 0,
) -> dict[str, Any]:
    """Near duplicates in upload order, each with what it matched: those that wait for you, or all.

    `match_on_nas` says how the newest scan of the NAS found what was matched: there, gone or changed; null: not known.
    """
    with using.transaction() as connection:
        rows, total = pairs(connection, session.id, which, limit, offset)
        told = shown(connection, rows, using.neighbours.as_scanned)
    return {
        "session_id": session.id,
        "duplicates": session.duplicates,
        "needs_review": session.totals.to_review,
        "total": total,
        "pairs": [pair | _links(session, row, pair["match"]["path"]) for row, pair in zip(rows, told, strict=True)],
    }


@routes.post("/sessions/{session_id}/review", dependencies=[SLOW])
def post_review(session: Mine, desk: AtDesk, user: Caller, given: Decisions) -> dict[str, Any]:
    """Decide: `keep` stores the file beside what it matched, `skip` leaves it out, until you say keep after all.

    All is done or nothing. The same once more changes nothing. What is kept can't be unkept: delete its design.
    """
    done = _decide(desk, session, user, given)
    desk.bell.ring()
    now = desk.sessions.get(user.id, session.id) or session
    return {
        "kept": [row.id for row in done.kept],
        "skipped": [row.id for row in done.skipped],
        "decided_before": done.before,
        "message": str(done),
        "session": views.session(now),
    }


@routes.get("/sessions/{session_id}/review/{item_id}/{which}.png", response_class=Response, dependencies=[QUICK])
def get_picture(
    session: Mine, using: Using, desk: AtDesk, item_id: UUID, which: Literal["upload", "match"]
) -> Response:
    """What was uploaded, or what it matched: the picture that was compared, 256 pixels on its longer side.

    One from before their proportions were kept is a square.
    """
    with using.transaction() as connection:
        row = pair(connection, session.id, item_id)
    found = picture(row, which) if row is not None else None
    if found is None:
        raise HTTPException(404, GONE)
    return Response(in_proportion(_bytes(desk.prints.blobs, found)), media_type="image/png", headers=KEPT_BY_BROWSERS)


def _decide(desk: Desk, session: Session, user: User, given: Decisions) -> Decided:
    def wish(connection: Connection) -> dict[UUID, Decision]:
        of_all = given.all
        found = dict.fromkeys(waiting(connection, session.id, of_all.verdict), of_all.decision) if of_all else {}
        return found | {each.item_id: each.decision for each in given.decisions}

    try:
        return desk.sessions.decide(session, wish, user.email, partial(has, desk.prints.blobs))
    except UnknownFiles as error:
        raise HTTPException(404, f"Your session has no file {error}. Nothing was changed.") from error
    except Undecidable as error:
        raise HTTPException(409, f"{error}. Nothing was changed.") from error


def _links(session: Session, row: Row[Any], path: str | None) -> dict[str, str | None]:
    base = f"/api/v1/sessions/{session.id}/review/{row.id}"
    return {
        "thumbnail_url": f"{base}/upload.png" if picture(row, "upload") else None,
        "match_thumbnail_url": f"{base}/match.png" if picture(row, "match") else None,
        "match_file_url": f"/designs/nas-file/{quote(path)}" if path else None,
    }


def _bytes(blobs: Blobs, found: Blob) -> bytes:
    try:
        return blobs.get(found)
    except Permanent as error:
        raise HTTPException(404, GONE) from error
