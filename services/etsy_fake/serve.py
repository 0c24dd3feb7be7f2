"""The stand-in as a server: for a person until Ctrl-C, or beside other work in a thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.etsy_fake.app import create_app
from services.etsy_fake.state import Etsy

HOST = "127.0.0.1"


class Line(HttpToolsProtocol):
    """A connection that the application can break, as networks do."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Requests find it under `state`."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "line": transport}


def settings_for(etsy: Etsy, port: int) -> dict[str, str]:
    """What makes Presswork write to the stand-in."""
    url = f"http://{HOST}:{port}"
    return {
        "PUBLISHER_TARGET": "etsy",
        "ETSY_KEYSTRING": etsy.keystring,
        "ETSY_SHARED_SECRET": etsy.shared_secret,
        "ETSY_API_URL": url,
        "ETSY_CONSENT_URL": f"{url}/oauth/connect",
    }


def run(etsy: Etsy, port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(create_app(etsy), host=HOST, port=port, http=Line, log_level="warning", date_header=False)


@contextlib.contextmanager
def beside(etsy: Etsy) -> Iterator[str]:
    """Serve in a thread, on a free port, for the length of the block; yields the URL."""
    config = uvicorn.Config(create_app(etsy), http=Line, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    config.date_header = False
    server = uvicorn.Server(config)
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{port}"
        finally:
            server.should_exit = True
            thread.join(10)
