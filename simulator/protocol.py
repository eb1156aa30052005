# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients send, read as Asterisk's main/manager.c reads it.

Pure: bytes in, requests out.  The limits and their odd consequences are those of
a real Asterisk 22, as the recordings ``i1_*`` show them.
"""

from __future__ import annotations

LINE_BUFFER = 1024  # inbuf[1025] of main/manager.c, less its NUL
MAX_HEADERS = 128  # AST_MAX_MANHEADERS

TOO_LONG = "Failed to parse message: line too long"
TOO_MANY = "Too many lines in message or allocation failure"


class Request:
    """One message of a client: its header lines, and what was wrong with it."""

    def __init__(self, lines: list[str], raw: bytes, error: str = "") -> None:
        """Take header *lines*, the *raw* bytes they came as, and a parse *error*."""
        self.lines = lines
        self.raw = raw
        self.error = error

    def get(self, name: str, *, skip_empty: bool = False) -> str:
        """Return the first value of header *name*, in any case, or ``""``."""
        prefix = name.lower() + ":"
        for line in self.lines:
            if line[: len(prefix)].lower() == prefix:
                value = line[len(prefix) :].lstrip(" ")
                if value or not skip_empty:
                    return value
        return ""

    def all(self, name: str) -> list[str]:
        """Return the values of every header *name*, in order."""
        prefix = name.lower() + ":"
        return [
            line[len(prefix) :].lstrip(" ")
            for line in self.lines
            if line[: len(prefix)].lower() == prefix
        ]

    @property
    def action(self) -> str:
        """The action asked for; empty ``Action`` headers do not count."""
        return self.get("Action", skip_empty=True)

    @property
    def action_id(self) -> str:
        """The ActionID; of several the first."""
        return self.get("ActionID")

    def __repr__(self) -> str:
        return f"<Request {self.action or self.error or 'empty'}>"


class Input:
    """Cut a client's bytes into requests.  Belongs to one session."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._raw = bytearray()  # what the message under way came as
        self._lines: list[str] = []
        self._error = ""

    def feed(self, data: bytes) -> None:
        """Take the next *data*."""
        self._buffer += data

    def next(self) -> Request | None:
        """Return the next whole request, or None when more bytes are needed."""
        while (line := self._next_line()) is not None:
            if line:
                self._keep(line)
                continue
            request = Request(self._lines, bytes(self._raw), self._error)
            self._lines, self._error = [], ""
            self._raw.clear()
            return request
        return None

    def _keep(self, line: str) -> None:
        if self._error:
            return
        if len(self._lines) < MAX_HEADERS:
            self._lines.append(line)
        else:
            self._error = TOO_MANY

    def _next_line(self) -> str | None:
        while True:
            end = self._buffer.find(b"\n", 0, LINE_BUFFER)
            if end >= 0:
                line = bytes(self._buffer[:end])
                self._raw += self._buffer[: end + 1]
                del self._buffer[: end + 1]
                if line.endswith(b"\r"):
                    line = line[:-1]
                return line.partition(b"\0")[0].decode("latin-1")
            if len(self._buffer) < LINE_BUFFER:
                return None
            # As Asterisk: the last byte stays, lest a CRLF be cut in two.  It is,
            # all the same, with a line of exactly 1023 bytes.
            self._raw += self._buffer[: LINE_BUFFER - 1]
            del self._buffer[: LINE_BUFFER - 1]
            self._error = TOO_LONG
