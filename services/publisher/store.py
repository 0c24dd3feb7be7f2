"""The tables of publisher."""

from sqlalchemy import MetaData

metadata = MetaData(schema="publisher")
