"""Where `presswork up` listens, and how this machine reaches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ONLY_HERE = "127.0.0.1"
"""Unless somebody says otherwise: a laptop is in other people's networks."""

ALL: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - known when it is asked for
"""What means every address of the machine, with one of these."""


@dataclass(frozen=True)
class Listening:
    """An address and a port to listen on."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As this machine reaches it."""
        host = ALL.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def __str__(self) -> str:
        more = f", and port {self.port} of all addresses (HOST={self.host})" if self.host in ALL else ""
        return f"{self.url}{more}"
