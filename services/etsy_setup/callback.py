"""The way back from Etsy's consent page, when it leads to this machine: one request is waited for, and answered."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

HERE = {"localhost", "127.0.0.1"}
THANKS = b"<!doctype html><meta charset=utf-8><p>Thank you. You can close this page and go back to the terminal."


class Callback:
    """A server for the address that Etsy sends the browser to."""

    def __init__(self, redirect_uri: str) -> None:
        """Listens from now on.

        Raises:
            OSError: somebody else does, or the address is not this machine's.
        """
        at = urlsplit(redirect_uri)
        if at.scheme != "http" or at.hostname not in HERE or not at.port:
            raise OSError(f"{redirect_uri} does not lead to this machine")
        self._found = threading.Event()
        self._url = ""
        self._server = HTTPServer(("127.0.0.1", at.port), _handler(at.path, self._heard))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> str | None:
        """The address that the browser came to; None if it did not."""
        try:
            return self._url if self._found.wait(seconds) else None
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _heard(self, url: str) -> None:
        self._url = url
        self._found.set()


def _handler(path: str, heard: Callable[[str], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ours = urlsplit(self.path).path == path
            self.send_response(200 if ours else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            if ours:
                self.wfile.write(THANKS)
                heard(self.path)

        def log_message(self, *_: object) -> None:
            """Nothing: the address has the code in it."""

    return Handler
