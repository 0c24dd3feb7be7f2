"""How work goes on whose process has died, or whose queue is lost.

Read unfinished first: it makes the messages anew from the rows, for both lanes. Then standstill: how ingest sees that a
broker's queue has lost them. The other two are of the original lane, where a replica holds a session: session_locks
(which one), takeovers (how many died over it, before it is given up).
"""
