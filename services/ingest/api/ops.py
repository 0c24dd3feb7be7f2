"""What operators and viewers look at: dead letters, who did what with them, the lanes, and what services wait for.

`presswork dead`, `presswork lanes` and `presswork waits` show the same.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from services.ingest import lane_comparison
from services.ingest.api.identity import Viewer
from services.ingest.api.resources import Using
from services.ingest.broker_standing import NONE, begun_over_a_broker
from services.ingest.dead_letters import auditing, finding
from services.ingest.dead_letters.exporting import exported
from services.ingest.dead_letters.finding import Filter
from services.ingest.sessions.progress.delays import current

routes = APIRouter(prefix="/api/v1/ops", tags=["operators"])

MOST = 1000


class Search(Filter):
    """A filter with a page."""

    limit: int = Field(default=50, ge=1, le=MOST)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)


@routes.get("/dead-letters")
def list_letters(using: Using, viewer: Viewer, search: Annotated[Search, Query()]) -> dict[str, Any]:
    """Dead letters, newest first, without stack and body."""
    del viewer
    with using.transaction() as connection:
        found = finding.letters(connection, search, search.limit, search.offset)
        return {"letters": found, "total": finding.count(connection, search)}


@routes.get("/dead-letters/groups")
def list_groups(using: Using, viewer: Viewer, search: Annotated[Search, Query()]) -> dict[str, Any]:
    """Letters by cause: what failed for one reason has one fingerprint."""
    del viewer
    with using.transaction() as connection:
        return {"groups": finding.groups(connection, search, search.limit)}


@routes.get("/dead-letters/export", response_class=StreamingResponse)
def export(using: Using, viewer: Viewer, search: Annotated[Filter, Query()]) -> StreamingResponse:
    """Everything that is known of each letter, one JSON object a line."""
    del viewer
    return StreamingResponse(exported(using.engine, search), media_type="application/x-ndjson")


@routes.get("/dead-letters/audit")
def list_runs(using: Using, viewer: Viewer, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> dict[str, Any]:
    """Who did what with which letters, newest first."""
    del viewer
    with using.transaction() as connection:
        return {"runs": auditing.runs(connection, limit)}


@routes.get("/dead-letters/audit/{run_id}")
def get_run(using: Using, viewer: Viewer, run_id: UUID) -> dict[str, Any]:
    """How one command stands, and what it did to each letter until now."""
    del viewer
    with using.transaction() as connection:
        found = auditing.run(connection, run_id)
        if found is None:
            raise HTTPException(404, f"There is no run {run_id}.")
        return {"run": found, "results": auditing.results(connection, run_id)}


@routes.get("/dead-letters/{letter_id}")
def get_letter(using: Using, viewer: Viewer, letter_id: UUID) -> dict[str, Any]:
    """One letter with headers, body, stack, history and lineage."""
    del viewer
    with using.transaction() as connection:
        found = finding.whole(connection, letter_id)
    if found is None:
        raise HTTPException(404, f"There is no dead letter {letter_id}.")
    return found


@routes.get("/lanes")
def compare_lanes(
    using: Using, viewer: Viewer, since: Annotated[str, Query(description="like 7d, 12h or 2026-11-24; UTC")] = "7d"
) -> dict[str, Any]:
    """The two lanes side by side: time per image, duplicates, failures, tries; in each, by why uploads took it.

    `unlike` says why their times can't be compared, if they can't.
    """
    del viewer
    try:
        begin = lane_comparison.moment(since)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    with using.transaction() as connection:
        found = lane_comparison.compared(connection, begin)
    return {"since": begin, "lanes": found, "unlike": lane_comparison.unlike(found)}


@routes.get("/waits")
def list_waits(using: Using, viewer: Viewer) -> dict[str, Any]:
    """What services wait for, with all their work or with files of any upload; and why uploads are refused, if so.

    `/ready` tells anybody that they wait, and not for what.
    """
    del viewer
    broker = using.broker_state()
    with using.transaction() as connection:
        waits = current(connection)
        left_over = begun_over_a_broker(connection) if broker == NONE else None
    uploads = using.door and using.door.trouble()
    told = f"{broker}: {left_over}" if left_over else broker
    return {"waits_for": waits, "broker": told, "uploads": uploads or "accepted"}
