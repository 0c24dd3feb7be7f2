"""Designs: stored items of their sellers, numbers that nobody gets again, and rows of the index of duplicates."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from services.dedup.records.old_designs import OldDesign, upsert_old_designs
from services.ingest.imports.designs import OldDesigns
from services.ingest.sessions.tables import IMPORTED
from services.legacy import paths
from services.legacy.fitting import moment, uuid
from services.legacy.move import Account, Move, by_id
from services.storage.allotment import reserve
from services.storage.placing import product_in, product_key

KIND = "designs"
HASHES = ("phash", "ahash", "dhash", "whash")
HASH = re.compile("[0-9a-f]{64}")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Products:
    """An account's product templates: looked up for each of its designs, however many there are of both."""

    names: dict[UUID, str] = field(default_factory=dict)
    of_folder: dict[str, list[UUID]] = field(default_factory=dict)
    of_name: dict[str, list[UUID]] = field(default_factory=dict)

    def add(self, template_id: UUID, name: str) -> None:
        """Know one more."""
        self.names[template_id] = name
        self.of_folder.setdefault(paths.template_key(name), []).append(template_id)
        self.of_name.setdefault(product_key(name), []).append(template_id)

    def fitting(self, folder: str | None, name: str, *, digital: bool) -> list[UUID]:
        """Those that a design may be of: by its folder, else by the product's name in its own."""
        if folder is not None:
            return self.of_folder.get(paths.template_key(folder), [])
        product = None if digital else product_in(name)
        return self.of_name.get(product, []) if product is not None else []


@dataclass(frozen=True)
class Design:
    """A design of the old system: its row here, its hash, and the sequence that its number is one of."""

    row: dict[str, Any]
    phash: str | None
    made: datetime
    sequence: str | None

    @property
    def id(self) -> UUID:
        return UUID(str(self.row["id"]))


def copy_designs(move: Move) -> None:
    """Copy them, a transaction for each batch of an account's."""
    products = _products(move)
    for batch in move.old.batches("design_images"):
        for owner, rows in groupby(batch, lambda row: uuid(row["user_id"])):
            account = by_id(move.accounts, owner)
            if account is None:
                for row in rows:
                    move.report.skip(KIND, row["filename"] or row["id"], "its account is not copied")
            else:
                found = (_design(move, account, row, products.get(account.id, Products())) for row in rows)
                _copy(move, account, [design for design in found if design])
    for user_id in () if move.dry_run else sorted({account.id for account in move.accounts.values()}):
        with move.transaction() as connection:
            OldDesigns(connection, user_id, move.lane).finish()


def _products(move: Move) -> dict[UUID, Products]:
    """Each account's."""
    found: dict[UUID, Products] = {}
    for template_id, template in move.templates.items():
        found.setdefault(move.accounts[template.owner].id, Products()).add(template_id, template.name)
    return found


def _copy(move: Move, account: Account, designs: Sequence[Design]) -> None:
    rows = [design.row for design in designs]
    with move.transaction() as connection:
        theirs = OldDesigns(connection, account.id, move.lane)
        plan = theirs.plan(rows)
        for design in designs:
            move.report.outcome(KIND, design.row["name"], plan[design.id])
        if move.dry_run:
            return
        reserve(connection, _taken(designs))
        now = theirs.write(rows, plan, {design.id: design.made for design in designs})
        known = [
            OldDesign(
                design.id, theirs.session_id, design.row["name"], design.row["path"], design.phash,
                now[design.id].is_active, now[design.id].revision, design.made,
            )
            for design in designs if design.id in now
        ]  # fmt: skip
        if known:
            upsert_old_designs(connection, account.id, known)


def _taken(designs: Sequence[Design]) -> dict[str, int]:
    """The greatest number of each sequence."""
    found: dict[str, int] = {}
    for design in designs:
        if design.sequence is not None and design.row["number"] is not None:
            found[design.sequence] = max(design.row["number"], found.get(design.sequence, 0))
    return found


def _design(move: Move, account: Account, row: Row, products: Products) -> Design | None:
    lies_at = paths.below_root(row["file_path"], move.roots, (account.shop_folder, *account.shops))
    name = str(row["filename"] or lies_at or row["file_path"] or "").rstrip("/").rpartition("/")[2].strip()
    if not name:
        move.report.skip(KIND, row["id"], "it has no name")
        return None
    digital = bool(row["is_digital"]) or (lies_at is not None and paths.is_digital(lies_at))
    folder = paths.template_of(lies_at) if lies_at else None
    fitting = products.fitting(folder, name, digital=digital)
    folder = folder or next((products.names[template_id] for template_id in fitting), None)
    number = paths.number_in(name)
    if number is not None and folder is None:
        move.report.note("designs whose product can't be told: their numbers may come again", name)
    values: dict[str, Any] = {
        "filename": name,
        "name": name,
        "number": number,
        "path": _place(move, account, row, lies_at),
    }
    values |= {"is_digital": digital, "template_id": fitting[0] if len(fitting) == 1 else None}
    phash = row["phash"] if HASH.fullmatch(row["phash"] or "") else None
    sequence = paths.sequence_key(account.shop_folder, folder, digital=digital) if folder else None
    return Design(values | _as_it_was(move, account, row, name), phash, moment(row["created_at"]), sequence)


def _as_it_was(move: Move, account: Account, row: Row, name: str) -> dict[str, Any]:
    """What can be taken over as it stands."""
    return {
        "id": uuid(row["id"]),
        "user_id": account.id,
        "description": row["description"],
        "is_active": row["is_active"] is not False,
        "canvas_config_id": _canvas(move, account, row),
        "facts": {IMPORTED: {"file_path": row["file_path"], "wrong_hashes": _wrong_hashes(move, row, name)}},
    }


def _place(move: Move, account: Account, row: Row, lies_at: str | None) -> str | None:
    """Its path below the NAS root, if that is in its shop's folder."""
    if lies_at and paths.folder_of(lies_at) == account.shop_folder:
        return lies_at
    what = "designs whose file is in no folder of their shop's: copied, but neither shown nor compared with uploads"
    move.report.note(what, f"{row['filename'] or row['id']}: {row['file_path'] or 'no path'}")
    return None


def _canvas(move: Move, account: Account, row: Row) -> UUID | None:
    canvas_id = uuid(row["canvas_config_id"])
    canvas = by_id(move.canvases, canvas_id)
    return canvas_id if canvas and move.accounts[canvas.owner].id == account.id else None


def _wrong_hashes(move: Move, row: Row, name: str) -> dict[str, int]:
    """The lengths of hashes that are none of 256 bits. Old versions cut them, or wrote two into one."""
    wrong = {each: len(row[each]) for each in HASHES if row[each] and not HASH.fullmatch(row[each])}
    if wrong:
        move.report.note("designs with hashes of the wrong length: marked, and made anew from their files", name)
    return wrong
