"""What operators do with dead letters: find, understand, replay, put aside. `presswork dead` does the same."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from services.ingest.api.identity import Operator
from services.ingest.api.resources import Using
from services.ingest.ops import auditing, finding, shelving
from services.ingest.ops.auditing import Run
from services.ingest.ops.exporting import exported
from services.ingest.ops.finding import Filter
from services.ingest.ops.replaying import Replays

routes = APIRouter(prefix="/api/v1/ops", tags=["operators"])

MOST = 1000
SAMPLE = 5


class Search(Filter):
    """A filter with a page."""

    limit: int = Field(default=50, ge=1, le=MOST)
    offset: int = Field(default=0, ge=0, le=2**31 - 1)


class Order(BaseModel):
    """Which letters something is done with: a filter, or in so many words all of them."""

    model_config = ConfigDict(extra="forbid")

    filter: Filter = Filter()
    all: bool = Field(default=False, description="needed when the filter is empty")

    def letters(self) -> Filter:
        """The filter."""
        if self.filter == Filter() and not self.all:
            raise HTTPException(422, "Say which letters: give a filter or ids, or all: true.")
        return self.filter


class ReplayOrder(Order):
    """What to replay."""

    dry_run: bool = Field(default=False, description="only tell what would be replayed, and the cut-off")
    cutoff: datetime | None = Field(default=None, description="what died later stays; by default: now")
    limit: int = Field(default=100, ge=1, le=MOST, description="the oldest so many; ask again for the rest")


class Note(Order):
    """Something to remember about letters."""

    note: str = Field(max_length=2000, pattern=r"^[^\x00]*$")


class Discard(Order):
    """Letters to put aside, and why."""

    why: str = Field(default="discarded", max_length=2000, pattern=r"^[^\x00]*$")


@routes.get("/dead-letters")
def list_letters(using: Using, operator: Operator, search: Annotated[Search, Query()]) -> dict[str, Any]:
    """Dead letters, newest first, without stack and body."""
    del operator
    with using.transaction() as connection:
        found = finding.letters(connection, search, search.limit, search.offset)
        return {"letters": found, "total": finding.count(connection, search)}


@routes.get("/dead-letters/groups")
def list_groups(using: Using, operator: Operator, search: Annotated[Search, Query()]) -> dict[str, Any]:
    """Letters by cause: what failed for one reason has one fingerprint."""
    del operator
    with using.transaction() as connection:
        return {"groups": finding.groups(connection, search, search.limit)}


@routes.get("/dead-letters/export", response_class=StreamingResponse)
def export(using: Using, operator: Operator, search: Annotated[Filter, Query()]) -> StreamingResponse:
    """Everything that is known of each letter, one JSON object a line."""
    del operator
    return StreamingResponse(_lines(using.engine, search), media_type="application/x-ndjson")


@routes.get("/dead-letters/audit")
def list_runs(using: Using, operator: Operator, limit: Annotated[int, Query(ge=1, le=MOST)] = 50) -> dict[str, Any]:
    """Who did what with which letters, newest first."""
    del operator
    with using.transaction() as connection:
        return {"runs": auditing.runs(connection, limit)}


@routes.get("/dead-letters/audit/{run_id}")
def get_run(using: Using, operator: Operator, run_id: UUID) -> dict[str, Any]:
    """What one command did to each letter."""
    del operator
    with using.transaction() as connection:
        return {"results": auditing.results(connection, run_id)}


@routes.get("/dead-letters/{letter_id}")
def get_letter(using: Using, operator: Operator, letter_id: UUID) -> dict[str, Any]:
    """One letter with headers, body, stack, history and lineage."""
    del operator
    with using.transaction() as connection:
        found = finding.whole(connection, letter_id)
    if found is None:
        raise HTTPException(404, f"There is no dead letter {letter_id}.")
    return found


@routes.post("/dead-letters/replay")
def replay(using: Using, operator: Operator, order: ReplayOrder) -> dict[str, Any]:
    """Replay letters: what failed with them is worked on again, everything else goes back to its service's inbox.

    Each letter is sent once, however often and by however many this is asked. Watch `status` to see how it ends.
    """
    wanted = order.letters()
    with using.transaction() as connection:
        cutoff = order.cutoff or finding.clock(connection)
        ids = finding.targets(connection, wanted, cutoff, None)
    answer: dict[str, Any] = {"cutoff": cutoff, "matched": len(ids)}
    if order.dry_run:
        with using.transaction() as connection:
            sample = finding.letters(connection, Filter(ids=tuple(ids[:SAMPLE])), SAMPLE) if ids else []
        return answer | {"dry_run": True, "sample": sample}
    run = Run(operator.email, "replay")
    with using.transaction() as connection:
        run.begin(connection, wanted.given() | {"cutoff": cutoff.isoformat()}, len(ids))
    replays = Replays(using.engine, using.settings.comprehensive_workflow_max_threads)
    results = [replays.replay(letter_id, run, cutoff) for letter_id in ids[: order.limit]]
    counts = dict(Counter(result.result for result in results))
    with using.transaction() as connection:
        run.end(connection, counts)
    told = [{"letter_id": each.letter_id, "result": each.result, "words": each.words} for each in results]
    return answer | {"run_id": run.id, "left": len(ids) - len(results), "counts": counts, "results": told}


@routes.post("/dead-letters/discard")
def discard(using: Using, operator: Operator, order: Discard) -> dict[str, Any]:
    """Put letters aside; `restore` takes them back."""
    return {"discarded": shelving.discard(using.engine, order.letters(), Run(operator.email, "discard"), order.why)}


@routes.post("/dead-letters/restore")
def restore(using: Using, operator: Operator, order: Order) -> dict[str, Any]:
    """Take back letters that were discarded."""
    return {"restored": shelving.restore(using.engine, order.letters(), Run(operator.email, "restore"))}


@routes.post("/dead-letters/note")
def write_note(using: Using, operator: Operator, order: Note) -> dict[str, Any]:
    """Write a note on letters, by fingerprint for a whole group; an empty one takes it away."""
    return {"noted": shelving.note(using.engine, order.letters(), Run(operator.email, "note"), order.note)}


def _lines(engine: Engine, wanted: Filter) -> Iterator[str]:
    for letter in exported(engine, wanted):
        yield json.dumps(jsonable_encoder(letter)) + "\n"
