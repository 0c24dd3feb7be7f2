"""A service: a name and a table from message type to plain function. The function's signature is the contract."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args, get_type_hints

from shared.bus.retry import RetryPolicy
from shared.contracts import Message, Stage

M = TypeVar("M", bound=Message)
P = ParamSpec("P")


@dataclass(frozen=True)
class Handler:
    """A function bound to its dependencies, and what its signature says it may emit."""

    listens_to: type[Message]
    emits: tuple[type[Message], ...]
    name: str
    call: Callable[[Any], Iterable[Message] | None]


@dataclass
class Service:
    """One consumer of one inbox queue.

    `prefetch` messages are in hand at a time, each in a thread of its own. With `follows_progress` it hears every
    item event on the progress exchange instead of the work events. It takes the dead letters of the services named
    in `archives`. Its `branches` have each a `queue` instead of the inbox, for what a handler says is `Elsewhere`, and
    wait each for an outage of its own.
    """

    name: Stage
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    prefetch: int = 1
    follows_progress: bool = False
    archives: tuple[Stage, ...] = ()
    handlers: dict[type[Message], Handler] = field(default_factory=dict)
    queue: str = ""
    branches: tuple["Service", ...] = ()

    def on(
        self, handler: Callable[Concatenate[M, P], Iterable[Message] | None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Register a handler for its first parameter's type, the only one for it; the rest are its dependencies."""
        hints = get_type_hints(handler)
        listens_to = hints.get(next(iter(inspect.signature(handler).parameters)))
        if not (inspect.isclass(listens_to) and issubclass(listens_to, Message)):
            raise TypeError(f"{handler.__name__}: the first parameter must be annotated with a message type")
        if listens_to in self.handlers:
            raise TypeError(f"{self.name}: two handlers for {listens_to.__name__}")

        def call(message: M) -> Iterable[Message] | None:
            return handler(message, *args, **kwargs)

        self.handlers[listens_to] = Handler(listens_to, _emitted(hints.get("return")), handler.__name__, call)


def _emitted(annotation: object) -> tuple[type[Message], ...]:
    """The message types inside `Iterator[A | B]`."""
    members = [member for part in get_args(annotation) for member in get_args(part) or (part,)]
    return tuple(member for member in members if inspect.isclass(member) and issubclass(member, Message))
