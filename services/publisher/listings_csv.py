"""`listings.csv`: a shop's drafts as a table to paste from, one row per listing. Pure text in, text out."""

import csv
import io

from services.publisher.listing import ListingDraft

COLUMNS = (
    "title",
    "description",
    "price",
    "quantity",
    "tags",
    "materials",
    "type",
    "who_made",
    "when_made",
    "taxonomy_id",
    "pictures",
    "folder",
    "publish_key",
)


def is_ours(table: str) -> bool:
    """Whether it is the table as we write it, and not one that a spreadsheet saved with other columns or commas."""
    return table.split("\n", 1)[0].rstrip("\r") == ",".join(COLUMNS)


def with_row(table: str, draft: ListingDraft, folder: str, key: str) -> str:
    """The table with this listing's row: in place of an older one with its key, else at the end."""
    new = {name: _inert(value) for name, value in _row(draft, folder, key).items()}
    if key not in table and table.endswith("\n"):
        return table + _written([new])  # the usual case, and a long table takes its time to parse
    csv.field_size_limit(max(csv.field_size_limit(), len(table) + 1))  # a description may be longer than csv's default
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    at = next((number for number, row in enumerate(rows) if row["publish_key"] == key), len(rows))
    rows[at : at + 1] = [new]
    return ",".join(COLUMNS) + "\r\n" + _written(rows)


def _written(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    csv.DictWriter(text, COLUMNS, extrasaction="ignore").writerows(rows)
    return text.getvalue()


def _row(draft: ListingDraft, folder: str, key: str) -> dict[str, str]:
    return {
        "title": draft.title,
        "description": draft.description,
        "price": f"{draft.price:.2f}",
        "quantity": str(draft.quantity),
        "tags": ",".join(draft.tags),
        "materials": ",".join(draft.materials),
        "type": draft.type,
        "who_made": draft.who_made,
        "when_made": draft.when_made,
        "taxonomy_id": str(draft.taxonomy_id or ""),
        "pictures": str(len(draft.pictures)),
        "folder": folder,
        "publish_key": key,
    }


def _inert(cell: str) -> str:
    # A spreadsheet runs a cell that starts like this as a formula (OWASP, CSV injection).
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
