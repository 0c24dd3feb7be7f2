"""The messages that ingest owes the pipeline: from a row that is committed to a message that the broker has confirmed.

Read outbox (what is owed, and the relay that sends it) first, then fairness (whose message is next) and batching (which
files go into one); forgetting deletes what was sent long ago. What messages say is made where the rows change:
`intake.submitting`, `lifecycle.projection`.
"""
