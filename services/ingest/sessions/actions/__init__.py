"""What people do to a session once it runs, or has ended; each is one transaction.

Read reopening first: trying again what failed is the one way back from an end state, and reviewing (keep a near
duplicate, or skip it) goes that way, too. cancelling ends what is unfinished; cancel_result is what it leaves in rows,
and in words.
"""
