"""The old system's database, as it is: columns differ by version, so they are looked up before they are read."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    column,
    create_engine,
    func,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError

from shared.database import transaction
from shared.errors import Unavailable
from shared.settings import DRIVER

BATCH = 500

Row = Mapping[str, Any]


class NotTheOldSystem(Exception):  # noqa: N818
    """What the address leads to is no database of the old system; the text says why."""


@dataclass(frozen=True)
class Table:
    """What is read of a table: columns that it can't be without, those that versions differ in, and its order."""

    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ()
    order: tuple[str, ...] = ("created_at", "id")


TIMES = ("created_at",)
TABLES = {
    "users": Table(
        ("id", "email", "hashed_password"),
        ("shop_name", "root_folder", "is_active", *TIMES),
    ),
    "etsy_product_templates": Table(
        ("id", "user_id", "name"),
        (
            "template_title", "title", "description", "who_made", "when_made", "taxonomy_id", "price", "materials",
            "shop_section_id", "quantity", "tags", "item_weight", "item_weight_unit", "item_length", "item_width",
            "item_height", "item_dimensions_unit", "is_taxable", "type", "processing_min", "processing_max",
            "return_policy_id", "production_partner_ids", *TIMES,
        ),
    ),
    "canvas_configs": Table(
        ("id", "product_template_id", "name", "width_inches", "height_inches"),
        ("description", "is_active", "is_stretch", "dpi", "spacing_width_inches", "spacing_height_inches", *TIMES),
    ),
    "size_configs": Table(
        ("id", "product_template_id", "canvas_id", "name", "width_inches", "height_inches"),
        ("description", "is_active", *TIMES),
    ),
    "mockups": Table(("id", "name", "user_id", "product_template_id"), ("starting_name", *TIMES)),
    "mockup_images": Table(
        ("id", "mockups_id", "filename"),
        ("file_path", "watermark_path", "image_type", *TIMES),
        ("mockups_id", "created_at", "filename", "id"),
    ),
    "mockup_mask_data": Table(
        ("id", "mockup_image_id", "masks"),
        ("points", "is_cropped", "alignment", "is_cropped_list", "alignment_list", *TIMES),
    ),
    "design_images": Table(
        ("id", "user_id", "filename"),
        ("file_path", "description", "phash", "ahash", "dhash", "whash", "canvas_config_id", "is_active", "is_digital",
         *TIMES),
        ("user_id", "created_at", "id"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class OldSystem:
    """Its tables at one moment. Rows come a batch at a time, however many there are."""

    connection: Connection
    columns: Mapping[str, Sequence[str]]
    batch: int = BATCH

    def has(self, name: str) -> bool:
        """Whether a table can be read."""
        return set(TABLES[name].needed) <= set(self.columns.get(name, ()))

    def lacks(self) -> list[str]:
        """What it does not have, in words: tables that can't be copied, and columns of other versions."""
        lines = []
        for name, known in TABLES.items():
            there = self.columns.get(name, ())
            needed = [each for each in known.needed if each not in there]
            wanted = [each for each in known.wanted if each not in there]
            if not there:
                lines.append(f"there is no table {name}: nothing of it is copied")
            elif needed:
                lines.append(f"{name} has no {', '.join(needed)}: nothing of it is copied")
            elif wanted:
                lines.append(f"{name} has no {', '.join(wanted)} (another version's)")
        return lines

    def count(self, name: str) -> int:
        """How many rows a table has."""
        return self.connection.execute(select(func.count()).select_from(table(name))).scalar_one()

    def batches(self, name: str, *only: str) -> Iterator[Sequence[Row]]:
        """All rows, in order; columns that are not there are None. With `only`, just these columns."""
        if not self.has(name):
            return
        known = TABLES[name]
        there = [each for each in only or (*known.needed, *known.wanted) if each in self.columns[name]]
        absent = dict.fromkeys(only or known.wanted)
        order: list[ColumnElement[Any]] = [column(each) for each in known.order if each in self.columns[name]]
        chosen: list[ColumnElement[Any]] = [column(each) for each in there]
        query = select(*chosen).select_from(table(name)).order_by(*order)
        with self.connection.execute(query, execution_options={"yield_per": self.batch}) as found:
            for part in found.mappings().partitions():
                yield [{**absent, **row} for row in part]

    def shared_paths(self) -> tuple[int, int]:
        """How many files on the NAS are said to be several designs', and how many designs that concerns."""
        if not self.has("design_images") or "file_path" not in self.columns["design_images"]:
            return 0, 0
        same = text(
            "SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM design_images "
            "WHERE file_path IS NOT NULL GROUP BY file_path HAVING count(*) > 1) AS same"
        )
        files, designs = self.connection.execute(same).one()
        return int(files), int(designs)


@contextlib.contextmanager
def old_system(url: str, batch: int = BATCH) -> Iterator[OldSystem]:
    """Open the database to read it as it is now. It is not changed, and may be in use.

    Raises:
        NotTheOldSystem: it is another database, or the address is none.
        Unavailable: it can't be reached.
    """
    engine = _engine(url)
    try:
        _reach(engine)
        with transaction(engine) as connection:
            found = OldSystem(connection, _columns(connection), batch)
            if not found.has("users"):
                have = ", ".join(found.columns) or "none"
                raise NotTheOldSystem(f"it has no table users with {', '.join(TABLES['users'].needed)}: of its {have}")
            yield found
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise NotTheOldSystem("the address should look like postgresql://user:password@host/database") from error
    if not address.drivername.startswith("postgres"):
        raise NotTheOldSystem(f"the old system kept its tables in PostgreSQL, and this is {address.drivername}")
    options = {"connect_timeout": 10, "options": "-c default_transaction_read_only=on"}
    # what other drivers are told in the address ours would not understand
    query = address.query if address.drivername.partition("+")[2] in ("", "psycopg", "psycopg2") else {}
    address = address.set(drivername=DRIVER, query=query)
    return create_engine(address, poolclass=NullPool, isolation_level="REPEATABLE READ", connect_args=options)


def _reach(engine: Engine) -> None:
    try:
        with transaction(engine):
            pass
    except Unavailable as error:
        raise Unavailable(str(error).replace("the database", "the old system's database", 1)) from error


def _columns(connection: Connection) -> dict[str, list[str]]:
    known = text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = ANY(:names)"
    )
    found: dict[str, list[str]] = {}
    for name, each in connection.execute(known, {"names": list(TABLES)}):
        found.setdefault(name, []).append(each)
    return found
