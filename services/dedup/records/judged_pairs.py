"""What people said of pairs: keep this near duplicate beside what it matched, or skip it. Used inside a transaction.

A pair is known by what its two files hold, in either order: what was said of it outlives uploads, retries and replays.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, and_, any_, bindparam, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.dedup.rule.matching import Said
from services.dedup.tables import CLOCK, hashes, pairs, verdicts
from shared.contracts import DuplicateFound, ImageHashed, Match, PairJudged

CONTENTS = bindparam("contents", type_=ARRAY(Text))
SAID = select(pairs).where(
    pairs.c.tenant_id == bindparam("tenant"),
    or_(pairs.c.one == any_(CONTENTS), pairs.c.other == any_(CONTENTS)),
)


def remember(connection: Connection, event: PairJudged) -> None:
    """Keep what was said of the file and what that verdict matched it with. Who said keep is not overruled by a skip.

    A verdict that is not there was lost with a database: then the question is asked again.
    """
    is_judged = (verdicts.c.item_id == event.item_id, verdicts.c.generation == event.generation)
    of_verdict = select(verdicts.c.hashed, verdicts.c.duplicate)
    row = connection.execute(of_verdict.where(*is_judged, verdicts.c.tenant_id == event.tenant_id)).one_or_none()
    if row is None or row.duplicate is None:
        return
    own_sha256 = row.hashed["upload"]["sha256"]
    match = DuplicateFound.model_validate(row.duplicate).match
    matched_sha256 = match.content or _content(connection, event.tenant_id, match)
    if matched_sha256 is None or matched_sha256 == own_sha256:
        return
    one, other = sorted((own_sha256, matched_sha256))
    said = insert(pairs).values(tenant_id=event.tenant_id, one=one, other=other, decision=event.decision)
    unique, news = ["tenant_id", "one", "other"], {"decision": said.excluded.decision, "decided_at": CLOCK}
    overruled = and_(pairs.c.decision == "skip", said.excluded.decision == "keep")
    connection.execute(said.on_conflict_do_update(index_elements=unique, set_=news, where=overruled))


def said_of(connection: Connection, tenant_id: UUID, events: Sequence[ImageHashed]) -> dict[str, Said]:
    """What people said of each of these uploads beside others: by the upload's SHA-256, then by the other picture's."""
    said: dict[str, dict[str, str]] = {}
    contents = [event.upload.sha256 for event in events]
    for row in connection.execute(SAID, {"tenant": tenant_id, "contents": contents}):
        for mine, theirs in ((row.one, row.other), (row.other, row.one)):
            said.setdefault(mine, {})[theirs] = row.decision
    return dict(said)


def _content(connection: Connection, tenant_id: UUID, match: Match) -> str | None:
    """Of what an earlier release matched, without saying what it holds; None: it is not known any more."""
    which = hashes.c.item_id == match.item_id if match.item_id else hashes.c.path == match.path
    found = select(hashes.c.upload_sha256, hashes.c.print_sha256).where(hashes.c.tenant_id == tenant_id, which)
    row = connection.execute(found.order_by(hashes.c.id).limit(1)).one_or_none()
    return None if row is None else row.upload_sha256 or row.print_sha256
