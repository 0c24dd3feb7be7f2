"""Dead letters: kept, found, looked at, mended and replayed; for the operators' commands and their calls of the API.

Their tables are `services/ingest/dead_letter_tables.py`, which sessions may know, too.
"""
