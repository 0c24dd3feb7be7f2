"""One move: what is read from, what is written to, what was decided so far."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, Table

from services.ingest.imports.ledger import PRESENT, Ledger, Outcome
from services.ingest.sessions.outgoing.outbox import owe
from services.legacy.files import Files
from services.legacy.fitting import uuid
from services.legacy.report import Report
from services.legacy.source import OldSystem
from shared.contracts import StoreFile
from shared.database import transaction

Rows = Sequence[dict[str, Any]]
Known = TypeVar("Known")


@dataclass(frozen=True)
class Account:
    """The account here to which an old one's rows go. `shops` are the folders in which the old one's files may lie."""

    id: UUID
    email: str
    shop_folder: str
    shops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owned:
    """A row that others belong to. `owner` is the old account's id."""

    owner: UUID
    name: str
    parent: UUID | None = None


@dataclass
class Move:
    """Everything that the parts of a move share. With `dry_run` nothing is written."""

    old: OldSystem
    engine: Engine
    files: Files
    lane: str
    roots: Sequence[str]
    dry_run: bool = False
    into_existing: bool = False
    report: Report = field(default_factory=Report)
    accounts: dict[UUID, Account] = field(default_factory=dict)
    templates: dict[UUID, Owned] = field(default_factory=dict)
    canvases: dict[UUID, Owned] = field(default_factory=dict)
    groups: dict[UUID, Owned] = field(default_factory=dict)
    images: dict[UUID, Owned] = field(default_factory=dict)
    owed: set[tuple[UUID, str]] = field(default_factory=set)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One batch's."""
        with transaction(self.engine) as connection:
            yield connection

    def put(
        self, connection: Connection, table: Table, kind: str, rows: Rows, once: Mapping[UUID, dict[str, Any]]
    ) -> dict[UUID, Outcome]:
        """Copy rows of one table, and count them. `once` has what only a new row gets."""
        ledger = Ledger(connection, table)
        plan = ledger.plan(rows)
        if not self.dry_run:
            ledger.write(rows, plan, once)
        for row in rows:
            self.report.outcome(kind, row.get("name") or row.get("email") or row["id"], plan[row["id"]])
        return plan

    def owe(self, connection: Connection, file: StoreFile) -> None:
        """Have storage put a file where its row says, unless it was asked to before."""
        key = (file.tenant_id, file.path)
        if not self.dry_run and key not in self.owed:
            owe(connection, self.lane, file)
            self.owed.add(key)


def here(plan: Mapping[UUID, Outcome]) -> set[UUID]:
    """Which rows are here now, or would be."""
    return {row_id for row_id, outcome in plan.items() if outcome in PRESENT}


def by_id(known: Mapping[UUID, Known], old_id: object) -> Known | None:
    """What an old row refers to by this id, if it refers to anything, and that is here."""
    name = uuid(old_id)
    return known.get(name) if name else None
