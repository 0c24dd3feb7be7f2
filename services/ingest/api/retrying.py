"""Sellers try again what failed: a whole session, or one file of it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException

from services.ingest.api.native import owner_of
from services.ingest.api.sessions import Catalog, ProductData
from services.ingest.catalog.errors import Missing, Unusable
from services.ingest.catalog.users import User
from services.ingest.sessions import reading
from services.ingest.sessions.asking import request_of
from services.ingest.sessions.desk import Desk
from services.ingest.sessions.records import Session
from services.ingest.sessions.reopening import Group
from services.ingest.sessions.telling import retold


def router(desk: Desk, catalog: Catalog, current_user: Callable[..., User]) -> APIRouter:
    """Trying again. Asking twice does it once: what is being worked on again has not failed."""
    routes = APIRouter(prefix="/api/v1", tags=["Presswork"])
    caller = Annotated[User, Depends(current_user)]
    mine = Annotated[Session, Depends(owner_of(desk, current_user))]

    def retry(session: Session, user: User, item: Mapping[str, Any] | None = None) -> dict[str, Any]:
        requests, unready = _as_they_are_now(desk, catalog, user, session)
        if requests:
            asked = [item] if item else desk.sessions.items(session.id)
            unlisted = [row["id"] for row in asked if any(each["state"] == "failed" for each in row["listings"])]
            desk.prints.bring_back(user.id, unlisted, damaged=True)
        opened = desk.sessions.retry(session, user.email, [item["id"]] if item else None, requests)
        desk.lanes.bell.ring()
        told = retold([row.filename for row in opened.files], len(opened.listings), item)
        now = desk.sessions.get(user.id, session.id) or session
        return {
            "session_id": session.id,
            "state": now.state,
            "retried": [{"item_id": row.id, "filename": row.filename} for row in opened.files],
            "listings_retried": len(opened.listings),
            "message": " ".join([told, *unready]) if opened.listings else told,
            "totals": reading.totals(now),
        }

    @routes.post("/sessions/{session_id}/retry")
    def retry_session(session: mine, user: caller) -> dict[str, Any]:
        """Try again every file and listing that failed. Rejected files and duplicates stay as they are."""
        return retry(session, user)

    @routes.post("/sessions/{session_id}/items/{item_id}/retry")
    def retry_item(session: mine, item_id: UUID, user: caller) -> dict[str, Any]:
        """Try again one file that failed, or the failed listings of one that is stored."""
        found = [row for row in desk.sessions.items(session.id) if row["id"] == item_id]
        if not found:
            raise HTTPException(404, f"Your session has no file {item_id}.")
        return retry(session, user, found[0])

    return routes


def _as_they_are_now(
    desk: Desk, catalog: Catalog, user: User, session: Session
) -> tuple[dict[Group, dict[str, Any]], list[str]]:
    """What the failed listings ask for today: the cause may have been mended in the template or the mockup group."""
    requests: dict[Group, dict[str, Any]] = {}
    unready: list[str] = []
    for template_id, mockup_id in desk.sessions.failed_groups(session.id):
        wanted = ProductData(product_template_id=template_id, mockup_id=mockup_id, design_ids=[])
        try:
            template, backgrounds = catalog.group(user, wanted)
        except (Missing, Unusable) as error:
            unready.append(f"They are listed with what was chosen then: {error}")
        else:
            requests[template_id, mockup_id] = request_of(user.shop_folder, template, backgrounds)
    return requests, unready
