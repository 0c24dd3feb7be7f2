"""What an account's uploads do with duplicates, unless an upload says otherwise."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.api.turns import QUICK, SLOW
from services.ingest.catalog.duplicates import MEANING, change, changes, current
from services.ingest.catalog.users import User
from shared.contracts import Duplicates

routes = APIRouter(prefix="/api/v1/settings", tags=["uploads"])

MOST = 32
"""Beyond it unrelated pictures are taken for the same."""


class DuplicateSetting(BaseModel):
    """What is left out stays; nothing else is taken, so that a word misspelt is no silent default."""

    model_config = ConfigDict(extra="forbid")

    policy: Duplicates = "skip_near"
    distance: int | None = Field(default=None, ge=0, le=MOST, strict=True)


@routes.get("/duplicates", dependencies=[QUICK])
def get_duplicates(using: Using, user: Caller) -> dict[str, Any]:
    """What your uploads do with duplicates, what else there is, and who changed it when."""
    with using.transaction() as connection:
        return _setting(connection, user)


@routes.put("/duplicates", dependencies=[SLOW])
def put_duplicates(using: Using, user: Caller, given: DuplicateSetting) -> dict[str, Any]:
    """Change it for uploads from now on. Uploads that were submitted before keep what they had.

    `distance`: bits of 256 within which two hashes are looked at as the same; null: what the server is set to.
    """
    with using.transaction() as connection:
        change(connection, user.id, user.email, given.model_dump(exclude_unset=True))
        return _setting(connection, user)


@routes.get("/duplicates/preview", dependencies=[SLOW])
def preview_duplicates(using: Using, user: Caller, distance: Annotated[int, Query(ge=0, le=MOST)]) -> dict[str, Any]:
    """Which of your designs would be taken for the same at this distance that are not now (or the other way round)."""
    if using.neighbours.preview is None:
        raise HTTPException(503, "This server was started without what compares designs; tell your operator.")
    with using.transaction() as connection:
        now = current(connection, user.id).distance
    return using.neighbours.preview(user.id, now, distance)


def _setting(connection: Connection, user: User) -> dict[str, Any]:
    now = current(connection, user.id)
    return {
        "policy": now.policy,
        "distance": now.distance,
        "meaning": MEANING[now.policy],
        "policies": MEANING,
        "changes": changes(connection, user.id),
    }
