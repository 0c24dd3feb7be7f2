"""What an account's uploads do with duplicates, unless an upload says otherwise."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from services.ingest.api.identity import Caller
from services.ingest.api.resources import Using
from services.ingest.catalog.duplicates import MEANING, change_policy, changes, current_policy
from services.ingest.catalog.users import User
from shared.contracts import Duplicates

routes = APIRouter(prefix="/api/v1/settings", tags=["Presswork"])


class DuplicateSetting(BaseModel):
    """The setting; nothing else is taken, so that a word misspelt is no silent default."""

    model_config = ConfigDict(extra="forbid")

    policy: Duplicates


@routes.get("/duplicates")
def get_duplicates(using: Using, user: Caller) -> dict[str, Any]:
    """What your uploads do with duplicates, what else there is, and who changed it when."""
    with using.transaction() as connection:
        return _setting(connection, user)


@routes.put("/duplicates")
def put_duplicates(using: Using, user: Caller, given: DuplicateSetting) -> dict[str, Any]:
    """Change it for uploads from now on. Uploads that were submitted before keep what they had."""
    with using.transaction() as connection:
        change_policy(connection, user.id, given.policy, user.email)
        return _setting(connection, user)


def _setting(connection: Connection, user: User) -> dict[str, Any]:
    policy = current_policy(connection, user.id)
    return {
        "policy": policy,
        "meaning": MEANING[policy],
        "policies": MEANING,
        "changes": changes(connection, user.id),
    }
