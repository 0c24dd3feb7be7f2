"""What can be made to go wrong: armed over HTTP (`POST /_fake/faults`), each for so many calls of an operation."""

import random
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Kind = Literal[
    "error-before",
    "error-after",
    "stall-before",
    "stall-after",
    "cut-before",
    "cut-after",
    "reset",
    "html",
    "too-many",
    "quota",
    "unauthorised",
    "bad-order",
    "repeat-rows",
    "lag",
]
"""before: nothing was done; after: it was done, and nobody hears of it.

error: 500. stall: no answer for `seconds`, then the connection is cut. cut: the connection ends in the answer.
reset: the connection breaks while the request is still coming. html: a proxy's 502.
too-many: 429 with `retry-after: <seconds>`. quota: the day's calls are used up. unauthorised: 401.
bad-order: the picture is put at the front whatever its rank. repeat-rows: a page repeats rows of the one before.
lag: the new draft is not shown in lists for `seconds`.
"""


class Fault(BaseModel):
    """One trouble. `operation` is Etsy's name of the call, `refreshToken`, or `*`."""

    model_config = ConfigDict(extra="forbid")

    operation: str = "*"
    kind: Kind
    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0, description="so many calls go well first")
    seconds: float = Field(default=1, ge=0)
    rate: float = Field(default=1, gt=0, le=1, description="the chance of each call to meet it")
    seed: int = Field(default=0, description="of that chance: which calls meet it is the same for a seed")
    _chance: random.Random = PrivateAttr(default_factory=random.Random)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - pydantic's
        """Its chance begins with it."""
        del context
        self._chance = random.Random(self.seed)  # noqa: S311 - not a secret

    def meets(self, operation: str) -> bool:
        """Whether it is this call's turn to meet it."""
        if self.operation not in (operation, "*"):
            return False
        if self.skip:
            self.skip -= 1
            return False
        return self.rate == 1 or self._chance.random() < self.rate


@dataclass
class Faults:
    """The armed ones, first come first served."""

    armed: list[Fault] = field(default_factory=list)
    met: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: Fault) -> None:
        """From now on."""
        with self._lock:
            self.armed.append(fault.model_copy())

    def take(self, operation: str) -> Fault | None:
        """The trouble that this call meets, if any; it is used up by that."""
        with self._lock:
            for fault in self.armed:
                if not fault.meets(operation):
                    continue
                fault.times -= 1
                if not fault.times:
                    self.armed.remove(fault)
                self.met.append({"operation": operation, "kind": fault.kind})
                return fault
        return None

    def clear(self) -> None:
        """No trouble any more."""
        with self._lock:
            self.armed.clear()
            self.met.clear()
