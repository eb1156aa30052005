# SPDX-License-Identifier: GPL-2.0-or-later
"""Message: the lines of one manager message, as a value.

A message keeps the bytes it came as.  Lines and headers are looked up only on
demand, because most messages are passed on as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

END = b"\r\n\r\n"

#: The first line of raw command text (Asterisk before 14), letter for letter: what else the line
#: may be, such as ``response:follows``, no Asterisk writes.
TEXT_FOLLOWS = b"Response: Follows"

#: What Asterisk skips between a colon and its value (ast_skip_blanks): if the proxy
#: read ``Action:<TAB>Logoff`` differently, it would slip past every check.
_BLANKS = "".join(map(chr, range(1, 33)))

_LINE_END = re.compile(rb"\r?\n")


class Message:
    """One manager message: header lines, without the blank line that ends it.

    A message is a value.  Nothing changes it once it is made, so every thread
    may hold the same one; to rewrite a header is to make another message.

    Text is latin-1 on both sides of the proxy: each byte is one character, so
    what came in goes out again, whatever encoding Asterisk used.

    *own* marks a message that the proxy itself sends, not Asterisk or a client.
    """

    __slots__ = ("_action", "_lines", "_values", "facts", "links", "own", "raw")

    #: The wire form: every line ended by CRLF, then the blank line.  The text of a command
    #: (``Response: Follows``) alone stays as it came: its lines may end in a bare LF, and it
    #: may have blank lines.
    raw: bytes
    #: What amiproxy.routing.facts found in this message, or noted of it: examined once, however
    #: many clients filter it.
    facts: object | None
    #: What amiproxy.routing.calltable knew of its channels when it came.
    links: object | None

    def __init__(self, raw: bytes, *, own: bool = False) -> None:
        """Make a message of its wire form *raw*: CRLF lines and a blank line."""
        self.raw = raw
        self.own = own
        self.facts = self.links = None
        self._lines: tuple[str, ...] | None = None
        self._values: dict[str, str] | None = None
        self._action: str | None = None

    @classmethod
    def of(cls, *lines: str, own: bool = False) -> Message:
        """Make a message of *lines*, which have no line ends."""
        text = "\r\n".join(lines)
        return cls(text.encode("latin-1", "replace") + END, own=own)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, in order, without line ends."""
        lines = self._lines
        if lines is None:
            # Built on first use.  Two threads may build it at once; they build
            # equal tuples and either may win, so this needs no lock.
            raw = self.raw if not self.raw.startswith(TEXT_FOLLOWS) else self.with_crlf().raw
            lines = self._lines = tuple(raw[:-4].decode("latin-1").split("\r\n"))
        return lines

    def headers(self) -> Iterator[tuple[str, str]]:
        """Yield (name, value) of each line that is a header, in order.

        ``Name: value`` and ``Name:value`` are headers; the blanks after the
        colon do not count, as in Asterisk (main/manager.c, spec section 5).
        """
        for line in self.lines:
            name, colon, value = line.partition(":")
            if colon:
                yield name, value.lstrip(_BLANKS)

    @property
    def values(self) -> dict[str, str]:
        """The first value of each header, by its name in lower case.

        As in Asterisk the first header of a name counts; blanks between colon and
        value do not.  Callers must not change the dict.
        """
        values = self._values
        if values is None:
            values = {}
            for line in self.lines:
                # The usual header in one step, any other exactly.
                name, colon, value = line.partition(": ")
                if not colon or value[:1] <= " " or ":" in name:
                    name, colon, value = line.partition(":")
                    if not colon:
                        continue
                    value = value.lstrip(_BLANKS)
                name = name.lower()
                if name not in values:
                    values[name] = value
            self._values = values  # as in lines: no lock needed
        return values

    def get(self, name: str) -> str:
        """Return the first value of header *name*, in any case, or ``""``."""
        return self.values.get(name.lower(), "")

    @property
    def action(self) -> str:
        """The action asked for, in lower case; "" if there is none.

        The first Action that is not empty counts, as in Asterisk (recording
        i1_empty_first_action); for all other headers the first one counts.
        """
        action = self._action
        if action is None:
            action = self.values.get("action")
            if action == "":
                action = next(filter(None, self.all("Action")), "")
            self._action = action = action.lower() if action else ""
        return action

    def has(self, name: str) -> bool:
        """Return whether there is a header *name*, even if empty."""
        return name.lower() in self.values

    def all(self, name: str) -> list[str]:
        """Return the values of every header *name*, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers() if key.lower() == wanted]

    def with_crlf(self) -> Message:
        """Return this message with CRLF behind each line, those of raw text included."""
        if not self.raw.startswith(TEXT_FOLLOWS):
            return self
        return Message(_LINE_END.sub(b"\r\n", self.raw), own=self.own)

    def with_header(self, name: str, value: str) -> Message:
        """Return this message with one more header at its end."""
        line = f"{name}: {value}\r\n\r\n".encode("latin-1", "replace")
        return Message(self.raw[:-2] + line, own=self.own)

    def without(self, name: str) -> Message:
        """Return this message without any header *name*."""
        wanted = name.lower()
        kept = [line for line in self.lines if line.partition(":")[0].lower() != wanted]
        return Message.of(*kept, own=self.own)

    def replacing(self, name: str, value: str) -> Message:
        """Return this message with every header *name* set to *value*.

        The header keeps its place and the case of its name.
        """
        wanted = name.lower()
        lines = []
        for line in self.lines:
            key, colon, _ = line.partition(":")
            lines.append(f"{key}: {value}" if colon and key.lower() == wanted else line)
        return Message.of(*lines, own=self.own)

    def setting(self, name: str, value: str) -> Message:
        """Return this message with header *name* set to *value*, whether it was there or not."""
        return self.replacing(name, value) if self.has(name) else self.with_header(name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        # No values: they may be secrets, and a repr ends up in logs.
        names = [line.partition(":")[0] for line in self.lines[:4]]
        return f"<Message {', '.join(names)}>"
