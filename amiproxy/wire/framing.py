# SPDX-License-Identifier: GPL-2.0-or-later
"""Framer: bytes of an Asterisk in, whole messages out, all of one read at once.

No socket, no thread and no clock: the owner of the connection reads and feeds.
A framer belongs to one connection and its thread.  Its limit is ``maxmessage``; the limits
of what clients send (1022 bytes a line) are amiproxy.formats.Limits.

What a real Asterisk sends is nearly always plain: CRLF lines, one blank line
after each message.  Such bytes are cut at their last blank line and passed on
as they are.  What makes the framing ambiguous (a bare LF, stray blank lines,
raw command text of Asterisk before 14) is rare; it is searched for in the bytes,
and only a read that has it is cut exactly, line by line.

A framer also adds the header ``Server:``.  It is a message's last line, but for two kinds of
answers, whose text client libraries take up to the end (spec 12.27): it stands behind the
first line of raw command text, and before the first ``Output:``.
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

from amiproxy.errors import ProtocolError
from amiproxy.message import END, TEXT_FOLLOWS, Message

#: How the last line of raw command text ends (Asterisk before 14; spec section 4).
END_COMMAND = b"--END COMMAND--"

#: Raw command text has ended where one of these stands, and nowhere else.
_TEXT_ENDS = (END_COMMAND + b"\n", END_COMMAND + b"\r\n")

#: How Asterisk begins an event.
_EVENT = b"Event: "

#: A line of what a command printed (Asterisk from 14 on), behind another line.
_OUTPUT = b"\r\nOutput:"

#: The headers between the first line of raw command text and the text.
_HEAD = (b"Privilege:", b"ActionID:")

#: What stands between the first line of raw command text and its ActionID, which is caught.
_ASKED = re.compile(rb"(?:(?:Server|Privilege):[^\n]*\n)*ActionID: *([^\r\n]*)\r?\n")

#: How raw text begins, with the Server of proxies that are nearer to the Asterisk.
_TEXT_BEGINS = re.compile(rb"%b *\r\n(?:Server: [^\r\n]*\r\n)*" % TEXT_FOLLOWS)


class Chunk(NamedTuple):
    """The messages that one read has completed, in order.

    Where blank lines alone tell where messages end they stay together in *wire*,
    every line ended by CRLF.  Where they do not (raw command text, in which a bare LF
    stays one), *wire* is empty and *exact* has one item for each message.
    """

    wire: bytes = b""
    exact: list[bytes] | None = None
    #: Whether each message in *wire* begins with ``Event:``.  Only such bytes may go to
    #: clients as they are: an answer among them would reach clients that did not ask.
    only_events: bool = False
    #: How many messages *wire* has, 0 where nobody has counted.
    number: int = 0

    def messages(self) -> list[Message]:
        """Return the messages, cut anew at each call."""
        if self.exact is not None:
            return [Message(raw) for raw in self.exact]
        parts = self.wire.split(END)
        parts.pop()
        return [Message(part + END) for part in parts]


_NOTHING = Chunk()


class Framer:
    """Cut the byte stream of one Asterisk into whole messages."""

    def __init__(
        self,
        max_message: int,
        ending: bytes = END,
        is_ours: Callable[[bytes], bool] | None = None,
    ) -> None:
        """Make a framer that accepts messages of up to *max_message* bytes.

        *ending* is as in ``end_with``.  Raw command text is only what bears an ActionID that
        *is_ours*, where that is given: values are never escaped, and what a client has put into
        one (Getvar) must not make text of all that comes behind it.
        """
        self._is_ours = is_ours
        self._max_message = max_message
        self.end_with(ending)
        self._kept = bytearray()  # the bytes after the last whole message
        self._edge = b""  # the last bytes seen: a mark may straddle two reads
        self._in_text = False  # what is kept is the head of raw command text

    def end_with(self, ending: bytes) -> None:
        """Put *ending* behind each message that is whole from now on, instead of CRLF CRLF.

        It may add a header: ``CRLF Name: value CRLF CRLF``.  Where that must not come last,
        it stands where it must.
        """
        self.ending = ending
        self._next_event = ending + _EVENT

    def feed(self, data: bytes) -> Chunk:
        """Take the next *data* and return the messages that it completes, perhaps none.

        Raises:
            ProtocolError: ``max_message`` bytes came without an end.

        """
        if not self._kept and data.endswith(END):
            # Nearly always: whole messages, and no head of one kept from before.
            chunk = self._plain(data, len(data))
            if chunk is not None:
                self._edge = b""
                return chunk
        window = self._edge + data
        self._edge = window[-len(END_COMMAND) - 1 :]
        # Do not scan anything twice: a long message is cut only once something that ends
        # it, or the text in it, has come.
        if self._in_text:
            may_end = _TEXT_ENDS[0] in window or _TEXT_ENDS[1] in window
        else:
            may_end = b"\n\r\n" in window or b"\n\n" in window or self._starts_blank(data)
        chunk = _NOTHING
        if not may_end:
            self._kept += data
        elif self._kept:
            self._kept += data
            chunk = self._cut(bytes(self._kept))
        else:
            chunk = self._cut(data)
        if len(self._kept) > self._max_message:
            raise ProtocolError(
                f"no end of a message in {len(self._kept)} bytes, maxmessage is {self._max_message}"
            )
        return chunk

    def _cut(self, buffer: bytes) -> Chunk:
        """Return the whole messages of *buffer*, all that has come; keep the rest."""
        last = buffer.rfind(END)
        end = 0 if last < 0 else last + len(END)
        chunk = self._plain(buffer, end)
        if chunk is not None:
            rest, self._in_text = buffer[end:], False
        else:
            messages, rest, self._in_text = _cut_exactly(buffer, self._is_ours)
            chunk = Chunk(exact=[self._signed(message) for message in messages])
        self._kept = bytearray(rest)
        return chunk

    def _plain(self, buffer: bytes, end: int) -> Chunk | None:
        """Return the messages before *end* if CRLF CRLF, and nothing else, ends each.

        Each test is one search over the bytes; together they cost less than the
        joining of what they let pass.
        """
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            return None
        whole = buffer[:end]
        grown = len(self.ending) - len(END)
        if grown:
            wire = whole.replace(END, self.ending)
            count = (len(wire) - len(whole)) // grown
        elif b"\r\n\r\n\r\n" in buffer:
            return None
        else:
            wire, count = whole, whole.count(END)
        if (
            whole.startswith(_EVENT)
            and not buffer.startswith(b"\r\n", end)
            # Searched in the result, which a blank line too many does not mislead.
            and wire.count(self._next_event) == count - 1
            and wire.endswith(self.ending)
        ):
            # Every message is an event: none can be blank or raw text.
            return Chunk(wire, only_events=True, number=count)
        if buffer.startswith(b"\r\n") or b"\r\n\r\n\r\n" in buffer:
            return None
        if TEXT_FOLLOWS in buffer:
            return None
        if _OUTPUT in whole and grown:
            wire = b"".join([self._signed(part + END) for part in whole.split(END)[:-1]])
        return Chunk(wire, number=count)

    def _signed(self, message: bytes) -> bytes:
        """Return *message*, in wire form, with the header of the ending in its place."""
        text = _TEXT_BEGINS.match(message)
        output = -1 if message.startswith(_EVENT) else message.find(_OUTPUT)
        if text is not None:
            at = text.end()
        elif output >= 0:
            at = output + 2  # behind the line end
        else:
            at = len(message) - 2
        return message[:at] + self.ending[2:-2] + message[at:]

    def _starts_blank(self, data: bytes) -> bool:
        """Return whether the rest of a message would begin with a blank line, *data* included."""
        start = bytes(self._kept[:2]) + data[:2]
        return start.startswith((b"\n", b"\r\n"))


def _cut_exactly(
    buffer: bytes, is_ours: Callable[[bytes], bool] | None = None
) -> tuple[list[bytes], bytes, bool]:
    """Cut *buffer* line by line; *is_ours* is as a framer's.

    Returns the whole messages in wire form (CRLF, whatever came, but for raw text, which
    stays as it came), the bytes of the message that has not ended, and whether that one is
    inside raw text.
    """
    messages: list[bytes] = []
    lines: list[bytes] = []  # of the message under way, with their ends
    in_text = False
    bare = False  # the first line of the text ended in a bare LF: so do its headers
    consumed = position = 0
    pieces = buffer.split(b"\n")
    pieces.pop()  # the line that has not ended
    for piece in pieces:
        position += len(piece) + 1
        line = piece[:-1] if piece.endswith(b"\r") else piece
        if in_text:
            # What a CLI command prints may hold blank lines of its own.
            in_text = not line.endswith(END_COMMAND)
            is_head = bare and len(lines) <= len(_HEAD) and line.startswith(_HEAD)
            lines.append(piece + b"\n" if in_text and not is_head else line + b"\r\n")
        elif line:
            if not lines and line.rstrip(b" ") == TEXT_FOLLOWS:
                asked = None if is_ours is None else _ASKED.match(buffer, position)
                in_text = is_ours is None or (asked is not None and is_ours(asked.group(1)))
                bare = line is piece
            lines.append(line + b"\r\n")
        else:
            if lines:
                messages.append(b"".join(lines) + b"\r\n")
                lines = []
            consumed = position
    return messages, buffer[consumed:], in_text
