"""Etsy's API over HTTP: each call in its turn and its encoding, with its errors in our words."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import ValidationError

from services.publisher.etsy.calls import A, Operation, Pairs
from services.publisher.etsy.limiter import LONGEST_PAUSE_S, Limiter
from services.publisher.etsy.oauth import App
from services.publisher.etsy.words import RECONNECT, WRONG_APP, refuses_the_app, said
from services.publisher.shop import ListingGone, NotAuthorised, OutcomeUnknown, QuotaSpent, Refused, Unreachable
from shared.errors import Retryable

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
OF_THE_CONNECTION = ("scope", "access token")
WITHOUT_RETRY_AFTER_S = 5.0
MOST_STOPS = 5  # in a row; then the call gives its shop's lock back and is tried later
SENT_WITHIN_S = 30.0  # a create, or not at all: one whose process died is over when this and a call's timeout are

Access = Callable[[str | None], str]
"""Gives an access token; given one that Etsy refused, another one."""
Refusal = Callable[[str, str], None]
"""Told of an access token that Etsy refuses for good, and in which words."""


@dataclass(frozen=True)
class File:
    """A file to upload."""

    name: str
    data: bytes
    kind: str


@dataclass(frozen=True)
class Sent:
    """What a request carries beside its path."""

    fields: Pairs = ()
    query: Pairs = ()
    file: File | None = None
    json: Any = None


@dataclass(frozen=True)
class Client:
    """Calls for one seller; `urgent` ones are a person's, and may use the reserve of the day.

    `refused` puts on record that the connection must be made again, so that later calls need not find it out.
    """

    http: httpx.Client
    app: App
    limiter: Limiter
    access: Access
    refused: Refusal
    urgent: bool = False

    def call(
        self,
        operation: Operation[A],
        path: Mapping[str, int],
        *,
        fields: Pairs = (),
        query: Pairs = (),
        file: File | None = None,
        json: Any = None,  # noqa: ANN401 - whatever the operation takes
    ) -> A:
        """One call to its end.

        Raises:
            Refused, ListingGone, NotAuthorised, QuotaSpent, Unreachable: nothing was done.
            OutcomeUnknown: of a create only: nobody knows whether it was done.
            Retryable: repeat it.
        """
        operation.check(fields, query, has_file=file is not None, json=json)
        response, token = self._sent(operation, path, Sent(fields, query, file, json))
        if response.is_success:
            try:
                return operation.answer.model_validate_json(response.content)
            except ValidationError as error:
                raise _unclear(operation, "with something else than it should") from error
        failure = _error(operation, response)
        if isinstance(failure, NotAuthorised):
            self.refused(token, str(failure))
        raise failure

    def _sent(self, operation: Operation[Any], path: Mapping[str, int], sent: Sent) -> tuple[httpx.Response, str]:
        """The answer, and the token that it was given to.

        Asked for in its turn, once more with a new token after a 401, and after the pause that a 429 asks for.
        """
        begun = time.monotonic()
        token, again, stopped = self.access(None), True, 0
        while True:
            self.limiter.wait(urgent=self.urgent)
            if operation.once and time.monotonic() - begun > SENT_WITHIN_S:
                raise QuotaSpent(f"Etsy had no turn within {SENT_WITHIN_S:.0f} s: nothing was made; it goes on later")
            response = self._exchanged(operation, self._request(operation, path, sent, token))
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                self._stopped(response, stopped := stopped + 1)
            elif response.status_code == httpx.codes.UNAUTHORIZED and again:
                token, again = self.access(token), False
            else:
                return response, token

    def _request(self, operation: Operation[Any], path: Mapping[str, int], sent: Sent, token: str) -> httpx.Request:
        headers = {"x-api-key": self.app.api_key, "Authorization": f"Bearer {token}"}
        body: dict[str, Any] = {}
        if operation.encoding == "json":
            body["json"] = sent.json
        elif operation.encoding:
            body["data"] = dict(sent.fields)
        if sent.file and operation.file:  # httpx writes the content type, with its boundary
            body["files"] = {operation.file: (sent.file.name, sent.file.data, sent.file.kind)}
        url = f"{self.app.api_url}{operation.path.format(**path)}"
        return self.http.build_request(operation.method, url, params=dict(sent.query) or None, headers=headers, **body)

    def _exchanged(self, operation: Operation[Any], request: httpx.Request) -> httpx.Response:
        try:
            response = self.http.send(request)
        except NOT_SENT as error:
            raise Unreachable(f"Etsy can't be reached ({type(error).__name__})") from error
        except httpx.TransportError as error:
            raise _unclear(operation, f"not at all ({type(error).__name__})") from error
        self.limiter.heard(response.headers)
        return response

    def _stopped(self, response: httpx.Response, times: int) -> None:
        given = response.headers.get("retry-after", "")
        after_s = float(given) if given.isdecimal() else WITHOUT_RETRY_AFTER_S
        self.limiter.stop(after_s)
        if after_s > LONGEST_PAUSE_S or times > MOST_STOPS:
            raise QuotaSpent(f"Etsy asks to wait {after_s:.0f} s: what is to do waits, and goes on")


def _error(operation: Operation[Any], response: httpx.Response) -> Exception:
    """What an answer that is no success means."""
    status, words = response.status_code, said(response)
    if response.is_server_error or response.is_redirect or response.is_informational:
        return _unclear(operation, f"with status {status}")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and refuses_the_app(response):
        return Unreachable(WRONG_APP.format(words))
    of_the_connection = status == httpx.codes.FORBIDDEN and any(part in words.casefold() for part in OF_THE_CONNECTION)
    if status == httpx.codes.UNAUTHORIZED or of_the_connection:
        scopes = "check ETSY_SCOPES, " if of_the_connection else ""
        return NotAuthorised(f"Etsy refuses this connection ({words}): {scopes}{RECONNECT}")
    if status == httpx.codes.NOT_FOUND and "{listing_id}" in operation.path:
        return ListingGone(f"the listing is not at Etsy any more ({words}): try again, and it is made anew")
    if status == httpx.codes.CONFLICT:
        return Retryable(f"Etsy was busy with the same listing ({words})")
    return Refused(f"Etsy refused it: {words}")


def _unclear(operation: Operation[Any], how: str) -> Exception:
    """No good answer: a create may have worked; whatever else is simply repeated."""
    words = f"Etsy answered {operation.name} {how}"
    if operation.once:
        return OutcomeUnknown(f"{words}: the shop is asked whether the listing exists before it is made again")
    # 500 may be about this one listing only: it costs an attempt. Anything else is an outage, and all wait.
    return Retryable(words) if how.endswith("500") else Unreachable(words)
