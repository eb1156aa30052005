# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP/1.0 and 1.1, server side: bytes in, requests out; responses in, bytes out.

HTTP is a protocol of questions and answers, so this handler offers no reader but a
``conversation(limits)``.  It knows neither sockets nor threads nor what a request
asks for: that is amiproxy/web/urls.py, and amiproxy/threads/web/connection.py answers it.

Requests are parsed by h11.  Responses are written here, because h11 cannot keep
an HTTP/1.0 connection alive, and every response is whole when it is sent.
"""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from amiproxy import __version__
from amiproxy.web.messages import BadRequest, Request, Response

if TYPE_CHECKING:
    from amiproxy.formats import Limits

#: Bytes of request line and headers together.  An action in a URL takes three
#: bytes for one ("%20"), and 128 lines of 1022 bytes belong into a POST.
MAX_HEAD = 64 * 1024

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def conversation(limits: Limits) -> Conversation:
    """Return a new conversation with one client."""
    return Conversation(limits)


class Conversation:
    """One connection of one client.  Belongs to one thread.

    The caller feeds what it receives, asks for the next request, answers it, asks
    again: a pipelined request comes out only when the one before has its answer.
    """

    def __init__(self, limits: Limits) -> None:
        self._max_body = limits.block
        self._parser = _parser()
        self._head: h11.Request | None = None  # of the request whose body is coming
        self._body = bytearray()
        self._started = False  # bytes of the next request have come
        self._unanswered: Request | None = None
        self._over = False  # no more requests will come out
        self._ended = False  # the client has sent all it will send

    @property
    def partial(self) -> bool:
        """Whether a request has begun and is not whole yet."""
        return self._started and not self._over and self._unanswered is None

    @property
    def in_body(self) -> bool:
        """Whether the head of the next request has come and its body has not."""
        return self._head is not None and self._unanswered is None

    @property
    def over(self) -> bool:
        """Whether nothing more will come: all is answered and the connection can go."""
        return self._over

    @property
    def backlog(self) -> int:
        """How many bytes wait that were sent ahead of the next request's turn."""
        return len(self._parser.trailing_data[0])

    def feed(self, data: bytes) -> None:
        """Take the next *data*; ``b""`` tells that the client sends no more."""
        if self._over or self._ended:
            return
        if not data:
            self._ended = True
        elif not self._started:
            # Stray blank lines before a request do not count (RFC 9112, section 2.2).
            data = data.lstrip(b"\r\n")
            if not data:
                return
            self._started = True
        self._parser.receive_data(data)

    def next(self) -> Request | None:
        """Return the next whole request, or None: more bytes, or an answer, must come first.

        Raises:
            BadRequest: what came is no request we take; the caller answers
                with its status by :meth:`refuse`, and the connection ends.

        """
        if self._unanswered is not None:
            return None
        while self._unanswered is None and not self._over:
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                # h11's text quotes the request, which may hold a secret.
                raise self._failed(error.error_status_hint) from None
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return None
            if isinstance(event, h11.Request):
                self._check(event)
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > self._max_body:
                    raise self._failed(413)
            elif isinstance(event, h11.EndOfMessage):
                self._unanswered = self._finish()
            else:
                self._over = True
        return self._unanswered

    def interim(self) -> bytes:
        """Return what must be sent before the client goes on: 100 Continue, once, or nothing."""
        if self._over or not self._parser.they_are_waiting_for_100_continue:
            return b""
        # Tells the parser that it has been said.
        self._parser.send(h11.InformationalResponse(status_code=100, headers=[]))
        return CONTINUE

    def answer(self, response: Response, now: float) -> bytes:
        """Return *response* to the request that is due, as bytes.

        *now* is the time for ``Date``, in seconds since the epoch.
        """
        request = self._unanswered
        assert request is not None, "there is nothing to answer"
        keep = request.keep_alive and not response.close
        self._unanswered = None
        if not keep:
            self._over = True
        return _write(response, now, keep_alive=keep, with_body=request.method != "HEAD")

    def refuse(self, response: Response, now: float) -> bytes:
        """Return *response* as the last bytes of this connection."""
        head = self._head.method if self._head is not None else b""
        self._unanswered = None
        self._over = True
        return _write(response, now, keep_alive=False, with_body=head != b"HEAD")

    def _check(self, head: h11.Request) -> None:
        """Refuse by its head a request whose body we need not read."""
        if not head.http_version.startswith(b"1."):
            raise self._failed(505)
        # h11 looks at the size only while a head is incomplete.
        size = len(head.target) + sum(len(name) + len(value) + 4 for name, value in head.headers)
        if size > MAX_HEAD:
            raise self._failed(431)
        names = [name for name, _ in head.headers]
        if b"transfer-encoding" in names and b"content-length" in names:
            # Two lengths are how requests are smuggled (RFC 9112, section 6.1).
            raise self._failed(400)
        for name, value in head.headers:
            if name == b"content-length" and int(value) > self._max_body:
                self._head = head
                raise self._failed(413)

    def _finish(self) -> Request:
        """Return the request that is whole now, and make ready for the next."""
        head = self._head
        assert head is not None
        request = Request(
            method=head.method.decode("latin-1"),
            target=head.target.decode("latin-1"),
            version="1.0" if head.http_version == b"1.0" else "1.1",
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers
            ),
            body=bytes(self._body),
        )
        rest, _ = self._parser.trailing_data
        rest = rest.lstrip(b"\r\n")
        self._parser = _parser()
        if rest:
            self._parser.receive_data(rest)
        if self._ended:
            self._parser.receive_data(b"")
        self._started = bool(rest)
        self._head = None
        self._body = bytearray()
        return request

    def _failed(self, status: int) -> BadRequest:
        self._over = True
        return BadRequest(status, _REASONS.get(status, _REASONS[400]))


_REASONS = {
    400: "This is not an HTTP request",
    413: "The request body is too long",
    431: "The request line and headers are too long",
    501: "This transfer encoding is not supported",
    505: "Only HTTP/1.0 and HTTP/1.1 are spoken here",
}


def _parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)


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
