"""One kept-alive SSH connection to a NAS, shared by threads: made when needed, dropped when it fails or stalls."""

import asyncio
import contextlib
import errno
import functools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncssh

from shared.nas.errors import OF_SHOPS, NasUnavailable

T = TypeVar("T")
asyncssh.set_log_level("WARNING")  # it logs every connection
CONNECT_S, KEEPALIVE_S = 10, 15

NUMBERS: dict[type[asyncssh.SFTPError], int] = {
    asyncssh.SFTPNoSuchFile: errno.ENOENT,
    asyncssh.SFTPNoSuchPath: errno.ENOENT,
    asyncssh.SFTPPermissionDenied: errno.EACCES,
    asyncssh.SFTPFileAlreadyExists: errno.EEXIST,
    asyncssh.SFTPNotADirectory: errno.ENOTDIR,
    asyncssh.SFTPWriteProtect: errno.EROFS,
    asyncssh.SFTPNoSpaceOnFilesystem: errno.ENOSPC,
    asyncssh.SFTPQuotaExceeded: errno.EDQUOT,
    asyncssh.SFTPLockConflict: errno.EBUSY,
    asyncssh.SFTPInvalidFilename: errno.EINVAL,
    asyncssh.SFTPBadMessage: errno.EINVAL,  # OpenSSH's answer to a name that is too long
    asyncssh.SFTPOpUnsupported: errno.ENOTSUP,
}
"""Anything else is EIO: version 3 of the protocol has one answer, "Failure", for a taken name, a full disk and more."""


@dataclass(frozen=True)
class SshLogin:
    """Who logs in where: `private_key` is a file, or the key itself.

    `host_keys` are the fingerprints ("SHA256:...") of which the server must show one.
    """

    host: str
    port: int
    user: str
    password: str
    private_key: str
    host_keys: tuple[str, ...]
    timeout_s: float


def fingerprint(text: str) -> str:
    """Of a fingerprint, of a public key as in a .pub file, or of a line of known_hosts.

    Raises:
        ValueError: it is none of these.
    """
    words = text.split()
    if len(words) == 1 and text.startswith("SHA256:"):
        return text.rstrip("=")
    for start in (0, 1):
        with contextlib.suppress(asyncssh.KeyImportError):
            return asyncssh.import_public_key(" ".join(words[start : start + 2])).get_fingerprint()
    raise ValueError(f"NAS_HOST_KEY: {text!r} is neither a fingerprint like SHA256:... nor a public key")


