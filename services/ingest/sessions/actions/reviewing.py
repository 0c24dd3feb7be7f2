"""Near duplicates and what people say of them: keep this one beside what it matched, or skip it.

A file that is kept is taken up again as what failed is (`reopening.py`), with the mark that no near copy bars it. What
was said of the pair goes to dedup as well, for every later upload of these two. One transaction; the lock on the items
makes two people who decide at once one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, update

from services.ingest.sessions.actions.reopening import reopen
from services.ingest.sessions.lifecycle import timeline
from services.ingest.sessions.lifecycle.duplicate_originals import verdicts_of_now
from services.ingest.sessions.lifecycle.file_transitions import told_of
from services.ingest.sessions.lifecycle.session_transitions import Happening
from services.ingest.sessions.outgoing.outbox import owe
from services.ingest.sessions.states import KEEP, SKIP, WAITING, is_cancelled
from services.ingest.sessions.tables import NOW, items, sessions
from services.plurals import counted
from shared.contracts import Blob, PairJudged

Decision = Literal["keep", "skip"]
Which = Literal["waiting", "all"]

NEAR: ColumnElement[bool] = and_(items.c.state == "duplicate", items.c.facts["kind"].astext == "near")
WHICH: dict[Which, ColumnElement[bool]] = {
    "waiting": and_(items.c.state == "duplicate", items.c.review == WAITING),
    "all": or_(NEAR, items.c.review == KEEP),
}
AsScanned = Callable[[Connection, UUID, Mapping[str, UUID | None]], Mapping[str, str]]
"""Of a user, what lies at these paths of the NAS, each with its design's id if it is one: "there", "gone" or "changed",
as far as scans know. Storage knows."""
SINCE = {
    "gone": "that file is no longer there on the NAS (deleted, moved or renamed)",
    "changed": "that file was changed or damaged on the NAS since",
}

VERDICT = func.coalesce(items.c.pair, items.c.facts)["match"]["verdict"].astext


class UnknownFiles(Exception):  # noqa: N818
    """The session has no such files."""


class Undecidable(Exception):  # noqa: N818
    """About some of the files nothing can be decided any more, or yet: why, in words. Nothing was changed."""


@dataclass(frozen=True)
class Decided:
    """What came of decisions about near duplicates."""

    kept: Sequence[Row[Any]]
    skipped: Sequence[Row[Any]]
    before: int
    """How many had been decided so before."""

    def __str__(self) -> str:
        parts = [f"{counted(len(self.kept), 'file')} kept and worked on again"] if self.kept else []
        parts += [f"{counted(len(self.skipped), 'file')} skipped"] if self.skipped else []
        parts += [f"{self.before} decided so before"] if self.before else []
        return f"{', '.join(parts)}." if parts else "There was nothing to decide."


def pairs(
    connection: Connection, session_id: UUID, which: Which, limit: int | None = None, offset: int = 0
) -> tuple[Sequence[Row[Any]], int]:
    """Files of a session that wait for a decision, or `all` that one can be or was made about; and how many in all."""
    these: Select[Any] = select(items).where(items.c.session_id == session_id, WHICH[which])
    total = connection.execute(select(func.count()).select_from(these.subquery())).scalar_one()
    return connection.execute(these.order_by(items.c.index).limit(limit).offset(offset)).all(), total


def pair(connection: Connection, session_id: UUID, item_id: UUID) -> Row[Any] | None:
    """One near duplicate of the session, whether it still waits for a decision or not."""
    this = select(items).where(items.c.session_id == session_id, items.c.id == item_id, WHICH["all"])
    return connection.execute(this).one_or_none()


def waiting(connection: Connection, session_id: UUID, verdict: str | None = None) -> list[UUID]:
    """The files that wait for a decision, locked; those with this verdict, if one is named."""
    these = select(items.c.id).where(items.c.session_id == session_id, WHICH["waiting"])
    if verdict is not None:
        these = these.where(verdict == VERDICT)
    return list(connection.execute(these.order_by(items.c.index).with_for_update()).scalars())


def decide(
    connection: Connection,
    session_id: UUID,
    wanted: Mapping[UUID, Decision],
    hashers: int,
    who: str,
    there: Callable[[Blob], bool],
) -> Decided:
    """Do what is wanted with these files: all of it, or nothing. The same once more changes nothing.

    Whoever skipped may keep later. What is kept can't be unkept: it is on its way to the NAS. `there` says whether an
    upload's bytes are still on the server.

    Raises:
        UnknownFiles: some are not the session's.
        Undecidable: of some it is too late, or too early.
    """
    these = select(items).where(items.c.session_id == session_id, items.c.id.in_(wanted))
    rows = connection.execute(these.order_by(items.c.index).with_for_update()).all()
    if len(rows) < len(wanted):
        raise UnknownFiles(", ".join(sorted(map(str, set(wanted) - {row.id for row in rows}))))
    again = [row for row in rows if row.review == wanted[row.id] and not _to_keep_still(row)]
    new = [row for row in rows if row.review != wanted[row.id] or _to_keep_still(row)]
    if wrong := [words for row in new if (words := _why_not(row, wanted[row.id], there))]:
        raise Undecidable("; ".join(wrong))
    kept = [row for row in new if wanted[row.id] == KEEP]
    skipped = [row for row in new if wanted[row.id] == SKIP]
    if kept:
        reopen(connection, session_id, hashers, who, item_ids=[row.id for row in kept], keeping=True)
    _skip(connection, session_id, skipped, who)
    _tell(connection, session_id, new, wanted)
    return Decided(kept, skipped, len(again))


def picture(row: Row[Any], which: Literal["upload", "match"]) -> Blob | None:
    """The small picture of the file, or of what it matched, as far as there is one."""
    pair = row.pair or {}
    found = pair.get("canonical") if which == "upload" else (pair.get("match") or {}).get("canonical")
    return Blob.model_validate(found) if found else None


def shown(connection: Connection, rows: Sequence[Row[Any]], as_scanned: AsScanned | None) -> list[dict[str, Any]]:
    """Pairs, for whoever decides about them. What an earlier release found has its facts in the file's own."""
    found = verdicts_of_now(connection, [row.pair or {**row.facts, "reason": row.reason} for row in rows])
    matches = [match for pair in found if (match := pair.get("match")) and match.get("path")]
    files = {match["path"]: UUID(match["item_id"]) if match.get("item_id") else None for match in matches}
    met = as_scanned(connection, rows[0].user_id, files) if as_scanned and files else None
    return [_shown(row, pair, met) for row, pair in zip(rows, found, strict=True)]


def _shown(row: Row[Any], pair: Mapping[str, Any], met: Mapping[str, str] | None) -> dict[str, Any]:
    match = pair.get("match") or {}
    since = _since(match, met)
    words = [pair["reason"]] if pair.get("reason") else []
    return {
        "item_id": row.id,
        "index": row.index,
        "filename": row.filename,
        "state": row.state,
        "decision": row.review or "none",
        "distance": pair.get("distance"),
        "verdict": match.get("verdict"),
        "reason": "; ".join([*words, *filter(None, [SINCE.get(since or "")])]) or None,
        "match_on_nas": since,
        "match": {name: match.get(name) for name in ("source", "item_id", "filename", "path")},
    }


def _since(match: Mapping[str, Any], met: Mapping[str, str] | None) -> str | None:
    """What has become of the file that was matched; None: nobody knows. One that only a scan knew is met, or gone."""
    if met is None or not match.get("path"):
        return None
    return met.get(match["path"], "gone" if match.get("source") == "nas" else None)


def _near(row: Row[Any]) -> bool:
    return bool(row.state == "duplicate" and row.facts.get("kind") == "near")


def _to_keep_still(row: Row[Any]) -> bool:
    """Kept, and a duplicate all the same: it was decided anew before dedup heard of that. Then it is to be kept still.

    Dedup hears with the file's next batch, which is never sent if the upload is cancelled before.
    """
    return row.review == KEEP and _near(row)


def _why_not(row: Row[Any], wish: Decision, there: Callable[[Blob], bool]) -> str | None:
    """Why this can't be decided about the file, in words; None: it can."""
    near = _near(row)
    if row.review == KEEP and not (near and wish == KEEP):
        return f"{row.filename} is kept, and that can't be taken back; delete its design if you don't want it"
    if near and (wish == SKIP or there(Blob(sha256=row.sha256, size=row.size))):
        return None
    if near:
        return f"{row.filename}: its bytes are no longer on the server; upload it again, with the policy skip_exact"
    if row.state == "duplicate":
        return f"{row.filename} is the very same file or print as what is there: nothing can be kept beside it"
    return f"{row.filename} {_STATES[row.state]}" + _cancelled(row)


_STATES = {
    "received": "is still being looked at: there is no verdict yet",
    "hashed": "is still being looked at: there is no verdict yet",
    "accepted": "is no duplicate any more and is being stored: there is nothing to decide",
    "stored": "is stored: there is nothing to decide",
    "rejected": "could not be used: there is nothing to decide",
    "failed": "has failed: try it again instead",
}


def _cancelled(row: Row[Any]) -> str:
    return f" ({row.reason})" if is_cancelled(row.state, row.facts) else ""


def _skip(connection: Connection, session_id: UUID, rows: Sequence[Row[Any]], who: str) -> None:
    ids = [row.id for row in rows]
    connection.execute(update(items).where(items.c.id.in_(ids)).values(review=SKIP, updated_at=NOW))
    happened = []
    for row in rows:
        facts = told_of(row, decision=SKIP, by=who)
        happened.append(Happening("skipped", {"to_review": -1} if row.review == WAITING else {}, row.id, facts))
    timeline.append_all(connection, session_id, happened)


def _tell(connection: Connection, session_id: UUID, rows: Sequence[Row[Any]], wanted: Mapping[UUID, Decision]) -> None:
    """Tell dedup what was said of each pair. Of no session: it outlives this one."""
    lane = connection.execute(select(sessions.c.lane).where(sessions.c.id == session_id)).scalar_one()
    for row in rows:
        said = wanted[row.id]
        judged = PairJudged(tenant_id=row.user_id, item_id=row.id, generation=row.generation, decision=said)
        owe(connection, lane, judged, message_id=uuid5(row.id, f"judged:{row.generation}:{said}"))
