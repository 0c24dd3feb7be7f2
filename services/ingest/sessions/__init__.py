"""Upload sessions: what was sent, what became of each file, and the events that tell it.

The two state machines
    a file                states (what they are), told (what an event makes of it)
    a session             happenings (what it is after each), timeline (its counts, events and end, written together)
From outside to rows
    an upload, listings   submitting, batching, asking, leftovers, admission (is there room?), prints
    progress events       handlers, projection (events to rows)
    people                reopening (try again), reviewing (near duplicates), cancelling, cancelled (in words)
    nobody                unasked (ends sessions for which nobody asks for listings)
From rows to messages     outbox (what is owed), fairness (whose turn), resume (owe it again)
The original lane         locks (which replica), at_work (in case it dies)
From rows to people
    the HTTP side         store (each call a transaction), desk (submit, wait, answer), watching (who waits)
    in words              reading, telling, frames, progress (step and percent), causes, delays (what it waits for)
    percent, time left    course (how much work), past (earlier uploads), lane_load and sharing
                          (others' work, and what it slows down), remaining (how long)
Values and tables         records, tables
"""
