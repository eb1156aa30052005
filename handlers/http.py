# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP/1.0 and 1.1, server side: bytes in, requests out; responses in, bytes out.

Each answer of HTTP belongs to a request, so this handler offers no reader but a
``conversation(limits)``.  It knows neither sockets nor threads nor what a request
asks for: that is amiproxy/web/urls.py, and amiproxy/threads/web/connection.py answers it.

Requests are parsed by h11.  Responses are written here, because h11 cannot keep
an HTTP/1.0 connection alive, and every response is whole when it is sent.
"""

from __future__ import annotations

import dataclasses
import functools
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from amiproxy import __version__, httphead
from amiproxy.byteordermark import Beginning
from amiproxy.httpmessages import BadRequest, Request, Response, Stage
from amiproxy.limits import STRANGER
from amiproxy.plainhead import MAX_HEADERS, PlainHeads

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiproxy.formats import Limits

#: Bytes of request line and headers together.  An action in a URL takes three
#: bytes for one ("%20"); 128 lines of 1022 bytes belong in a POST.
MAX_HEAD = 64 * 1024

#: Chunks of a body: each is parsed by itself, and costs more than its bytes.
MAX_CHUNKS = 4096

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpConversation:
    """One connection of one client: see :class:`amiproxy.formats.Conversation`."""

    def __init__(self, limits: Limits) -> None:
        self.stage = Stage.IDLE
        self.entrance: Callable[[Request], None] | None = None
        self._max_body = limits.block
        self._beginning = Beginning()
        self._has_entered = False  # the request under way, which is large
        self._plain = PlainHeads()
        self._parser: h11.Connection | None = None  # of the request under way, if it is not plain
        self._early = bytearray()  # of the next request: its head, and what comes before its turn
        self._searched = 0  # bytes of it in which the end of the head was looked for
        self._head: Request | None = None  # the request whose body is arriving, without it
        self._may_stay = False  # nothing in that request forbids another one behind it
        self._body = bytearray()
        self._chunks = 0
        self._request: Request | None = None  # the one that waits for its answer
        self._ended = False  # the client sends no more

    def feed(self, data: bytes) -> None:
        """Take the next *data*; ``b""`` says that the client sends no more."""
        if self._ended or self.stage is Stage.OVER:
            return
        if not data:
            self._ended = True
        # Who saves a request as text may send a mark first.
        data = self._beginning.admit(data)
        if self.stage is Stage.BODY:
            assert self._parser is not None
            self._parser.receive_data(data)
            return
        if not self._early:
            # Stray blank lines before a request do not count (RFC 9112, section 2.2).
            data = data.lstrip(b"\r\n")
        self._early += data
        if self._early and self.stage is Stage.IDLE:
            self.stage = Stage.HEAD

    def next(self) -> Request | None:
        """Return the next whole request, or None: more bytes, or an answer, must come first.

        Raises:
            BadRequest: what came is not a request, or one that is not accepted; or the
                entrance raised it.

        """
        if (
            self.stage is Stage.HEAD
            and not self._searched
            and (found := self._plain.read(self._early)) is not None
        ):
            self._request, self._early = found
            self.stage = Stage.ANSWER
            return self._request
        try:
            while self.stage not in (Stage.ANSWER, Stage.OVER):
                if not (self._head or self._begin()):
                    return None
                if not self._read_body():
                    return self._request
        except h11.RemoteProtocolError as error:
            self.stage = Stage.OVER
            # h11's text quotes the request, which may hold a secret.
            raise BadRequest(error.error_status_hint, _reason(error)) from None
        except BadRequest:
            self.stage = Stage.OVER
            raise
        return None

    def _begin(self) -> bool:
        """Read the next head; return whether all of it has come."""
        if not self._early:
            if self._ended:
                self.stage = Stage.OVER
            return False
        end = httphead.find_end(self._early, self._searched)
        self._searched = len(self._early)
        if end < 0 and self._ended:
            if not httphead.is_simple(self._early):
                raise BadRequest(400, "The request was cut off: a blank line ends its headers")
            self._early += b"\r\n"
            end = len(self._early)
        if (end if end >= 0 else len(self._early)) > MAX_HEAD:
            raise BadRequest(431, _REASONS[431])
        if end < 0:
            return False
        if self._early.count(b"\n", 0, end) > MAX_HEADERS + 2:  # the first line and the last
            raise BadRequest(431, _REASONS[431])  # before it is parsed, which takes a while
        head, rest = bytes(self._early[:end]), bytes(self._early[end:])
        self._early, self._searched = bytearray(), 0
        exact = httphead.exact(head)
        # One for each request: it cannot go on to the next of an HTTP/1.0 connection.
        parser = self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        parser.receive_data(exact.data)
        event = parser.next_event()
        assert isinstance(event, h11.Request)
        self._head = self._read_head(event, is_exact=exact.is_exact)
        self.stage = Stage.BODY
        if rest:
            parser.receive_data(rest)
        if self._ended:
            parser.receive_data(b"")
        return True

    def _read_body(self) -> bool:
        """Take the next piece of the body; return whether more of it may be there."""
        assert self._parser is not None
        event = self._parser.next_event()
        if isinstance(event, h11.Data):
            self._body += event.data
            self._chunks += event.chunk_start
            if len(self._body) > self._max_body or self._chunks > MAX_CHUNKS:
                raise BadRequest(413, _REASONS[413])
            if len(self._body) > STRANGER:
                assert self._head is not None
                self._enter(self._head)
            return True
        if isinstance(event, h11.EndOfMessage):
            self._request = self._finish()
            self.stage = Stage.ANSWER
        return False

    def _enter(self, head: Request) -> None:
        """Ask the entrance, once for each request, whether that of *head* may be large."""
        if self.entrance is None or self._has_entered:
            return
        self._has_entered = True
        self.entrance(head)

    def interim(self) -> bytes:
        """Return 100 Continue, once, if the client waits for it, else ``b""``."""
        parser = self._parser
        if self.stage is Stage.OVER or not (parser and parser.they_are_waiting_for_100_continue):
            return b""
        # So the parser knows that it was sent.
        parser.send(h11.InformationalResponse(status_code=100, headers=[]))
        return CONTINUE

    def answer(self, response: Response, now: float) -> bytes:
        """Return *response* to the request that waits for it, as bytes.

        *now* is the time for ``Date``, in seconds since the epoch.
        """
        request, self._request = self._request, None
        assert request is not None, "there is nothing to answer"
        keep = request.keep_alive and not response.close
        if keep:
            self.stage = Stage.HEAD if self._early else Stage.IDLE
        else:
            self.stage = Stage.OVER
        return _write(response, now, keep_alive=keep, with_body=request.method != "HEAD")

    def hand_over(self, response: Response, now: float) -> tuple[bytes, bytes]:
        """Return the head of *response*, behind which others write, and what has come so far."""
        assert self._request is not None, "there is nothing to answer"
        self._request, self.stage = None, Stage.OVER
        rest, self._early = bytes(self._early), bytearray()
        return _head(response, now, _CONNECTIONS.get(response.status, "close")), rest

    def refuse(self, response: Response, now: float) -> bytes:
        """Return *response* as the last bytes of this connection."""
        self.stage = Stage.OVER
        method = self._head.method if self._head is not None else ""
        return _write(response, now, keep_alive=False, with_body=method != "HEAD")

    def _read_head(self, head: h11.Request, *, is_exact: bool) -> Request:
        """Return the request of *head*; refuse one whose body need not be read."""
        fields = dict(head.headers)
        is_chunked = b"transfer-encoding" in fields
        if is_chunked and b"content-length" in fields:
            # Two lengths are how requests are smuggled (RFC 9112, section 6.1).
            raise BadRequest(400, "Content-Length and Transfer-Encoding: only one may be there")
        old = head.http_version == b"1.0"
        request = Request(
            method=head.method.decode("latin-1"),
            target=head.target.decode("latin-1"),
            version="1.0" if old else "1.1",
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
            ),
        )
        # RFC 9112, section 6.1: who stands in front may not know chunks in HTTP/1.0.  Behind a
        # POST without length a body may follow all the same, which is no request.
        has_length = is_chunked or b"content-length" in fields or head.method != b"POST"
        self._may_stay = is_exact and has_length and not (old and is_chunked)
        length = int(fields.get(b"content-length", 0))
        if length > self._max_body:
            self._head = request
            raise BadRequest(413, _REASONS[413])
        if max(length, len(head.target)) > STRANGER:
            self._enter(request)
        return request

    def _finish(self) -> Request:
        """Return the request that is whole now, and begin the next."""
        assert self._head is not None
        assert self._parser is not None
        rest, _ = self._parser.trailing_data
        self._early += rest.lstrip(b"\r\n")
        request = dataclasses.replace(
            self._head,
            body=bytes(self._body),
            keep_alive=self._may_stay and httphead.stays(self._head, is_followed=bool(self._early)),
        )
        self._parser = self._head = None
        self._body = bytearray()
        self._chunks = 0
        self._has_entered = False
        return request


_REASONS = {
    400: f"This is not an HTTP request: it begins as in {httphead.EXAMPLE}",
    413: "The request body is too long",
    431: "The request line and headers are too long",
    501: "This transfer encoding is not supported: send the body as it is, or chunked",
}

#: What h11 says, how it begins, and what it means to who has written the request.
_MEANINGS = (
    ("illegal header line", "A header is not as in Name: value (no blank before the colon)"),
    ("continuation line", "A header begins with a blank"),
    ("Found multiple Host", "There is more than one Host header"),
    ("conflicting Content-Length", "There are two lengths in Content-Length"),
    ("bad Content-Length", "Content-Length is not a number of bytes"),
    ("illegal chunk", "The size of a chunk is not a hexadecimal number"),
    ("malformed chunk", "A chunk is longer than its size says"),
    ("peer closed connection", "The body was cut off: less of it came than was announced"),
)


def _reason(error: h11.RemoteProtocolError) -> str:
    """Return what *error* means, or what its status does if that is not known."""
    usual = _REASONS.get(error.error_status_hint, _REASONS[400])
    return next((told for begin, told in _MEANINGS if str(error).startswith(begin)), usual)


#: What the proxy looks for in a handler (amiproxy/formats.py).
conversation = HttpConversation


#: Statuses of responses that have no body.
_BODILESS = (101, 204, 304)
#: What is said of the connection where others write behind the head.
_CONNECTIONS = {101: "Upgrade"}


def _write(response: Response, now: float, *, keep_alive: bool, with_body: bool) -> bytes:
    has_body = response.status not in _BODILESS
    length = len(response.body) if has_body else None
    head = _head(response, now, "keep-alive" if keep_alive else "close", length)
    return head + response.body if has_body and with_body else head


def _head(response: Response, now: float, connection: str, length: int | None = None) -> bytes:
    """Return the head of *response*, whose body has *length* bytes; None: that is not said."""
    status = response.status
    text = (
        f"{_status_line(status)}Date: {_date(int(now))}\r\n"
        f"Server: Asterisk Call Manager Proxy/{__version__}\r\n"
    )
    lines = 4 + len(response.headers)
    if status not in _BODILESS:
        text += f"Content-Type: {response.content_type}\r\n"
        lines += 1
    if length is not None:
        text += f"Content-Length: {length}\r\n"
        lines += 1
    text += f"Connection: {connection}\r\n"
    for name, value in response.headers:
        text += f"{name}: {value}\r\n"
    assert text.count("\r") == lines == text.count("\n"), "a header that would forge others"
    assert "\0" not in text, "a header that would end the text for some"
    return text.encode("latin-1", "replace") + b"\r\n"


@functools.lru_cache(maxsize=64)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"


@functools.lru_cache(maxsize=1)
def _date(now: int) -> str:
    """Return the time *now*, in seconds since the epoch, as a header has it."""
    return formatdate(now, usegmt=True)
