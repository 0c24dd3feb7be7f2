"""The ledger: after a fault, every source of truth is read and held against the others and against what was promised.

I1 accepted = ended + in progress, and at rest all have ended. I2 each effect exactly once. I3 events 1..n without gap
or repeat, states only forwards. I4 queues empty. I5 outbox drained. I6 counters = recomputed rows. And the numbers of
a shop without gap or repeat, in upload order. `books.py` reads what is about one upload, this what is about all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import httpx

from tests.chaos.books import Books
from tests.chaos.findings import Counts, Finding
from tests.chaos.work import Work
from tests.chaos.world import World
from tests.waiting import until


class Unbalanced(AssertionError):  # noqa: N818 - reads as what it says
    """The books differ."""


@dataclass
class Ledger:
    """All books of one world."""

    world: World
    counts: Counts = field(default_factory=Counts)

    def balance(self, *works: Work, within_s: float = 30) -> None:
        """What is still on its way may arrive; then every book must agree.

        Raises:
            Unbalanced: with the differences.
        """

        def agree() -> bool:
            """The queues first, as they cost one call; and once more, as the books may change until they are empty."""
            self.world.revive()
            return not (any(self._queues()) or any(self._of_works(works)) or any(self._queues()))

        try:
            until(agree, within_s=within_s)
        except AssertionError:
            findings = [*self._of_works(works), *self._queues()]
            if not findings:
                return
            self.counts.add(findings)
            raise Unbalanced(f"the books differ:\n{_told(findings)}") from None

    def standing(self, *works: Work) -> str:
        """Where uploads stand that came to no end: what is missing is lost until it comes."""
        findings = [*self._of_works(works), *self._queues()]
        self.counts.add(findings)
        return f"{_told(findings)}\n{self._who_has_what()}"

    def _of_works(self, works: Iterable[Work]) -> Iterator[Finding]:
        for work in works:
            yield from Books(self.world, work).findings()

    def _who_has_what(self) -> str:
        """Each queue: ready, unacked, consumers."""
        url = f"{self.world.broker.management_url}/api/queues"
        queues = httpx.get(url, trust_env=False, timeout=10).json()
        names = ("name", "messages_ready", "messages_unacknowledged", "consumers")
        return "\n".join(str([queue.get(name) for name in names]) for queue in queues)

    def _queues(self) -> Iterator[Finding]:
        """I4. A message that nobody has acked counts: its effect may come a second time."""
        try:
            url = f"{self.world.broker.management_url}/api/queues"
            queues = httpx.get(url, trust_env=False, timeout=10).json()
        except httpx.TransportError as error:
            yield Finding("wrong", f"the broker's queues can't be read: {error}")
            return
        for queue in queues:
            if depth := queue.get("messages", 0):
                yield Finding("lost", f"queue {queue['name']} still holds {depth} messages")


def _told(findings: list[Finding]) -> str:
    return "\n".join(f"  {finding.kind:8}{finding.words}" for finding in findings)
