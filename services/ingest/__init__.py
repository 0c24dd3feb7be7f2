"""The HTTP side, and the memory of every upload.

Listens to HTTP, to every item event on the progress exchange, and to every service's dead letters. Emits, through its
outbox, BatchSubmitted, MockupsRequested, StoreFile, DesignActivityChanged, PairJudged, ShopScanRequested, and
ImageRejected for files refused on receipt; past all queues (`ahead.py`) WorkCancelled; and ImageFailed for what a
service gave up. Owns the schema `ingest`.
"""
