# SPDX-License-Identifier: GPL-2.0-or-later
"""HttpGuard: HTTP that comes to a port of another format is turned away, and a stray PROXY header.

A web page can make a browser send a POST to any port.  The request's head is no action, but
its body may hold some, word for word.  So nothing reaches a reader before it is certain that
the connection does not begin with an HTTP request; and until an action has come, no line
``Host:`` may come, which every request has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.errors import ProtocolError
from amiproxy.wire.proxyheader import begins_header

if TYPE_CHECKING:
    from amiproxy.message import Message

#: Bytes of a first line that may still become a request line; no action has such a line.
LONGEST = 8192

#: What may stand before the first line: blank lines, a byte order mark.
_BEFORE = b" \t\r\n\v\f\0\xef\xbb\xbf"

#: ``METHOD target HTTP/version``: whatever the method is, whatever stands in the target.
#: In a method (RFC 9110, token) there is none of ``: < { "``, which the first word of every
#: format of ours has.
_METHOD = rb"[\w!#$%&'*+.^`|~-]+"
_REQUEST = re.compile(rb"(?i)%b\s(?:.*\s)?HTTP/[0-9]" % _METHOD, re.DOTALL)

#: The beginning of such a line, a blank included.  It is held back; what is certainly none is
#: not, for a format need not have lines.
_MAY_BECOME = re.compile(
    rb"(?i)%b[ \t]+(?:\S+(?:[ \t]+(?:H|HT|HTT|HTTP|HTTP/[^\n]*)?)?)?\Z" % _METHOD
)
_TWO_WORDS = re.compile(rb"%b\s" % _METHOD)

#: A line that begins with the header Host; or with an action, written in any format.
_HOST_OR_ACTION = re.compile(
    rb"(?i)(?:\A|\n)(?:[ \t]*(?P<host>host)[ \t]*:|"
    rb"[ \t\"'{<]*(?:\w+>[ \t<]*)?(?:proxy)?action(?:[\"']?[ \t]*[:=]|[ \t]+\w+[ \t]*=))"
)

#: What is searched at a time, for the search holds the interpreter.
_PORTION = 16384

#: How much of a line, or of the connection, is kept to see how it begins.
_BEGINNING = 64


class WrongPortError(ProtocolError):
    """What the connection begins with is not for this port; the client is told so."""


class HeaderError(WrongPortError):
    """The connection begins with the PROXY protocol's header, and must not."""

    def __init__(self) -> None:
        super().__init__("PROXY protocol header from an address that is not in proxyprotocol")


class HttpError(WrongPortError):
    """The connection speaks HTTP and nothing else."""

    def __init__(self) -> None:
        super().__init__("This port does not speak HTTP")


class HttpGuard:
    """Lets the bytes of one connection through, until they turn out to be HTTP."""

    def __init__(self) -> None:
        self._first: bytearray | None = bytearray()  # the first line; None: it has ended
        self._start = b""  # the bytes that came first, while _first is being read
        self._held = b""  # what came of it and was not let through
        self._line = b""  # the beginning of a later line, which has not ended
        #: An action has come: whatever else comes is a client's.
        self.is_open = False

    def admit(self, data: bytes) -> bytes:
        """Take the next *data*; return what may be read now.

        Raises:
            WrongPortError: this is HTTP, or a header of the PROXY protocol.

        """
        if self._first is not None:
            return self._first_line(data, self._first)
        self._look(data)
        return data

    def judge(self, block: Message) -> None:
        """Look at a *block* that was read.

        Raises:
            HttpError: it has the header Host, and no action has come.

        """
        self.is_open = block.has("Action") or block.has("ProxyAction")
        if not self.is_open and block.has("Host"):
            raise HttpError

    def _first_line(self, data: bytes, line: bytearray) -> bytes:
        """Take *data* of the first *line*; hold it back while that may be a request line."""
        self._start += data[: _BEGINNING - len(self._start)]
        if begins_header(self._start):
            raise HeaderError
        begin, line_feed, rest = (data if line else data.lstrip(_BEFORE)).partition(b"\n")
        line += begin
        if len(line) > LONGEST:
            is_request = _TWO_WORDS.match(line[:LONGEST])
        else:
            is_request = _REQUEST.match(line) if line_feed else None
        if is_request:
            raise HttpError
        data = self._held + data
        if len(line) <= LONGEST and not line_feed:
            self._held = data if _MAY_BECOME.match(line) else b""
            return b"" if self._held else data
        self._first, self._held = None, b""
        self._look(bytes(line[:_BEGINNING]) + line_feed + rest)
        return data

    def _look(self, data: bytes) -> None:
        """Search *data*, of any lines, for the first Host or action."""
        for at in range(0, len(data), _PORTION):
            text = self._line + data[at : at + _PORTION]
            lower = text.lower()
            found = None
            if b"host" in lower or b"action" in lower:  # else the search is not worth its time
                found = _HOST_OR_ACTION.search(text)
            if found is None:
                begin = text.rfind(b"\n") + 1
                self._line = text[begin:].lstrip(b" \t")[:_BEGINNING]
            elif found["host"]:
                raise HttpError
            else:
                self.is_open = True
                return
