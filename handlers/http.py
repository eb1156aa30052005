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

from amiproxy import __version__
from amiproxy.httpmessages import BadRequest, Request, Response, Stage
from amiproxy.limits import STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiproxy.formats import Limits

#: Bytes of request line and headers together.  An action in a URL takes three
#: bytes for one ("%20"); 128 lines of 1022 bytes belong in a POST.
MAX_HEAD = 64 * 1024

#: Headers of a request; browsers send about twenty.
MAX_HEADERS = 128

#: Chunks of a body: each is parsed by itself, and costs more than its bytes.
MAX_CHUNKS = 4096

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

#: h11 for one request: it cannot go on to the next of an HTTP/1.0 connection.
_parser = functools.partial(h11.Connection, h11.SERVER, max_incomplete_event_size=MAX_HEAD)


class HttpConversation:
    """One connection of one client: see :class:`amiproxy.formats.Conversation`."""

    def __init__(self, limits: Limits) -> None:
        self.stage = Stage.IDLE
        self.entrance: Callable[[Request], None] | None = None
        self._max_body = limits.block
        self._has_entered = False  # the request under way, which is large
        self._parser = _parser()
        self._head: Request | None = None  # the request whose body is arriving, without it
        self._body = bytearray()
        self._chunks = 0
        self._begun = False  # bytes of the next request have come, perhaps before its turn
        self._request: Request | None = None  # the one that waits for its answer
        self._ended = False  # the client sends no more

    def feed(self, data: bytes) -> None:
        """Take the next *data*; ``b""`` says that the client sends no more."""
        if self._ended or self.stage is Stage.OVER:
            return
        if not data:
            self._ended = True
        elif not self._begun:
            # Stray blank lines before a request do not count (RFC 9112, section 2.2).
            data = data.lstrip(b"\r\n")
            if not data:
                return
            self._begun = True
            if self.stage is Stage.IDLE:
                self.stage = Stage.HEAD
        self._parser.receive_data(data)

    def next(self) -> Request | None:
        """Return the next whole request, or None: more bytes, or an answer, must come first.

        Raises:
            BadRequest: what came is not a request, or one that is not accepted; or the
                entrance raised it.

        """
        while self.stage not in (Stage.ANSWER, Stage.OVER):
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                # h11's text quotes the request, which may hold a secret.
                raise self._failed(error.error_status_hint) from None
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return None
            if isinstance(event, h11.Request):
                self._head = self._read_head(event)
                self.stage = Stage.BODY
            elif isinstance(event, h11.Data):
                self._body += event.data
                self._chunks += event.chunk_start
                if len(self._body) > self._max_body or self._chunks > MAX_CHUNKS:
                    raise self._failed(413)
                if len(self._body) > STRANGER:
                    assert self._head is not None
                    self._enter(self._head)
            elif isinstance(event, h11.EndOfMessage):
                self._request = self._finish()
                self.stage = Stage.ANSWER
                return self._request
            else:
                self.stage = Stage.OVER
        return None

    def _enter(self, head: Request) -> None:
        """Ask the entrance, once for each request, whether that of *head* may be large."""
        if self.entrance is None or self._has_entered:
            return
        self._has_entered = True
        try:
            self.entrance(head)
        except BadRequest:
            self.stage = Stage.OVER
            raise

    def interim(self) -> bytes:
        """Return 100 Continue, once, if the client waits for it, else ``b""``."""
        if self.stage is Stage.OVER or not self._parser.they_are_waiting_for_100_continue:
            return b""
        # So the parser knows that it was sent.
        self._parser.send(h11.InformationalResponse(status_code=100, headers=[]))
        return CONTINUE

    def answer(self, response: Response, now: float) -> bytes:
        """Return *response* to the request that waits for it, as bytes.

        *now* is the time for ``Date``, in seconds since the epoch.
        """
        request, self._request = self._request, None
        assert request is not None, "there is nothing to answer"
        keep = request.keep_alive and not response.close
        if keep:
            self.stage = Stage.HEAD if self._begun else Stage.IDLE
        else:
            self.stage = Stage.OVER
        return _write(response, now, keep_alive=keep, with_body=request.method != "HEAD")

    def refuse(self, response: Response, now: float) -> bytes:
        """Return *response* as the last bytes of this connection."""
        self.stage = Stage.OVER
        method = self._head.method if self._head is not None else ""
        return _write(response, now, keep_alive=False, with_body=method != "HEAD")

    def _read_head(self, head: h11.Request) -> Request:
        """Return the request of *head*; refuse one whose body need not be read."""
        if not head.http_version.startswith(b"1."):
            raise self._failed(505)
        # h11 looks at the size only while a head is incomplete.
        size = len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)
        if size > MAX_HEAD or len(head.headers) > MAX_HEADERS:
            raise self._failed(431)
        fields = dict(head.headers)
        if b"transfer-encoding" in fields and b"content-length" in fields:
            # Two lengths are how requests are smuggled (RFC 9112, section 6.1).
            raise self._failed(400)
        old = head.http_version == b"1.0"
        wishes = b",".join(value for name, value in head.headers if name == b"connection")
        tokens = {token.strip() for token in wishes.lower().split(b",")}
        request = Request(
            method=head.method.decode("latin-1"),
            target=head.target.decode("latin-1"),
            version="1.0" if old else "1.1",
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
            ),
            # RFC 9112, section 9.3.
            keep_alive=b"close" not in tokens and (not old or b"keep-alive" in tokens),
        )
        length = int(fields.get(b"content-length", 0))
        if length > self._max_body:
            self._head = request
            raise self._failed(413)
        if max(length, len(head.target)) > STRANGER:
            self._enter(request)
        return request

    def _finish(self) -> Request:
        """Return the request that is whole now, and begin the next."""
        assert self._head is not None
        request = dataclasses.replace(self._head, body=bytes(self._body))
        rest, _ = self._parser.trailing_data
        rest = rest.lstrip(b"\r\n")
        self._parser = _parser()
        if rest:
            self._parser.receive_data(rest)
        if self._ended:
            self._parser.receive_data(b"")
        self._begun = bool(rest)
        self._head = None
        self._body = bytearray()
        self._chunks = 0
        self._has_entered = False
        return request

    def _failed(self, status: int) -> BadRequest:
        self.stage = Stage.OVER
        return BadRequest(status, _REASONS.get(status, _REASONS[400]))


_REASONS = {
    400: "This is not an HTTP request",
    413: "The request body is too long",
    431: "The request line and headers are too long",
    501: "This transfer encoding is not supported",
    505: "Only HTTP/1.0 and HTTP/1.1 are spoken here",
}


#: What the proxy looks for in a handler (amiproxy/formats.py).
conversation = HttpConversation


def _write(response: Response, now: float, *, keep_alive: bool, with_body: bool) -> bytes:
    headers = [
        ("Date", formatdate(now, usegmt=True)),
        ("Server", f"Asterisk Call Manager Proxy/{__version__}"),
    ]
    bodiless = response.status in (204, 304)
    if not bodiless:
        headers.append(("Content-Type", response.content_type))
        headers.append(("Content-Length", str(len(response.body))))
    headers.append(("Connection", "keep-alive" if keep_alive else "close"))
    headers.extend(response.headers)
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    for name, value in headers:
        line = f"{name}: {value}"
        assert not set("\r\n\0") & set(line), "a header that would forge others"
        lines.append(line)
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return head if bodiless or not with_body else head + response.body
