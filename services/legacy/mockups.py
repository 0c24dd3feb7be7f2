"""Mockup groups with their photographs, watermarks and masks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, update

from services.ingest.catalog.mockup_records import MaskInput, MockupInput
from services.ingest.catalog.photographs import BASE_FOLDER, Photographs
from services.ingest.catalog.pictures import Picture
from services.ingest.catalog.users import User
from services.ingest.imports.ledger import Ledger, Outcome
from services.ingest.tables import mockup_images, mockup_masks, mockups
from services.legacy.files import Kept, NoFile
from services.legacy.fitting import moment, named, polygons, uuid
from services.legacy.move import Account, Move, Owned, by_id, here
from services.legacy.paths import below_root, folder_of
from services.legacy.products import fit, put
from services.legacy.report import SKIPPED
from shared.contracts import StoreFile
from shared.nas.errors import BadPath
from shared.nas.names import checked, safe_folder_name

Row = Mapping[str, Any]
Marks = dict[str | None, Kept | None]
"""Watermarks by their paths, as many photographs have the same."""

GROUPS, PHOTOGRAPHS, MASKS = "mockup groups", "photographs", "masks"
LAST_NUMBER = re.compile(r"_([0-9]{1,6})\.[^.]+$")


def copy_mockups(move: Move) -> None:
    """Copy them, parents first; photographs one at a time, as each is a file."""
    for batch in move.old.batches("mockups"):
        put(move, mockups, GROUPS, [row for each in batch if (row := _group(move, each))], move.groups)
    marks: Marks = {}
    for batch in move.old.batches("mockup_images"):
        for each in batch:
            _photograph(move, each, marks)
    for batch in move.old.batches("mockup_mask_data"):
        _put_masks(move, [row for each in batch if (row := _mask(move, each))])


def _group(move: Move, row: Row) -> dict[str, Any] | None:
    owner, template_id = uuid(row["user_id"]), uuid(row["product_template_id"])
    template = by_id(move.templates, template_id)
    if owner not in move.accounts:
        move.report.skip(GROUPS, row["name"] or row["id"], "its account is not copied")
        return None
    if template is None or move.accounts[template.owner].id != move.accounts[owner].id:
        move.report.skip(GROUPS, row["name"] or row["id"], "its product template is not here, or another account's")
        return None
    values = fit(move, GROUPS, MockupInput, named(row, "Unnamed mockup"))
    made = {"id": uuid(row["id"]), "user_id": move.accounts[owner].id, "created_at": moment(row["created_at"])}
    return values and {**values, **made, "owner": owner}


def _photograph(move: Move, row: Row, marks: Marks) -> None:
    group = by_id(move.groups, row["mockups_id"])
    if group is None or group.parent is None:
        move.report.skip(PHOTOGRAPHS, row["filename"] or row["id"], "its mockup group is not here")
        return
    account, template = move.accounts[group.owner], move.templates[group.parent].name
    kind = str(row["image_type"] or template)[:100]
    image_id, group_id = UUID(str(row["id"])), uuid(row["mockups_id"])
    values: dict[str, Any] = {"id": image_id, "user_id": account.id, "mockups_id": group_id, "image_type": kind}
    with move.transaction() as connection:
        is_new = Ledger(connection, mockup_images).plan([values])[image_id] is Outcome.COPIED
    file, mark = None, None
    if is_new:  # in no transaction: the NAS may take minutes, and PostgreSQL ends one that is idle for so long
        try:
            file = _file(move, row, account, template)
        except (NoFile, BadPath) as error:
            what = f"{PHOTOGRAPHS} skipped: the file is missing, or none that can be used; their groups lack them"
            move.report.count(PHOTOGRAPHS, SKIPPED)
            move.report.note(what, f"{row['file_path'] or row['filename']} of '{group.name}': {error}")
            return
        mark = _mark(move, row, account, marks)
    with move.transaction() as connection:
        once = _placed(move, connection, row, account, file) if file else {}
        once |= _marked(move, connection, account, mark)
        plan = move.put(connection, mockup_images, PHOTOGRAPHS, [values], {image_id: once})
    if here(plan):
        move.images[image_id] = Owned(group.owner, str(row["filename"]))


class File(NamedTuple):
    """A photograph's bytes in the blob store, its old name, and where it is to lie below the shop's folder."""

    kept: Kept
    name: str
    path: str
    is_there: bool


def _file(move: Move, row: Row, account: Account, template: str) -> File | None:
    """The photograph's bytes into the blob store; in a dry run only a look at whether they are there."""
    lies_at = below_root(row["file_path"], move.roots, (account.shop_folder, *account.shops))
    name = str(row["filename"] or (lies_at or "").rpartition("/")[2])
    usual = checked(f"{BASE_FOLDER}/{safe_folder_name(template)}/{name}")
    own = lies_at is not None and folder_of(lies_at) == account.shop_folder
    path = lies_at.partition("/")[2] if own and lies_at else usual
    there = [lies_at] if lies_at else []
    kept = move.files.keep([*there, f"{account.shop_folder}/{usual}"], dry_run=move.dry_run)
    return File(kept, name, path, kept.on_nas and own) if kept else None


