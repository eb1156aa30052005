# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP requests and responses as values, the error of a request, the stages of a conversation."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from amiproxy.errors import ProtocolError


class Stage(enum.Enum):
    """How far the next request of a conversation has come."""

    IDLE = "nothing of it has come"
    HEAD = "its first bytes have come"
    BODY = "its head has come"
    ANSWER = "all of it has come, and its answer has not been given"
    OVER = "none will come: the connection can be closed"


@dataclass(frozen=True, repr=False)
class Request:
    """One whole request.  Text is latin-1: one byte, one character."""

    method: str
    target: str  #: as it stands in the request line
    version: str  #: ``1.0`` or ``1.1``
    headers: tuple[tuple[str, str], ...] = ()  #: names in lower case
    body: bytes = b""
    keep_alive: bool = True  #: the client wants the connection kept open
    # The values by name, made when the first is asked for.
    _by_name: dict[str, str] = field(default_factory=dict, init=False, compare=False)

    def header(self, name: str) -> str:
        """Return the values of header *name* (lower case), joined by commas, or ``""``."""
        return self._named().get(name, "")

    def has(self, name: str) -> bool:
        """Return whether there is a header *name* (lower case), even if empty."""
        return name in self._named()

    def _named(self) -> dict[str, str]:
        found = self._by_name
        if not found:
            for name, value in self.headers:
                found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    def __repr__(self) -> str:
        # No target, no headers: both may hold secrets, and reprs are logged.
        return f"<Request {self.method} HTTP/{self.version}, {len(self.body)} bytes>"


@dataclass(frozen=True)
class Response:
    """One answer.  Framing, date and connection headers are added on the wire."""

    status: int
    content_type: str = "text/plain"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False  #: close the connection, whatever the client wants


class BadRequest(ProtocolError):
    """A request that is answered with an error *status* and never reaches Asterisk.

    The text says what the client can do about it; it holds no part of the request.
    """

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers
