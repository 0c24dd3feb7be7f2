"""The state machines of a file and of a session: what may follow on what, and the events that move and tell them.

Read the pure ones first: file_transitions (what an event makes of a file) and session_transitions (how the session is
after each thing that happens in it). timeline writes a session's counts, events and end together, in one transaction.
handlers and projection take the events of the other services in and change the rows. records are sessions and what was
chosen for them as values, and rows makes these of the tables' rows; duplicate_originals finds of a duplicate the file
that it is a copy of.
"""
