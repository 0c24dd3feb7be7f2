"""The tables of ingest, in one place because they refer to each other."""

from sqlalchemy import MetaData

metadata = MetaData(schema="ingest")
