"""Designs that an earlier upload stored and that nobody listed: its browser was closed, say, or its listings failed.

Whoever sends their files again is told that they are duplicates, which is true, and would never get them listed. So
they are listed together with the upload that brought them again. Used inside a transaction.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Uuid, cast, select

from services.ingest.sessions.intake.listing_requests import in_a_dry_run
from services.ingest.sessions.lifecycle.records import Wanted
from services.ingest.sessions.states import LISTABLE
from services.ingest.sessions.tables import IMPORTED, items, listings, sessions


def leftovers(connection: Connection, user_id: UUID, uploads: Sequence[UUID], wanted: Wanted) -> list[UUID]:
    """The designs that these uploads brought again, byte for byte, and whose listings nobody had asked for before them.

    A dry run counts as not asked. Those that were asked for since are among them: a repeated call finds the same.
    """
    again, original = items.alias("again"), items.alias("original")
    same = original.c.id == cast(again.c.facts["match"]["item_id"].astext, Uuid)
    earlier = select(listings.c.item_id).where(
        listings.c.item_id == original.c.id,
        listings.c.state != "failed",
        ~in_a_dry_run(wanted),
        listings.c.requested_at < sessions.c.submitted_at,
    )
    found = connection.execute(
        select(original.c.id)
        .select_from(again.join(sessions, sessions.c.id == again.c.session_id).join(original, same))
        .where(
            again.c.session_id.in_(uploads),
            again.c.user_id == user_id,
            again.c.state == "duplicate",
            again.c.facts["kind"].astext == "identical",
            original.c.user_id == user_id,
            original.c.session_id != again.c.session_id,
            ~original.c.facts.has_key(IMPORTED),  # the old system has listed it, or its seller has not wanted it
            original.c.template_id == wanted.template.template_id,
            original.c.is_active,
            original.c.state.in_(LISTABLE),
            ~earlier.exists(),
        )
        .order_by(again.c.session_id, again.c.index)
    )
    return list(dict.fromkeys(found.scalars()))


def whole_uploads(connection: Connection, user_id: UUID, asked: Sequence[UUID]) -> list[UUID]:
    """The uploads all of whose designs are asked for. Who asks for only some of an upload wants no others listed."""
    of_asked = select(items.c.session_id).where(items.c.user_id == user_id, items.c.id.in_(asked)).distinct()
    others = select(items.c.session_id).where(
        items.c.session_id.in_(of_asked), items.c.is_active, items.c.state.in_(LISTABLE), items.c.id.not_in(asked)
    )
    partly = set(connection.execute(others).scalars())
    return [upload for upload in connection.execute(of_asked).scalars() if upload not in partly]
