# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP requests and responses as values, and the one error a request can earn."""

from __future__ import annotations

from dataclasses import dataclass

from amiproxy.errors import ProtocolError


@dataclass(frozen=True, repr=False)
class Request:
    """One whole request.  Text is latin-1: one byte, one character."""

    method: str
    target: str  #: as it stands in the request line
    version: str  #: ``1.0`` or ``1.1``
    headers: tuple[tuple[str, str], ...] = ()  #: names in lower case
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the values of header *name* (lower case), joined by commas, or ``""``."""
        return ", ".join(value for key, value in self.headers if key == name)

    def has(self, name: str) -> bool:
        """Tell whether there is a header *name* (lower case), be it empty."""
        return any(key == name for key, _ in self.headers)

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection to stay (RFC 9112, section 9.3)."""
        tokens = {token.strip().lower() for token in self.header("connection").split(",")}
        if "close" in tokens:
            return False
        return self.version != "1.0" or "keep-alive" in tokens

    def __repr__(self) -> str:
        # No target, no headers: both may hold secrets, and a repr ends in logs.
        return f"<Request {self.method} HTTP/{self.version}, {len(self.body)} bytes>"


@dataclass(frozen=True)
class Response:
    """What is answered.  Framing, date and connection headers are added on the wire."""

    status: int
    content_type: str = "text/plain"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False  #: end the connection, whatever the client wants


class BadRequest(ProtocolError):
    """A request that is answered with an error *status* and never reaches Asterisk.

    The text tells the client what to do about it; it holds no part of the request.
    """

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers
