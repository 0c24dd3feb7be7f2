"""The HTTP side, and the memory of every upload.

Listens to HTTP, to every item event on the progress exchange, and to every service's dead letters. Emits, through its
outbox, BatchSubmitted, MockupsRequested, StoreFile, DesignActivityChanged, PairJudged, ShopScanRequested, and
ImageRejected for files refused on receipt; past all queues (`ahead.py`) WorkCancelled; and ImageFailed for what a
service gave up. Owns the schema `ingest`.

What is in it, roughly from the bottom up. The docstrings of the packages say more:

lane_choice    which of the two lanes an upload takes
tables         what people fill in; sessions have tables of their own, and so have dead letters (`dead_letter_tables`)
many_ids       conditions on more ids than a statement takes parameters
catalog        what users set up before they upload: accounts, products, mockups
sessions       uploads: what was sent, what became of each file, what is owed to the pipeline
dead_letters   dead letters, found, mended and replayed
all_uploads    anybody's uploads, as operators look at them; lane_comparison: the two lanes side by side
scan_requests  asks storage to look through shops' folders; imports: rows that come from the old system
original       the lane inside this process; ahead: what was cancelled, told past all queues
lanes          sends what is owed on both, when the bell (`bell`) rings
broker_watch   asks the broker again and again (`watch`); broker_standing: how it stands, as lanes and the watch found
neighbours     what it needs to know of the other services and of the broker, from whoever composes it
service        the consumer: progress and dead letters of every service
api, app       what is said over HTTP; retrying: what the API and a command share
sweeping       what is due by the clock, and by no call
serve          all of it as one process; connections: its HTTP connections; settings
"""
