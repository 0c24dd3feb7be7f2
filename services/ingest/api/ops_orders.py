"""What operators do with dead letters: replay, edit, put aside, purge. `presswork dead` does the same."""

import threading
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, HTTPException
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.api.identity import Operator
from services.ingest.api.resources import Using
from services.ingest.dead_letters import auditing, editing, jobs, purging, shelving
from services.ingest.dead_letters.auditing import Run
from services.ingest.dead_letters.finding import Filter
from services.ingest.dead_letters.steps import ReplayPace
from shared.contracts import Stage
from shared.errors import Retryable

routes = APIRouter(prefix="/api/v1/ops", tags=["operators"])

log = structlog.get_logger()

MOST = 1000


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
    """What to replay, and how."""

    dry_run: bool = Field(default=False, description="only tell what would be replayed, and the cut-off")
    cutoff: datetime | None = Field(default=None, description="what died later stays; by default: now")
    limit: int = Field(default=100, ge=1, le=MOST, description="the oldest so many; ask again for the rest")
    background: bool = Field(
        default=False, description="answer at once; see `audit/{run_id}`, stop by `audit/{run_id}/cancel`"
    )
    canary: bool = Field(default=False, description="one, then five, then the rest, if those end well; in background")
    tolerate: float = Field(default=0, ge=0, le=1, description="the share of a canary's step that may fail again")
    per_second: float | None = Field(default=None, gt=0, description="at most so many; in background")
    patience: float = Field(default=600, ge=0, le=86_400, description="seconds to wait for the end of a canary's step")
    to: Stage | None = Field(default=None, description="send them to this service's inbox instead: rarely right")
    force: bool = Field(default=False, description="though a service that is needed does not run")

    def pace(self) -> ReplayPace:
        """How fast, and how carefully."""
        pause_s = 1 / self.per_second if self.per_second else 0.0
        return ReplayPace(canary=self.canary, pause_s=pause_s, patience_s=self.patience, tolerance=self.tolerate)


class Edit(BaseModel):
    """A message to send instead of a letter's."""

    model_config = ConfigDict(extra="forbid")

    message: dict[str, Any] = Field(description="the whole body of the letter, with its data edited")
    allow_edit: Literal[True] = Field(description="say true: what died is not what is sent")


class Purge(Order):
    """Letters of one service to delete for good."""

    confirm: str = Field(description="the service and how many, like: storage 12")
    export_sha256: str = Field(description="SHA-256 of `export` with the same filter: get it first, and keep it")


class Note(Order):
    """Something to remember about letters."""

    note: str = Field(max_length=2000, pattern=r"^[^\x00]*$")


class Discard(Order):
    """Letters to put aside, and why."""

    why: str = Field(default="discarded", max_length=2000, pattern=r"^[^\x00]*$")


@routes.post("/dead-letters/replay")
def replay(using: Using, operator: Operator, order: ReplayOrder) -> JSONResponse:
    """Replay letters: what failed with them is worked on again, everything else goes back to its service's inbox.

    Each letter is sent once, however often and by however many this is asked. Watch `status` to see how it ends.
    """
    wanted = order.letters()
    ids, cutoff = jobs.chosen(using.engine, wanted, None, order.cutoff)
    hashers = using.settings.comprehensive_workflow_max_threads
    taken = ids[: order.limit]
    run = Run(operator.email, "replay")
    job = jobs.Job(using.engine, hashers, run, wanted, taken, cutoff, order.to, order.pace(), order.limit)
    answer: dict[str, Any] = {"cutoff": cutoff, "matched": len(ids), "left": len(ids) - len(taken)}
    obstacles = using.neighbours.obstacles(job.takers())
    if order.dry_run:
        return _answer(job.foreseen() | answer | {"dry_run": True, "obstacles": obstacles})
    if obstacles and not order.force:
        raise HTTPException(409, f"Nothing was replayed: {'; '.join(obstacles)}. Mend that, or say force: true.")
    answer |= {"run_id": job.begin(), "warnings": job.warnings()}
    if order.background or order.canary or order.per_second:
        threading.Thread(target=_carry_out, args=(job,), name=f"replay {job.run.id}", daemon=True).start()
        return _answer(answer | {"watch": f"{routes.prefix}/dead-letters/audit/{job.run.id}"}, 202)
    done = job.carry_out()
    return _answer(done | answer)


@routes.post("/dead-letters/audit/{run_id}/cancel")
def cancel(using: Using, operator: Operator, run_id: UUID) -> dict[str, Any]:
    """Stop a replay before its next letter, whoever began it, here or on a terminal."""
    with using.transaction() as connection:
        found = auditing.cancel(connection, run_id, operator.email)
    if found is None:
        raise HTTPException(404, f"There is no run {run_id}.")
    return {"run": found}


@routes.post("/dead-letters/{letter_id}/edit")
def edit(using: Using, operator: Operator, letter_id: UUID, order: Edit) -> dict[str, Any]:
    """Send an edited copy, as a new message, instead of the letter; the original is never sent then."""
    run = Run(operator.email, "edit")
    try:
        result = editing.edit(using.engine, letter_id, order.message, run)
    except editing.NotSent as error:
        raise HTTPException(422, f"Nothing was sent: {error}.") from error
    return {"run_id": run.id, "result": result.result, "words": result.words}


@routes.post("/dead-letters/purge")
def purge(using: Using, operator: Operator, order: Purge) -> dict[str, Any]:
    """Delete letters of one service for good: name it and how many they are, and have their export."""
    run = Run(operator.email, "purge")
    try:
        count = purging.purge(using.engine, order.letters(), run, order.confirm, order.export_sha256)
    except purging.NotPurged as error:
        raise HTTPException(422, f"Nothing was deleted: {error}.") from error
    return {"purged": count}


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


def _carry_out(job: jobs.Job) -> None:
    try:
        job.carry_out()
    except Retryable as error:  # its rows say how far it came
        log.warning("a replay broke off", run_id=str(job.run.id), cause=str(error))


def _answer(found: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(jsonable_encoder(found), status)
