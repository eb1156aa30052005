# SPDX-License-Identifier: GPL-2.0-or-later
"""Parses what clients send as Asterisk's main/manager.c does.

Pure: bytes in, actions out.  The limits and their odd consequences are those of
a real Asterisk 22, as the recordings ``i1_*`` show.
"""

from __future__ import annotations

LINE_BUFFER = 1024  # inbuf[1025] of main/manager.c, less its NUL
MAX_HEADERS = 128  # AST_MAX_MANHEADERS

TOO_LONG = "Failed to parse message: line too long"
TOO_MANY = "Too many lines in message or allocation failure"


class Action:
    """One message of a client: its header lines, and what is wrong with it."""

    def __init__(self, lines: list[str], raw: bytes, error: str = "") -> None:
        """Take header *lines*, the *raw* bytes they were parsed from, and a parse *error*."""
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
    def name(self) -> str:
        """The value of the first ``Action`` header that is not empty."""
        return self.get("Action", skip_empty=True)

    @property
    def action_id(self) -> str:
        """The first ActionID."""
        return self.get("ActionID")

    def __repr__(self) -> str:
        return f"<Action {self.name or self.error or 'empty'}>"


class Input:
    """Cuts a client's bytes into actions.  Belongs to one session."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._raw = bytearray()  # the bytes of the message so far
        self._lines: list[str] = []
        self._error = ""

    def feed(self, data: bytes) -> None:
        """Add *data*, the next bytes received."""
        self._buffer += data

    def next(self) -> Action | None:
        """Return the next whole action, or None if more bytes are needed."""
        while (line := self._next_line()) is not None:
            if line:
                self._keep(line)
                continue
            action = Action(self._lines, bytes(self._raw), self._error)
            self._lines, self._error = [], ""
            self._raw.clear()
            return action
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
            # As in Asterisk, the last byte stays, so that no CRLF is cut in two.  A
            # line of exactly 1023 bytes has its CRLF cut in two all the same.
            self._raw += self._buffer[: LINE_BUFFER - 1]
            del self._buffer[: LINE_BUFFER - 1]
            self._error = TOO_LONG
