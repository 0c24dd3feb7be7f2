"""The ways in which a handler can fail. A business "no" (a rejected file, a duplicate) is an event, not an error."""


class Retryable(Exception):  # noqa: N818 - reads as the adjective it is: raise Retryable(...)
    """It may pass: the message is tried again later, through the broker's retry queues."""


class Permanent(Exception):  # noqa: N818
    """It will never pass: the message is buried in the service's dead-letter queue at once."""


class Unavailable(Retryable):
    """Something every message needs (database, NAS, blob store) is away. Costs the message no attempt."""


class Busy(Unavailable):
    """Another message holds what this one needs. It waits in a retry queue, at no attempt's cost; others go on."""


class Elsewhere(Exception):  # noqa: N818
    """The message is work for another of the service's queues, which this names: it goes there as it is."""
