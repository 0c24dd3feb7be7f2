"""The work that others have in an upload's lane now, from the rows of sessions."""

from uuid import UUID

from sqlalchemy import Connection, case, func, select

from services.ingest.sessions.progress.slowdown import Left, Load
from services.ingest.sessions.tables import LISTINGS_IN_PROGRESS, sessions

UNLISTED = case(
    (sessions.c.requested > 0, LISTINGS_IN_PROGRESS),
    (sessions.c.costs["listed"].as_boolean().is_(False), 0),
    else_=sessions.c.received - sessions.c.duplicate - sessions.c.rejected - sessions.c.failed,
)
"""How many listings of an upload are still to be made. Before they are asked for: one for each file that may be stored,
unless the user is known to ask for none.
"""


def lane_load(connection: Connection, session_id: UUID) -> Load:
    """What others have to do in this upload's lane; listings, too, that will be asked for."""
    session = connection.execute(select(sessions).where(sessions.c.id == session_id)).one()
    theirs = sessions.c.user_id != session.user_id
    files = func.sum(func.greatest(sessions.c.work - sessions.c.work_done, 0.0))
    others = select(sessions.c.user_id, files.label("files"), func.sum(UNLISTED).label("listings")).where(
        sessions.c.state == "working",
        sessions.c.lane == session.lane,
        sessions.c.id != session.id,
        theirs | (sessions.c.submitted_at < session.submitted_at),
    )
    rows = connection.execute(others.group_by(sessions.c.user_id)).all()
    by_user = {row.user_id: Left(row.files, float(row.listings)) for row in rows}
    return Load(by_user.pop(session.user_id, Left()), list(by_user.values()))
