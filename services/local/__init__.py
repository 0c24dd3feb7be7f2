"""`presswork up`: broker, database and services on this machine, which start, are watched and end together.

the order      system; environment (what every process is told, and what of that the next start keeps), listening
the servers    broker, database: which one to use (named, running, private, Docker); node and postgres are the private
               ones; docker, apt; amqp: does a broker answer?
               lost_queues: what a broker of our own needs that answers, and whose queues are dead
the processes  children (of the services), servers (private ones), restarts (when either begins anew), process (how any
               is started so that it can't outlive us, with its lock, port and log), files (their secrets)
"""
