"""RabbitMQ's management API: what AMQP can't tell (policies, bindings) and can't do (policies)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx

from services.ops.policies import Policy, Version, version_of
from shared.bus.topology import Route

PORTS = {"amqp": 15672, "amqps": 15671}
LIMIT_S = 3.0
OFF = "off"
"""MANAGEMENT_URL where there is no such API, and nobody is to be told so."""
Found = TypeVar("Found")
NOT_FOUND = httpx.codes.NOT_FOUND


class NoManagement(Exception):  # noqa: N818 - reads as what was found
    """The API doesn't answer, isn't this broker's, or this user may not ask it that; in words without a password."""


@dataclass(frozen=True)
class Management:
    """The API for one virtual host."""

    http: httpx.Client
    vhost: str

    @classmethod
    def of(cls, amqp_url: str, management_url: str = "") -> "Management":
        """The API at `management_url`, or beside the broker at `amqp_url`. Nothing is asked yet.

        Raises:
            NoManagement: it is off.
        """
        if management_url == OFF:
            raise NoManagement("this broker is run without its management API (MANAGEMENT_URL is off)")
        url = urlsplit(management_url or beside(amqp_url))
        log_in = urlsplit(amqp_url) if url.username is None else url
        client = httpx.Client(
            base_url=f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}/api",
            auth=(unquote(log_in.username or "guest"), unquote(log_in.password or "guest")),
            timeout=LIMIT_S,
            trust_env=False,
        )
        return cls(client, vhost_of(amqp_url))

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.http.base_url.netloc.decode()

    def version(self) -> Version:
        """Of the broker."""
        return self._read("/overview", lambda found: version_of(str(found["rabbitmq_version"])))

    def bindings(self, queue: str) -> set[Route]:
        """All bindings of a queue but the one that every queue has to the nameless exchange."""
        return self._read(
            f"/queues/{self._vhost}/{_quoted(queue)}/bindings",
            lambda found: {Route(each["source"], each["routing_key"]) for each in found if each["source"]},
            missing=f"is another broker's: it has no queue {queue}",
        )

    def policies(self, kind: Literal["policies", "operator-policies"] = "policies") -> dict[str, Policy]:
        """All of this virtual host, by name.

        Asked for instead of a queue's `effective_policy_definition`, which is a statistic: seconds old, or not there.
        """
        return self._read(f"/{kind}/{self._vhost}", lambda found: {each["name"]: _policy(each) for each in found})

    def put(self, policy: Policy) -> None:
        """Create or replace a policy."""
        body = {
            "pattern": policy.pattern,
            "definition": dict(policy.definition),
            "priority": policy.priority,
            "apply-to": policy.apply_to,
        }
        self._ask("PUT", f"/policies/{self._vhost}/{_quoted(policy.name)}", body)

    @property
    def _vhost(self) -> str:
        return _quoted(self.vhost)

    def _read(self, path: str, take: Callable[[Any], Found], missing: str = "") -> Found:
        """What `take` makes of the answer's JSON. Behind another address than the API's there may be any web page."""
        answer = self._ask("GET", path, missing=missing)
        try:
            return take(answer.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            said = f"GET {path} gives {answer.text[:80]!r}"
            raise NoManagement(f"what answers at {self.place} is no management API: {said}") from error

    def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None, missing: str = ""
    ) -> httpx.Response:
        """The answer, if it is a good one. `missing` says what "no such thing" would tell."""
        try:
            answer = self.http.request(method, path, json=body)
        except httpx.TransportError as error:
            words = f"the management API at {self.place} does not answer ({error}); MANAGEMENT_URL says where it is"
            raise NoManagement(words) from error
        if answer.is_success:
            return answer
        if missing and answer.status_code == NOT_FOUND:
            raise NoManagement(f"the management API at {self.place} {missing}")
        why = {401: "its log-in is refused", 403: "this user may not: it needs the tag policymaker"}
        reason = why.get(answer.status_code, answer.text[:200])
        raise NoManagement(f"the management API at {self.place} says {answer.status_code} to {method} {path}: {reason}")


def _policy(found: Mapping[str, Any]) -> Policy:
    name, pattern, apply_to = found["name"], found["pattern"], found.get("apply-to", "all")
    return Policy(name, pattern, found["definition"], found["priority"], apply_to)


def beside(amqp_url: str) -> str:
    """Where the management API of the broker at `amqp_url` usually is."""
    parts = urlsplit(amqp_url)
    scheme = "https" if parts.scheme == "amqps" else "http"
    return f"{scheme}://{parts.hostname or 'localhost'}:{PORTS.get(parts.scheme, 15672)}"


def vhost_of(amqp_url: str) -> str:
    """The virtual host that the URL names, as AMQP clients read it: none or an empty one is `/`."""
    return unquote(urlsplit(amqp_url).path.removeprefix("/")) or "/"


def _quoted(name: str) -> str:
    return quote(name, safe="")
