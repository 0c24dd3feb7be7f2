"""Does a broker answer at this URL? One AMQP 0-9-1 log-in over a plain socket, without the bus's machinery."""

import socket
import ssl
from typing import TypeVar, cast
from urllib.parse import unquote, urlsplit

import httpx
from pamqp import commands, frame, header
from pamqp.base import Frame
from pamqp.exceptions import UnmarshalingException

M = TypeVar("M", bound=Frame)

PORTS = {"amqp": 5672, "amqps": 5671}
MANAGEMENT_PORT = 15672
LIMIT_S = 2.0


class NoBroker(Exception):  # noqa: N818 - reads as what was found
    """Nothing at the URL lets us in; the words say how far we came."""


def greet(url: str) -> str:
    """Log in, open the virtual host and leave; returns the product, as in "RabbitMQ 3.10.8".

    Raises:
        NoBroker: nobody listens there, it isn't AMQP 0-9-1, or the log-in or the virtual host is refused.
    """
    try:
        with _connect(url) as connection:
            return _log_in(connection, url)
    except (OSError, UnmarshalingException) as error:
        raise NoBroker(f"no broker answers at {place(url)}: {error}") from error


def place(url: str) -> str:
    """Host and port of the URL, for people: no password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or PORTS.get(parts.scheme, 5672)}"


def answering_management(url: str) -> str | None:
    """The management API beside the broker at `url`, log-in included, if it answers on its usual port."""
    parts = urlsplit(url)
    log_in = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
    candidate = f"http://{log_in}@{parts.hostname or 'localhost'}:{MANAGEMENT_PORT}"
    return candidate if manages(candidate) else None


def manages(management_url: str) -> bool:
    """Whether the management API answers and no alarm (memory, disk) blocks publishers."""
    try:
        with httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
            return client.get(f"{management_url}/api/health/checks/alarms").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def ready(url: str, management_url: str | None) -> str | None:
    """The product once the broker, whose listener opens last, and its management API, if it has one, let us in."""
    try:
        product = greet(url)
    except NoBroker:
        return None
    return product if management_url is None or manages(management_url) else None


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or PORTS.get(parts.scheme, 5672)
    connection = socket.create_connection((host, port), timeout=LIMIT_S)
    if parts.scheme != "amqps":
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _log_in(connection: socket.socket, url: str) -> str:
    parts = urlsplit(url)
    user, secret = unquote(parts.username or "guest"), unquote(parts.password or "guest")
    connection.sendall(header.ProtocolHeader().marshal())
    start = _expect(connection, commands.Connection.Start)
    _send(connection, commands.Connection.StartOk({}, "PLAIN", f"\0{user}\0{secret}"))
    tune = _expect(connection, commands.Connection.Tune)
    _send(connection, commands.Connection.TuneOk(tune.channel_max, tune.frame_max, 0))
    _send(connection, commands.Connection.Open(unquote(parts.path[1:]) or "/"))
    _expect(connection, commands.Connection.OpenOk)
    _send(connection, commands.Connection.Close(200, "", 0, 0))
    properties = cast("dict[str, object]", start.server_properties)
    return f"{properties.get('product', 'broker')} {properties.get('version', '')}".strip()


def _send(connection: socket.socket, method: Frame) -> None:
    connection.sendall(frame.marshal(method, 0))


def _expect(connection: socket.socket, kind: type[M]) -> M:
    # a frame: type (1 octet), channel (2), size (4), payload, end octet
    head = _read(connection, 7)
    _, _, method = frame.unmarshal(head + _read(connection, int.from_bytes(head[3:]) + 1))
    if isinstance(method, commands.Connection.Close):
        raise ConnectionRefusedError(f"{method.reply_code} {method.reply_text}")
    if not isinstance(method, kind):
        raise ConnectionRefusedError(f"unexpected {getattr(method, 'name', method)}")
    return method


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionResetError("the connection was closed, as brokers do on a wrong name or password")
        data += part
    return data
