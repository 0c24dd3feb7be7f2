"""A database of the old system, by its description, in two of its versions: V0 of 2025-09 and HEAD of 2026-01."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import bcrypt
from sqlalchemy import Engine, NullPool, create_engine, text

TIMES = "created_at timestamptz DEFAULT now(), updated_at timestamptz"
V0 = f"""
CREATE TABLE users (id uuid PRIMARY KEY, email varchar UNIQUE, hashed_password varchar, shop_name varchar,
    is_active boolean DEFAULT true, {TIMES});
CREATE TABLE etsy_product_templates (id uuid PRIMARY KEY, user_id uuid, name varchar, template_title varchar,
    title varchar, description text, who_made varchar, when_made varchar, taxonomy_id integer, price float,
    materials text, shop_section_id bigint, quantity integer, tags text, item_weight float, item_weight_unit varchar,
    item_length float, item_width float, item_height float, item_dimensions_unit varchar, is_taxable boolean,
    type varchar, processing_min integer, processing_max integer, return_policy_id bigint, {TIMES});
CREATE TABLE canvas_configs (id uuid PRIMARY KEY, product_template_id uuid, name varchar, width_inches float,
    height_inches float, description varchar, is_active boolean DEFAULT true, is_stretch boolean DEFAULT true,
    dpi integer DEFAULT 300, spacing_width_inches float DEFAULT 0.125, spacing_height_inches float DEFAULT 0.125,
    {TIMES});
CREATE TABLE size_configs (id uuid PRIMARY KEY, product_template_id uuid, canvas_id uuid, name varchar,
    width_inches float, height_inches float, description varchar, is_active boolean DEFAULT true, {TIMES});
CREATE TABLE mockups (id uuid PRIMARY KEY, name varchar, user_id uuid, product_template_id uuid,
    starting_name integer DEFAULT 100, {TIMES});
CREATE TABLE mockup_images (id uuid PRIMARY KEY, mockups_id uuid, filename varchar, file_path varchar,
    watermark_path varchar, image_type varchar, {TIMES});
CREATE TABLE mockup_mask_data (id uuid PRIMARY KEY, mockup_image_id uuid, masks json, points json,
    is_cropped boolean DEFAULT false, alignment varchar DEFAULT 'center', {TIMES});
CREATE TABLE design_images (id uuid PRIMARY KEY, user_id uuid, filename varchar, file_path varchar, description text,
    phash varchar(64), canvas_config_id uuid, is_active boolean DEFAULT true, is_digital boolean, {TIMES});
CREATE TABLE third_party_oauth_tokens (user_id uuid, access_token varchar, refresh_token varchar, expires_at timestamp);
"""
HEAD = f"""{V0}
ALTER TABLE users ADD org_id uuid, ADD role varchar, ADD etsy_shop_id varchar, ADD root_folder varchar;
ALTER TABLE etsy_product_templates ADD org_id uuid, ADD production_partner_ids integer[];
ALTER TABLE mockups ADD org_id uuid, ADD template_source varchar;
ALTER TABLE mockup_mask_data ADD is_cropped_list json, ADD alignment_list json;
ALTER TABLE design_images ADD org_id uuid, ADD ahash varchar(64), ADD dhash varchar(64), ADD whash varchar(64),
    ADD tags jsonb, ADD tags_metadata jsonb, ADD platform varchar;
"""
ROOT = UUID("5f0a3f3e-7f0a-4f5b-9d07-0c9ad4d7a001")
PASSWORD = "correct horse battery"


def old_id(name: str) -> UUID:
    """The id of the row that a test calls so."""
    return uuid5(ROOT, name)


@dataclass(frozen=True)
class Old:
    """The database."""

    url: str
    engine: Engine

    def run(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def add(self, table: str, name: str, /, **values: Any) -> UUID:
        """A row with the id of this name."""
        row = {"id": old_id(name)} | values
        row = {key: json.dumps(value) if key in {"masks", "points"} else value for key, value in row.items()}
        places = ", ".join(f":{key}" for key in row)
        self.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", **row)  # noqa: S608 - the test's own words
        return old_id(name)

    def user(self, name: str, email: str, /, **values: Any) -> UUID:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        return self.add("users", name, **{"email": email, "hashed_password": hashed, "shop_name": "NorthCups"} | values)

    def template(self, name: str, owner: UUID, /, **values: Any) -> UUID:
        facts = {"user_id": owner, "name": name, "title": "| Cup Wrap", "price": 4.0, "tags": "cup,wrap"}
        return self.add("etsy_product_templates", f"template {name}", **facts | values)

    def design(self, name: str, owner: UUID, path: str | None = None, /, **values: Any) -> UUID:
        facts = {"user_id": owner, "filename": name, "file_path": path, "phash": "0123456789abcdef" * 4}
        return self.add("design_images", f"design {name}", **facts | values)


def without_driver(url: str) -> str:
    """As people write it."""
    return url.replace("+psycopg", "")


@contextmanager
def old_database(url: str, shape: str) -> Iterator[Old]:
    """Make the tables in an empty database."""
    engine = create_engine(url, poolclass=NullPool)
    old = Old(without_driver(url), engine)
    old.run(shape)
    yield old
    engine.dispose()