@functools.cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The one loop of this process for SSH, in a thread of its own."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_unheard)
    threading.Thread(target=loop.run_forever, daemon=True, name="ssh").start()
    return loop


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A line that breaks ends many requests at once, and whoever made them is told of the first."""
    if not isinstance(context.get("exception"), asyncssh.Error):
        loop.default_exception_handler(context)


class _Guard(asyncssh.SSHClient):
    """Trusts the pinned host keys, and remembers what it saw."""

    def __init__(self, pinned: tuple[str, ...]) -> None:
        self.pinned, self.seen = pinned, ""

    def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey) -> bool:
        self.seen = key.get_fingerprint()
        return self.seen in self.pinned


class Line:
    """The connection. While it is broken, each call that needs it tries to make a new one."""

    def __init__(self, login: SshLogin) -> None:
        self.login = login
        self._loop = event_loop()
        self._making: asyncio.Future[tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]] | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    def client(self) -> asyncssh.SFTPClient:
        """The client of a connection that stands, as far as we know.

        Raises:
            NasUnavailable: the login is refused, or the server is another one.
            OSError: it can't be reached.
        """
        return self._wait(self._connected())

    def call(self, action: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """One request."""
        return self.run(client := self.client(), action(client))

    def run(self, client: asyncssh.SFTPClient, action: Awaitable[T]) -> T:
        """A request to a client that was got before, to whose connection an open file belongs."""
        return self._wait(self._run(client, action))

    def close(self) -> None:
        """Say goodbye, if there is anybody."""
        self._wait(self._close())

    def _wait(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _run(self, client: asyncssh.SFTPClient, action: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.login.timeout_s):
                return await action
        except TimeoutError as error:
            self._drop(client)
            raise OSError(errno.ETIMEDOUT, f"no answer within {self.login.timeout_s:g} s") from error
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError) as error:
            self._drop(client)
            raise OSError(errno.ECONNRESET, str(error) or "connection lost") from error
        except asyncssh.SFTPError as error:
            raise OSError(NUMBERS.get(type(error), errno.EIO), error.reason) from error

    async def _connected(self) -> asyncssh.SFTPClient:
        if self._client is not None and self._connection is not None and not self._connection.is_closed():
            return self._client
        if self._making is None or self._making.done():
            self._making = asyncio.ensure_future(self._connect())
        self._connection, self._client = await self._making  # whoever waits for it shares its end
        return self._client

    async def _connect(self) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        login, guard = self.login, _Guard(self.login.host_keys)
        try:
            async with asyncio.timeout(min(CONNECT_S, login.timeout_s)):
                connection = await asyncssh.connect(
                    login.host,
                    login.port,
                    username=login.user,
                    password=login.password or None,
                    client_keys=_client_keys(login),
                    known_hosts=([], [], []),  # none but what the guard knows
                    client_factory=lambda: guard,
                    keepalive_interval=KEEPALIVE_S,
                    agent_path=None,
                    config=[],
                )
                try:
                    return connection, await connection.start_sftp_client(path_errors="surrogateescape")
                except BaseException:  # a time limit's end is a cancellation
                    connection.abort()  # left open, one more at each try would use up the sessions that there are
                    raise
        except (asyncssh.Error, asyncssh.KeyImportError, OSError) as error:
            raise _no_line(error, login, guard) from error

    def _drop(self, client: asyncssh.SFTPClient) -> None:
        if client is self._client and self._connection is not None:
            self._connection.abort()
            self._client = self._connection = None

    async def _close(self) -> None:
        connection, self._client, self._connection = self._connection, None, None
        if connection is not None:
            connection.close()
            await connection.wait_closed()


def _client_keys(login: SshLogin) -> list[asyncssh.SSHKey | str] | None:
    """None rather than an empty list: that would stand for the keys of whoever runs this process."""
    if not login.private_key:
        return None
    is_text = login.private_key.lstrip().startswith("-----BEGIN")
    return [asyncssh.import_private_key(login.private_key) if is_text else login.private_key]


def _no_line(error: Exception, login: SshLogin, guard: _Guard) -> Exception:
    where = f"the NAS {login.host}:{login.port}"
    match error:
        case TimeoutError():
            return OSError(errno.ETIMEDOUT, f"{where} says nothing")
        case asyncssh.HostKeyNotVerifiable():
            return NasUnavailable(_unknown(where, guard))
        case asyncssh.PermissionDenied():
            secrets = f"NAS_PASSWORD or NAS_PRIVATE_KEY ({OF_SHOPS})"
            return NasUnavailable(f"{where} refuses the login of '{login.user}': check the user, and {secrets}")
        case asyncssh.KeyImportError() | OSError(filename=str()):  # of files only the key's is opened
            return NasUnavailable(f"NAS_PRIVATE_KEY is no private key: {error}")
        case asyncssh.ChannelOpenError():
            return NasUnavailable(f"{where} offers no SFTP: switch it on there for '{login.user}'")
    return OSError(errno.ECONNRESET, f"{where}: {error}")


def _unknown(where: str, guard: _Guard) -> str:
    if not guard.pinned:
        key = guard.seen
        return f"{where} has the host key {key}; if the NAS itself says so, set NAS_HOST_KEY={key} ({OF_SHOPS})"
    return (
        f"{where} shows another host key ({guard.seen}) than the one in NAS_HOST_KEY: nothing was sent to it; "
        "if the NAS was set up anew, compare the key on the NAS itself, and change NAS_HOST_KEY "
        f"({OF_SHOPS})"
    )
