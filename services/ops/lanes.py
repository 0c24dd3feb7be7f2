"""`presswork lanes`: the two ways through the pipeline side by side, from what really went through them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from services.ops import showing
from services.ops.place import HERE, DataDir, database, moment_said
from services.ops.showing import Json
from services.plurals import counted

Row = Mapping[str, Any]

SHOWN = (
    ("uploads", "uploads"),
    ("files_an_upload", "files in an upload, in the middle"),
    ("files", "files"),
    ("bytes", "MB"),
    ("image_s", "seconds from submission to a file's end, middle"),
    ("image_s_p90", "... nine of ten"),
    ("hash_s", "seconds from submission to its hash, middle"),
    ("hash_s_p90", "... nine of ten"),
    ("pace_s", "seconds for each file of an upload, middle"),
    ("duplicate_rate", "duplicates"),
    ("rejected_rate", "rejected"),
    ("failed_rate", "failed"),
    ("retries", "tried anew"),
    ("cancelled", "cancelled"),
    ("in_progress", "in progress"),
    ("listed", "listed"),
    ("listings_failed", "listings failed"),
    ("listings_cancelled", "listings cancelled"),
)


def lanes(
    since: Annotated[
        datetime, typer.Option(help="uploads submitted since, like 7d, 12h or 2026-11-24; UTC", parser=moment_said)
    ] = "7d",  # type: ignore[assignment] # the parser reads it
    as_json: Json = False,
    data: DataDir = HERE,
) -> None:
    """Compare the lanes: time per image, duplicates, failures, tries."""
    from services.ingest.lane_comparison import compared, unlike
    from shared.database import transaction

    with database(data) as engine, transaction(engine) as connection:
        found = compared(connection, since)
    if as_json:
        showing.as_json({"since": since.isoformat(), "lanes": found, "unlike": unlike(found)})
        return
    show(found, since)
    if found and (words := unlike(found)):
        typer.echo(f"\nbeware: {words}", err=True)


def show(found: Sequence[Row], since: datetime) -> None:
    """A column for each lane, then why uploads took it."""
    if not found:
        typer.echo(f"Nothing was submitted since {since:%Y-%m-%d %H:%M} UTC.")
        return
    width = max(len(words) for _, words in SHOWN)
    lanes = "".join(f"{lane['lane']:>15}" for lane in found)
    typer.echo(f"{f'since {since:%Y-%m-%d %H:%M} UTC':<{width}}{lanes}")
    for name, words in SHOWN:
        typer.echo(f"{words:<{width}}" + "".join(f"{_value(name, lane[name]):>15}" for lane in found))
    for lane in found:
        for row in lane["reasons"]:
            why = row["lane_reason"] or "not recorded"
            image = _value("image_s", row["image_s"])
            uploads, files = counted(row["uploads"], "upload"), counted(row["files"], "file")
            typer.echo(f"{lane['lane']}, {why}: {uploads}, {files}, middle {image} s")


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name.endswith("_rate"):
        return f"{value:.1%}"
    if name == "bytes":
        return f"{value / 1e6:.1f}"
    return f"{value:.2f}" if name.endswith(("_s", "_p90")) else f"{value:g}"
