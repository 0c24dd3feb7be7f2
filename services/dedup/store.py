"""The tables of dedup."""

from sqlalchemy import MetaData

metadata = MetaData(schema="dedup")
