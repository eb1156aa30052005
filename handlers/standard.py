# SPDX-License-Identifier: GPL-2.0-or-later
"""The manager format itself, in and out, and the banner.

Output is the message as it is.  Input is read as Asterisk reads it
(main/manager.c, get_input and do_message): lines end in LF, a CR before it does
not count, a bare CR is data, a NUL cuts its line, an empty line ends the block.
This reader refuses the blocks that Asterisk refuses, in Asterisk's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.blocks import (
    BLOCK_TOO_LONG,
    LINE_TOO_LONG,
    TOO_MANY_LINES,
    refusal,
    without_blank_lines,
)
from amiproxy.message import END, Message

if TYPE_CHECKING:
    from amiproxy.formats import Limits, Refused

WIRE = True


def write(message: Message) -> bytes:
    """Return *message* as it is."""
    return message.raw


def onconnect(banner: str) -> bytes:
    """Return the first line of a manager connection; clients wait for it."""
    return banner.encode("latin-1", "replace") + b"\r\n"


def reader(limits: Limits) -> StandardReader:
    """Return a reader for one client."""
    return StandardReader(limits)


class StandardReader:
    """Cut the bytes of one client into blocks.

    Between two calls it keeps one unfinished line and the lines before it, both
    within the limits: a line without end costs no memory.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tail = bytearray()  # the line that has not ended yet
        self._skipping = False  # the line that has not ended yet is too long
        self._lines: list[bytes] = []  # the block that has not ended yet
        self._count = 0  # its lines, including those not kept
        self._size = len(END) - 2  # its bytes on the wire, with the last blank line
        self._action_id = b""  # the whole line
        self._problem = ""  # why the block will be refused

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take the next *data* and return the blocks it ends, in order.

        A block over the limits is read to its end and gives a
        :class:`Refused`; empty blocks give nothing.
        """
        if (
            data.endswith(END)
            and data.find(END) == len(data) - len(END)
            and not (self._tail or self._count or self._skipping)
            and data[:2] != b"\r\n"
            and not _is_odd(data)
            and self._fits(data[: -len(END)])
        ):
            return [Message(data)]  # one block in one piece, as clients usually send it
        if b"\n" not in data:
            self._keep(data)
            return []
        if self._tail:
            data = bytes(self._tail) + data
            self._tail.clear()
        if data[:1] in (b"\n", b"\r") and not (self._count or self._skipping):
            data = without_blank_lines(data)
        found: list[Message | Refused] = []
        if not _is_odd(data):
            if self._skipping or self._count:
                end = data.find(END) + len(END)
                end = end if end >= len(END) else len(data)
                self._read_lines(data[:end], found)
                data = data[end:]
            data = self._read_blocks(data, found)
        self._read_lines(data, found)
        return found

    def _read_blocks(self, data: bytes, found: list[Message | Refused]) -> bytes:
        """Take whole blocks of CRLF lines off *data*; return the rest.

        The fast path: nothing here looks at single lines.
        """
        *blocks, rest = data.split(END)
        for block in blocks:
            # A stray blank line before a block does not belong to it.
            whole = block[2:] if block[:2] == b"\r\n" else block
            if not whole:
                continue
            if self._fits(whole):
                found.append(Message(whole + END))
            else:
                self._read_lines(whole + END, found)
        return rest

    def _fits(self, block: bytes) -> bool:
        """Return whether *block*, CRLF lines without its end, is within the limits."""
        limits = self._limits
        return (
            block.count(b"\r\n") < limits.headers
            and len(block) + len(END) <= limits.block
            and (len(block) <= limits.line or max(map(len, block.split(b"\r\n"))) <= limits.line)
        )

    def _read_lines(self, data: bytes, found: list[Message | Refused]) -> None:
        """Take *data* line by line: the exact path, for whatever is rare."""
        *lines, tail = data.split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
                self._count += 1
                continue
            text = line[:-1] if line.endswith(b"\r") else line
            if len(text) > self._limits.line:
                self._refuse(LINE_TOO_LONG)
                self._count += 1
                continue
            if b"\0" in text:
                text = text[: text.index(b"\0")]
            if text:
                self._add(text)
            elif self._count:
                self._end(found)
        self._keep(tail)

    def _keep(self, data: bytes) -> None:
        """Keep *data*, part of a line, unless the line is too long."""
        if self._skipping:
            return
        # One byte more than a line may have: the last one may be the CR of its end.
        room = self._limits.line + 1 - len(self._tail)
        if len(data) > room:
            self._refuse(LINE_TOO_LONG)
            self._skipping = True
            self._tail.clear()
        else:
            self._tail += data

    def _add(self, line: bytes) -> None:
        self._count += 1
        self._size += len(line) + 2
        if self._count > self._limits.headers:
            self._refuse(TOO_MANY_LINES)
            return
        if not self._action_id and line[:9].lower() == b"actionid:":
            self._action_id = line
        if self._size > self._limits.block:
            self._refuse(BLOCK_TOO_LONG)
        if not self._problem:
            self._lines.append(line)

    def _refuse(self, problem: str) -> None:
        self._problem = self._problem or problem
        self._lines.clear()

    def _end(self, found: list[Message | Refused]) -> None:
        """End the block at its blank line."""
        if self._problem:
            found.append(refusal(self._problem, [self._action_id]))
        elif self._lines:
            found.append(Message(b"\r\n".join(self._lines) + END))
        self._lines.clear()
        self._count = 0
        self._size = len(END) - 2
        self._action_id = b""
        self._problem = ""


def _is_odd(data: bytes) -> bool:
    """Return whether only the exact path reads *data* correctly."""
    return b"\0" in data or data.count(b"\n") != data.count(b"\r\n")
