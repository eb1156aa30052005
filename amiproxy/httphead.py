# SPDX-License-Identifier: GPL-2.0-or-later
"""The head of an HTTP request as programs write it in, as RFC 9112 has it out.

Scripts of twenty years write a blank or an umlaut into a URL, leave out ``Host`` or the
version.  Where only one thing can be meant it is read as that.  RFC 9112 (section 3.2)
warns of it: whoever stands in front of us may have read another request, so such a request
is the last of its connection, and what could be two requests, or two URLs, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from amiproxy.httpmessages import BadRequest, Request

EXAMPLE = "GET /?Action=Ping HTTP/1.1"

_END = re.compile(rb"\n\r?\n")
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONGEST_METHOD = 32
_VERSION = re.compile(rb"HTTP/[0-9.]+", re.IGNORECASE)
_OURS = re.compile(rb"HTTP/1\.[0-9]")
_SECOND_VERSION = re.compile(rb" HTTP/", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")
_TO_QUOTE = {code: f"%{code:02X}" for code in (0x20, *range(0x80, 0x100))}
#: Where a header ends, or goes on, for some: a line end without CR, a blank behind one.
_OTHERWISE = re.compile(rb"(?<!\r)\n|\n[ \t]")
_HOST = re.compile(rb"^host[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, repr=False)
class Head:
    """The head of a request, with the blank line that ends it."""

    data: bytes  #: as RFC 9112 has it
    is_exact: bool  #: it came so; else the connection ends with the answer


def find_end(data: bytes | bytearray, searched: int) -> int:
    """Return where the head at the beginning of *data* ends, -1 if its end has not come.

    Of *data* the first *searched* bytes were looked at before.

    Raises:
        BadRequest: 400, this will never be a request.

    """
    if searched < _LONGEST_METHOD:
        method, blank, _ = bytes(data[: _LONGEST_METHOD + 1]).partition(b" ")
        if not _METHOD.fullmatch(method) or (len(data) > _LONGEST_METHOD and not blank):
            raise BadRequest(400, f"This is not an HTTP request: {_instead(method)}")
    found = _END.search(data, max(0, searched - 2))
    return found.end() if found else -1


def _instead(begin: bytes) -> str:
    """Return what to do instead of sending what begins with *begin*, up to a blank."""
    if b":" in begin:
        return "programs that speak AMI need a listener with inputformat = standard"
    return f"it begins as in {EXAMPLE}"


def is_simple(data: bytes | bytearray) -> bool:
    """Return whether *data*, all that came, is one line without a version: HTTP/0.9."""
    line = bytes(data).rstrip(b"\r\n")
    last = line.rpartition(b" ")[2]
    return data.endswith(b"\n") and b"\n" not in line and not _VERSION.fullmatch(last)


def exact(data: bytes) -> Head:
    """Return the head *data*, which ends with a blank line, as RFC 9112 has it.

    Raises:
        BadRequest: 400 or 505, the request line cannot be read.

    """
    line, _, rest = data.partition(b"\n")
    line = line[:-1] if line.endswith(b"\r") else line
    method, target, version = _parts(line)
    if version > b"HTTP/1.0" and not _HOST.search(rest):
        version = b"HTTP/1.0"  # where it may be missing
    made = b"%b %b %b" % (method, _quoted(target), version)
    is_exact = made == line and _OTHERWISE.search(data) is None
    return Head(b"%b\r\n%b" % (made, rest), is_exact=is_exact)


def _parts(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return method, URL and version of the request line *line*."""
    method, _, rest = line.partition(b" ")
    rest = rest.strip(b" ")
    target, _, version = rest.rpartition(b" ")
    if not _VERSION.fullmatch(version):
        target, version = rest, b"HTTP/1.0"
    version = version.upper()
    if not _OURS.fullmatch(version):
        raise BadRequest(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here")
    target = target.rstrip(b" ")
    if not target:
        raise BadRequest(400, f"There is no URL in the first line; one is as in {EXAMPLE}")
    return method, target, version


def _quoted(target: bytes) -> bytes:
    """Return the URL *target* with its blanks, and what is not ASCII, as ``%20`` and so on."""
    if _CONTROLS.search(target):
        raise BadRequest(400, "A control character in the URL: write a tab as %09")
    if _SECOND_VERSION.search(target):
        # One that reads up to the first blank has seen another request.
        raise BadRequest(400, "HTTP/ stands twice in the first line: write a blank as %20")
    if b" " in target.partition(b"?")[0]:
        raise BadRequest(400, "A blank in the URL before its question mark: write it as %20")
    return target.decode("latin-1").translate(_TO_QUOTE).encode("ascii")


def stays(request: Request, *, is_followed: bool) -> bool:
    """Return whether the client of *request* may send another one over its connection.

    By RFC 9112, section 9.3, whoever speaks HTTP/1.1 may.  But scripts that write their
    request by hand read up to the end of the connection; they would wait for our time limit.
    Libraries that keep connections send one of _OF_LIBRARIES without being told to;
    *is_followed*: the next request has come.  Whom we take for a script wrongly (.NET's
    HttpClient, Perl's HTTP::Tiny) is told ``Connection: close`` and connects anew.
    """
    wishes = {wish.strip() for wish in request.header("connection").lower().split(",")}
    if "close" in wishes or request.version == "1.0":
        return "keep-alive" in wishes and "close" not in wishes
    return is_followed or not _OF_LIBRARIES.isdisjoint([name for name, _ in request.headers])


#: curl, also PHP's: Accept; http.client, requests, Go, Ruby, Node, browsers: Accept-Encoding.
_OF_LIBRARIES = frozenset({"connection", "accept", "accept-encoding"})