def _placed(move: Move, connection: Connection, row: Row, account: Account, file: File) -> dict[str, Any]:
    """The photograph's columns, once its file is owed to the NAS where it is not there."""
    if not file.is_there:
        content = file.kept.picture.blob
        move.owe(connection, StoreFile(tenant_id=account.id, shop=account.shop_folder, path=file.path, content=content))
    return _columns(file.path, file.kept.picture) | {
        "position": _position(connection, row, file.name),
        "created_at": moment(row["created_at"]),
    }


def _columns(path: str, picture: Picture) -> dict[str, Any]:
    return {
        "filename": path.rpartition("/")[2],
        "path": path,
        "sha256": picture.blob.sha256,
        "size": picture.blob.size,
        "width": picture.width,
        "height": picture.height,
    }


def _position(connection: Connection, row: Row, name: str) -> int:
    """The photograph's number in its group: that in its file's name, so that no later file gets the same name."""
    found = LAST_NUMBER.search(name)
    number = func.greatest(mockups.c.next_image, int(found[1]) if found else 0)
    taken = update(mockups).where(mockups.c.id == uuid(row["mockups_id"])).values(next_image=number + 1)
    return int(connection.execute(taken.returning(mockups.c.next_image)).scalar_one()) - 1


def _mark(move: Move, row: Row, account: Account, marks: Marks) -> Kept | None:
    """The photograph's watermark; None if it has none, or it is missing, which is said."""
    if not row["watermark_path"]:
        return None
    path = below_root(row["watermark_path"], move.roots, (account.shop_folder, *account.shops))
    try:
        if path not in marks:
            marks[path] = move.files.keep([path] if path else [], dry_run=move.dry_run)
    except NoFile as error:
        what = "watermarks that are missing; their photographs have none"
        move.report.note(what, f"{row['watermark_path']}: {error}")
        return None
    return marks[path]


def _marked(move: Move, connection: Connection, account: Account, kept: Kept | None) -> dict[str, Any]:
    """The watermark's columns."""
    if kept is None:
        return dict.fromkeys(("watermark_path", "watermark_sha256", "watermark_size"))
    owner = User(account.id, account.email, "", account.shop_folder, is_active=True, created_at=datetime.now(UTC))
    columns, files = Photographs(connection, owner, "").keep_watermark(kept.picture)
    for file in files:
        move.owe(connection, file)
    return columns


def _mask(move: Move, row: Row) -> dict[str, Any] | None:
    image_id = uuid(row["mockup_image_id"])
    image = by_id(move.images, image_id)
    if image is None:
        move.report.skip(MASKS, row["id"], "its photograph is not here")
        return None
    shown = {"name": image.name, "masks": polygons(row["masks"]), "points": polygons(row["points"])}
    values = fit(move, MASKS, MaskInput, {**row, **shown})
    if values is None:
        return None
    values["points"] = values["masks"] if values["points"] is None else values["points"]
    places = {"id": uuid(row["id"]), "user_id": move.accounts[image.owner].id, "mockup_image_id": image_id}
    return {**values, **places, "created_at": moment(row["created_at"])}


def _put_masks(move: Move, rows: list[dict[str, Any]]) -> None:
    once = {row["id"]: {"created_at": row.pop("created_at")} for row in rows}
    with move.transaction() as connection:
        move.put(connection, mockup_masks, MASKS, rows, once)
