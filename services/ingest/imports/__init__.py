"""Rows that come from the old system, on their way into ingest's tables. Who reads that system is `services/legacy`."""
