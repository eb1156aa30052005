# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain requests: a GET or HEAD as nearly all are, read in one step.

What is plain is told strictly: a head that came whole, in printable ASCII, with CRLF, one ``Host``
and nothing that announces a body or another protocol.  All else is h11's to read or refuse
(handlers/http.py); tests/handlers/test_plainhead.py holds both against each other.
"""

from __future__ import annotations

import re

from amiproxy.httphead import stays
from amiproxy.httpmessages import Request
from amiproxy.limits import STRANGER

#: Lines of headers of a request; browsers send about twenty.
MAX_HEADERS = 128

_LINE = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1\r\n")
_HEADERS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ -~]*\r\n)+")
_END = b"\r\n\r\n"

#: Headers of requests that are not plain: there is a body, or more to it than the request.
_NOT_PLAIN = frozenset(
    {"content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings"}
)

Headers = tuple[tuple[str, str], ...]


class PlainHeads:
    """Reads the plain requests of one connection.

    Its client sends the same headers with each of them, mostly: then they are the same object.
    """

    __slots__ = ("_block", "_headers", "_keeps")

    def __init__(self) -> None:
        self._block = b""  # the headers read last, as they came
        self._headers: Headers = ()
        #: Whether the connection stays behind them: where no other request has come, where one has.
        self._keeps = False, False

    def read(self, data: bytearray) -> tuple[Request, bytearray] | None:
        """Return the plain request that *data* begins with, and what is behind it.

        None: there is none.  Line ends between two requests are not part of what is behind.
        """
        line = _LINE.match(data)
        if line is None:
            return None
        begin = line.end()
        end = data.find(_END, begin, begin + STRANGER) + 2
        if begin > STRANGER or end < begin:
            return None
        block = bytes(data[begin:end])
        if block != self._block and not self._parse(block):
            return None
        rest = data[end + 2 :].lstrip(b"\r\n")
        method, target = line.groups()
        request = Request(
            method=method.decode("ascii"),
            target=target.decode("ascii"),
            version="1.1",
            headers=self._headers,
            keep_alive=self._keeps[bool(rest)],
        )
        return request, rest

    def _parse(self, block: bytes) -> bool:
        """Keep the headers in *block*, each of whose lines ends with CRLF; False: not plain."""
        if not _HEADERS.fullmatch(block) or block.count(b"\n") > MAX_HEADERS:
            return False
        found: list[tuple[str, str]] = []
        for line in block.decode("ascii").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            found.append((name.lower(), value.strip(" ")))
        names = [name for name, _ in found]
        if names.count("host") != 1 or not _NOT_PLAIN.isdisjoint(names):
            return False
        headers = tuple(found)
        like = Request("GET", "/", "1.1", headers)
        self._keeps = stays(like, is_followed=False), stays(like, is_followed=True)
        self._block, self._headers = block, headers
        return True
