"""Kept-alive SMB connections, each lent to one thread at a time, and cut off when a call stalls."""

import contextlib
import errno
import logging
import queue
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import smbclient
from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBAuthenticationError, SMBException, SMBOSError, SMBResponseException

from shared.nas.errors import OF_SHOPS, NasUnavailable

CONNECT_S = 10
for library in ("smbprotocol", "smbclient"):
    logging.getLogger(library).setLevel(logging.ERROR)  # every request, and every line that ends
REFUSED_LOGINS = frozenset({0xC000006D, 0xC000006A, 0xC000006E, 0xC0000071, 0xC0000072, 0xC0000224, 0xC0000234})
NO_SHARE = frozenset({0xC00000CC, 0xC00000BE, 0xC0000225})  # the last says the search for it elsewhere (DFS)
# the session is over, whatever became of the connection
GONE = frozenset({0xC0000203, 0xC000035C, 0xC00000C9, 0xC000020C, 0xC0000128, 0xC00000B5})
NUMBERS = {
    0xC0000022: errno.EACCES,
    0xC0000033: errno.EINVAL,
    0xC0000106: errno.EINVAL,
    0xC000000F: errno.ENOENT,
    0xC0000034: errno.ENOENT,
    0xC000003A: errno.ENOENT,
    0xC0000035: errno.EEXIST,
    0xC00000BA: errno.EISDIR,
    0xC0000103: errno.ENOTDIR,
    0xC0000043: errno.EBUSY,  # another program has it open
    0xC0000056: errno.EBUSY,  # deleted while another program has it open
    0xC000009A: errno.EAGAIN,
    0xC000007F: errno.ENOSPC,
    0xC0000044: errno.EDQUOT,
    0xC00000A2: errno.EROFS,
}
"""MS-ERREF, 2.3.1. Anything else is EIO."""
UNNAMED = "Unknown NtStatus error returned "  # smbprotocol's words before a name such as 'STATUS_DISK_FULL'


@dataclass(frozen=True)
class SmbLogin:
    """Who logs in where. `encrypt` asks for SMB 3's encryption; messages are signed in any case."""

    host: str
    port: int
    user: str
    password: str
    encrypt: bool
    timeout_s: float


@dataclass
class Lease:
    """One connection, ours for the moment. It is made by the first call."""

    login: SmbLogin
    connections: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """What each of smbclient's functions is told."""
        return {
            "username": self.login.user,
            "password": self.login.password,
            "port": self.login.port,
            "encrypt": self.login.encrypt or None,
            "connection_timeout": min(CONNECT_S, self.login.timeout_s),
            "connection_cache": self.connections,
        }

    @contextlib.contextmanager
    def call(self) -> Iterator[dict[str, Any]]:
        """One request: its faults are made ours, and after `timeout_s` the line is cut under it."""
        stalled = threading.Event()
        timer = threading.Timer(self.login.timeout_s, self._cut, [stalled])
        timer.start()
        try:
            self._connect()
            yield self.options
        except SMBOSError as error:
            raise self._translated(error.ntstatus, error.strerror) from error
        except SMBResponseException as error:
            raise self._translated(error.status, error.message) from error
        except SMBAuthenticationError as error:
            raise self._refused() from error
        except (SMBException, OSError, ValueError) as error:  # smbprotocol's ValueError: it could not connect
            self.drop()
            if stalled.is_set():
                raise OSError(errno.ETIMEDOUT, f"no answer within {self.login.timeout_s:g} s") from error
            raise OSError(errno.ECONNRESET, str(error)) from error
        finally:
            timer.cancel()

    def _connect(self) -> None:
        """Unless it stands. Each line with an id of its own: Samba leads those of one client into one process."""
        login, name = self.login, f"{self.login.host.lower()}:{self.login.port}"  # smbclient's own key
        if name not in self.connections or not self.connections[name].transport.connected:
            self.connections[name] = connection = Connection(uuid.uuid4(), login.host, login.port)
            connection.connect(timeout=min(CONNECT_S, login.timeout_s))
        smbclient.register_session(login.host, **self.options)

    def drop(self) -> None:
        """Forget the connection."""
        while self.connections:
            _, connection = self.connections.popitem()
            connection.disconnect(close=False)

    def _cut(self, stalled: threading.Event) -> None:
        stalled.set()
        for connection in list(self.connections.values()):
            with contextlib.suppress(OSError, AttributeError):  # it is cut already, or not there yet
                connection.transport._sock.shutdown(socket.SHUT_RDWR)  # its own close would wait for a send

    def _translated(self, status: int, words: str) -> Exception:
        if status in REFUSED_LOGINS:
            return self._refused()
        if status in NO_SHARE:
            return NasUnavailable(f"{self.login.host} has no such share: correct its name in NAS_URL")
        if status in GONE:
            self.drop()
            return OSError(errno.ECONNRESET, "the server has ended the session")
        return OSError(NUMBERS.get(status, errno.EIO), words.removeprefix(UNNAMED).strip("'"))

    def _refused(self) -> NasUnavailable:
        self.drop()
        return NasUnavailable(
            f"the NAS {self.login.host} refuses the login of '{self.login.user}': check the user and NAS_PASSWORD "
            f"({OF_SHOPS})"
        )


class Pool:
    """At most so many connections; who finds none free waits for one."""

    def __init__(self, login: SmbLogin, size: int) -> None:
        self._leases = [Lease(login) for _ in range(size)]
        self._free: queue.LifoQueue[Lease] = queue.LifoQueue()
        for lease in self._leases:
            self._free.put(lease)

    @contextlib.contextmanager
    def lease(self) -> Iterator[Lease]:
        """A connection for this thread alone."""
        lease = self._free.get()
        try:
            yield lease
        finally:
            self._free.put(lease)

    def close(self) -> None:
        """End all of them. Whoever is using one meets a lost line, and makes a new one."""
        for lease in self._leases:
            lease.drop()
