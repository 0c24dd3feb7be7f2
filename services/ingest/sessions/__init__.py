"""Upload sessions: what was sent, what became of each file, and the events that tell it.

All of it stands on tables (the rows), states (of a file, of a listing) and error_words (what an error means to people).
Then packages, from the bottom up; each uses only those above it here, and its docstring says what is in it:

progress     how far an upload is, how long it still takes, what it waits for
outgoing     the messages that are owed to the pipeline, and whose turn it is
lifecycle    the two state machines, of a file and of a session, and the events that move and tell them
intake       what users send: uploads, and the requests to list their designs
actions      what people do to a session later: cancel it, try it again, decide about near duplicates
recovery     who takes up what a process that died, or a lost queue, has left unfinished
serving      what the HTTP side calls, and sessions as people are shown them

To understand what a session is, read states, tables and lifecycle; to follow one upload, from `serving.upload_calls`
down through `intake.submitting`, `outgoing.outbox` and back up from `lifecycle.handlers`.
"""
