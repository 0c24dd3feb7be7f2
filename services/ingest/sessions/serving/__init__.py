"""What the HTTP side calls, and sessions as people are shown them.

Read store first: all that can be done with a session, each call one transaction. upload_calls and listing_calls are
what the frontend's two calls do (submit or ask, wait, answer), and watching wakes whoever waits. designs are the files
that were stored, of all uploads of a user. The rest is pure, from rows to people: views (as the JSON of both APIs),
progress_frames (the frames of the progress stream), outcome_text (in sentences), uncompared (a sentence about scans).
"""
