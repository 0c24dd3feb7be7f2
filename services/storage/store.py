"""The tables of storage."""

from sqlalchemy import MetaData

metadata = MetaData(schema="storage")
