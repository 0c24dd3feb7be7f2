"""Accounts: who can log in here as in the old system, and which folder on the NAS is theirs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from services.ingest.catalog.fields import Email
from services.ingest.catalog.passwords import NO_PASSWORD, is_usable
from services.ingest.catalog.users import email_key
from services.ingest.imports.accounts import Accounts, Found
from services.ingest.tables import users
from services.legacy.fitting import moment, uuid
from services.legacy.move import Account, Move, by_id, here
from services.legacy.paths import below_root, folder_of
from services.legacy.report import JOINED
from shared.nas.names import collision_key, safe_folder_name

KIND = "users"
EMAIL: TypeAdapter[str] = TypeAdapter(Email)

Row = Mapping[str, Any]
Folders = Mapping[UUID, Counter[str]]


def copy_people(move: Move) -> None:
    """Copy the accounts; those in use first, and of these the ones with most designs, as they need their folders."""
    rows = {row["id"]: row for batch in move.old.batches("users") for row in _with_ids(batch)}
    folders = _folders(move, rows)
    for row in sorted(rows.values(), key=lambda row: _turn(row, folders)):
        with move.transaction() as connection:
            _copy(move, connection, row, folders)


def _with_ids(batch: Iterable[Row]) -> list[dict[str, Any]]:
    return [{**row, "id": uuid(row["id"])} for row in batch]


def _turn(row: Row, folders: Folders) -> tuple[Any, ...]:
    used = folders.get(row["id"], Counter()).total()
    return row["is_active"] is False, -used, moment(row["created_at"]), str(row["id"])


def _shops(row: Row) -> tuple[str, ...]:
    """Names that the folder of an account's shop may have."""
    named = (row["root_folder"], row["shop_name"])
    last = [str(name).strip("/").rpartition("/")[2] for name in named if name]
    return tuple(dict.fromkeys((*filter(None, last), f"user_{str(row['id'])[:8]}")))


def _folders(move: Move, rows: Mapping[UUID, Row]) -> Folders:
    """In which folders of the NAS each account's designs lie, and how many."""
    found: dict[UUID, Counter[str]] = {}
    for batch in move.old.batches("design_images", "user_id", "file_path"):
        for design in batch:
            row = by_id(rows, design["user_id"])
            if row and (path := below_root(design["file_path"], move.roots, _shops(row))):
                found.setdefault(row["id"], Counter())[folder_of(path)] += 1
    return found


def _copy(move: Move, connection: Connection, row: Row, folders: Folders) -> None:
    user_id, report, known = row["id"], move.report, Accounts(connection)
    try:
        email = EMAIL.validate_python(row["email"])
    except ValidationError:
        report.skip(KIND, row["email"] or user_id, "its e-mail is none; give it one in the old system")
        return
    same = known.of_email(email)
    ours = known.of_id(user_id)
    if same is not None and same.id != user_id:
        _another(move, row, same, came_from_there=known.came_from_there(same.id))
    elif ours is None and (twin := _twin(move, email)):
        _twice(move, email, twin)
    else:
        folder = ours.shop_folder if ours else _folder(move, known, row, folders)
        _put(move, connection, row, Account(user_id, email, folder, _shops(row)))


def _another(move: Move, row: Row, same: Found, *, came_from_there: bool) -> None:
    if came_from_there:
        _twice(move, row["email"], same.email)
    elif move.into_existing:
        move.accounts[row["id"]] = Account(same.id, same.email, same.shop_folder, _shops(row))
        move.report.count(KIND, JOINED)
    else:
        why = "somebody registered here with this e-mail; is it the same person, say --into-existing"
        move.report.skip(KIND, row["email"], why)


def _twice(move: Move, email: str, other: str) -> None:
    why = "another account's e-mail differs in case only; change one in the old system, or its things stay there"
    move.report.skip(KIND, f"{email} (copied: {other})", why)


def _twin(move: Move, email: str) -> str | None:
    """Of a dry run, which has written none of them."""
    twins = (each.email for each in move.accounts.values() if email_key(each.email) == email_key(email))
    return next(twins, None)


def _folder(move: Move, known: Accounts, row: Row, folders: Folders) -> str:
    """The folder in which most of the account's designs lie, else that of its shop's name."""
    lie_in = folders.get(row["id"])
    name = str(row["shop_name"] or "").strip() or str(row["email"]).partition("@")[0]
    wanted = lie_in.most_common(1)[0][0] if lie_in else name
    taken = {collision_key(each.shop_folder) for each in move.accounts.values()}
    folder = known.free_folder(wanted)
    if lie_in and (folder != wanted or (move.dry_run and collision_key(folder) in taken)):
        what = "shops whose designs lie in a folder that can't be theirs here (another's, or no name for every NAS)"
        move.report.note(what, f"{row['email']}: {wanted}; new designs go to {folder}")
    return folder


def _put(move: Move, connection: Connection, row: Row, account: Account) -> None:
    stored = row["hashed_password"] or ""
    if not is_usable(stored):
        move.report.note("users who can't log in, as their password's hash is of no known kind", account.email)
        stored = NO_PASSWORD
    values = {
        "id": row["id"],
        "email": account.email,
        "email_key": email_key(account.email),
        "hashed_password": stored,
        "shop_name": str(row["shop_name"] or "").strip()[:200] or safe_folder_name(account.shop_folder),
        "is_active": row["is_active"] is not False,
    }
    once = {
        "shop_folder": account.shop_folder,
        "shop_folder_key": collision_key(account.shop_folder),
        "created_at": moment(row["created_at"]),
    }
    plan = move.put(connection, users, KIND, [values], {row["id"]: once})
    if here(plan):
        move.accounts[row["id"]] = account
