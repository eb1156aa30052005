# SPDX-License-Identifier: GPL-2.0-or-later
"""What input formats share: making a block of lines, reading one record per line.

Every input format except the manager format itself uses these: whatever a client
wraps its headers in, the same lines are accepted, and the same are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

from amiproxy import replies
from amiproxy.formats import Refused
from amiproxy.message import END, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.limits import Limits

# The first two are Asterisk's words (main/manager.c, handle_parse_error).
LINE_TOO_LONG = "Failed to parse message: line too long"
TOO_MANY_LINES = "Too many lines in message or allocation failure"
BLOCK_TOO_LONG = "Failed to parse message: message too long"
LINE_BREAK = "Failed to parse message: CR, LF or NUL inside a header"

#: What formats of names and values call a line that is not ``Name: value``.
UNPARSED = "UnparsedText"

# What Asterisk skips between a colon and its value, as in Message.
_BLANKS = bytes(range(1, 33))
_BREAKS = re.compile(rb"[\r\n\0]")
_NOTHING = (b"", b"\r")
_LINE_ENDS = (b"\n", b"\r")


def block(lines: Sequence[bytes], limits: Limits) -> Message | Refused | None:
    """Make the message a client means by *lines*, or refuse it.

    A line that holds a line break or NUL would send actions of its own upstream;
    a line over the limits would be cut there.  Empty lines would end the block, so
    they are left out.  If nothing is left the result is None.
    """
    kept = [line for line in lines if line]
    if not kept:
        return None
    joined = b"\r\n".join(kept)
    ends = len(kept) - 1
    if joined.count(b"\r") != ends or joined.count(b"\n") != ends or b"\0" in joined:
        return refusal(LINE_BREAK, kept)
    if len(joined) > limits.line and max(map(len, kept)) > limits.line:
        return refusal(LINE_TOO_LONG, kept)
    if len(kept) > limits.headers:
        return refusal(TOO_MANY_LINES, kept)
    if len(joined) + len(END) > limits.block:
        return refusal(BLOCK_TOO_LONG, kept)
    return Message(joined + END)


def refusal(problem: str, lines: Sequence[bytes] = (), *, close: bool = False) -> Refused:
    """Refuse a block because of *problem*, a fixed text fit for client and log.

    The answer echoes the ActionID among *lines*, if it can be echoed.
    """
    given = None
    for line in lines:
        if line[:9].lower() == b"actionid:":
            if not _BREAKS.search(line):
                given = line[9:].lstrip(_BLANKS).decode("latin-1")
            break
    reply = replies.answer(given, "Response: Error", f"Message: {problem}")
    return Refused(reply, problem, close=close)


def without_blank_lines(data: bytes) -> bytes:
    """Return *data* without the blank lines that it begins with."""
    begin = data[: len(data) - len(data.lstrip(b"\r\n"))]
    end = begin.rfind(b"\n") + 1
    if begin.count(b"\r", 0, end) != begin.count(b"\r\n"):
        return data  # a line of CRs is not blank
    return data[end:]


class RecordReader:
    """Read formats of one record per line: cut at line feeds, parse each line.

    *parse* takes a line without its line feed and the limits, and returns the
    block it means, why it is refused, or None if it is empty.  A line of more than
    ``limits.block`` bytes is read to its end and refused; it costs no memory.  With
    *unsure* a value may go on in the next line: what follows such a line cannot be
    known, and the session ends.
    """

    def __init__(
        self,
        limits: Limits,
        parse: Callable[[bytes, Limits], Message | Refused | None],
        *,
        unsure: bool = False,
    ) -> None:
        self._limits = limits
        self._parse = parse
        self._unsure = unsure
        self._tail = bytearray()  # the line that has not ended yet
        self._skipping = False  # it is too long

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take the next *data* and return the blocks of the lines it ends, in order."""
        if data[:1] in _LINE_ENDS and not self._tail and not self._skipping:
            data = without_blank_lines(data)
        *lines, tail = data.split(b"\n")
        found: list[Message | Refused] = []
        for line in lines:
            if line in _NOTHING and not self._tail and not self._skipping:
                continue  # an empty line costs no more than that
            self._keep(line)
            if self._skipping:
                found.append(refusal(BLOCK_TOO_LONG, close=self._unsure))
            else:
                result = self._parse(bytes(self._tail), self._limits)
                if result is not None:
                    found.append(result)
            self._tail.clear()
            self._skipping = False
        self._keep(tail)
        return found

    def _keep(self, data: bytes) -> None:
        """Add *data* to the line, unless that is too long."""
        self._skipping = self._skipping or len(self._tail) + len(data) > self._limits.block
        if self._skipping:
            self._tail.clear()
        else:
            self._tail += data
