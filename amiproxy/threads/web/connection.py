# SPDX-License-Identifier: GPL-2.0-or-later
"""Serve one connection that speaks HTTP, in its own thread: wait for requests, send answers.

The bytes are handlers/http.py's, what is answered is amiproxy/threads/web/client.py's.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import TYPE_CHECKING, Any

from amiproxy.threads.web.client import WebClient, failure
from amiproxy.web.messages import BadRequest, Request

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.web")

#: Seconds: for the first byte of a connection and for a whole head; for head and
#: body; between two requests of a connection (as Apache: some clients of HTTP/1.1
#: read to the end although they did not ask for one).
HEAD_TIME = 10.0
REQUEST_TIME = 30.0
IDLE_TIME = 5.0

#: How often a thread that waits for a request looks whether the proxy stops, in seconds.
GLANCE = 0.5

#: Seconds a client may take nothing of its answer, at least.  Over a slow line a full
#: socket buffer moves in steps of a second, and nobody else waits for a web client.
WRITE_TIME = 5.0

#: Seconds that the rest of a refused request is read, in all and while nothing comes,
#: so that the client reads why and not a reset of its connection.
LINGER = 3.0
LINGER_QUIET = 0.25


def serve(
    context: ProxyContext,
    sessions: WebSessions,
    transport: Transport,
    conversation: Any,
    address: str,
    known: Callable[[], None] | None = None,
) -> None:
    """Answer the requests of one connection until it is over.

    *conversation* is of the input format's making; *address* is the client's;
    *known* is called when a request has brought a log-in or the proxy key.

    Raises:
        PeerError: the client left, or does not take its answer.

    """
    transport.write_timeout = max(transport.write_timeout, WRITE_TIME)
    connection = _Connection(transport, conversation, context.stopping)
    client = WebClient(
        context, sessions, transport.peer, address, known, tls=bool(transport.tls_version)
    )
    while not conversation.over and not context.stopping.is_set():
        try:
            request = connection.next_request()
        except BadRequest as error:
            log.info("%s: %d %s", transport.peer, error.status, error)
            response = failure(error, context.output_format(), "")
            transport.send_all(conversation.refuse(response, time.time()))
            connection.linger()
            return
        if request is None:
            return
        response = client.respond(request)
        log.debug("%s: %s %d", transport.peer, request.method, response.status)
        if context.stopping.is_set():
            response = dataclasses.replace(response, close=True)
        transport.send_all(conversation.answer(response, time.time()))


class _Connection:
    """Requests in, answers out: the part that waits for the client."""

    def __init__(self, transport: Transport, conversation: Any, stopping: threading.Event) -> None:
        self._transport = transport
        self._conversation = conversation
        self._stopping = stopping
        self._first = True

    def next_request(self) -> Request | None:
        """Return the next request, None when the client is done or idle.

        Raises:
            BadRequest: what came is no request, or came too slowly.

        """
        conversation = self._conversation
        began = time.monotonic()
        was_partial = conversation.partial
        while True:
            request: Request | None = conversation.next()
            if request is not None:
                self._first = False
                return request
            if conversation.over:
                return None
            interim = conversation.interim()
            if interim:
                self._transport.send_all(interim)
            if conversation.partial and not was_partial:
                began = time.monotonic()
                was_partial = True
            if not self._receive(began + self._patience()):
                if self._stopping.is_set() or not conversation.partial:
                    return None
                raise BadRequest(408, "The request took too long")

    def _patience(self) -> float:
        if self._conversation.in_body:
            return REQUEST_TIME
        return HEAD_TIME if self._first or self._conversation.partial else IDLE_TIME

    def _receive(self, deadline: float) -> bool:
        """Feed what comes until *deadline*, monotonic seconds; tell whether something came."""
        while not self._stopping.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            data = self._transport.recv(timeout=min(left, GLANCE))
            if data is not None:
                if self._first and not self._conversation.partial:
                    self._transport.refuse_tls(data)
                self._conversation.feed(data)
                return True
        return False

    def linger(self) -> None:
        """Read on for a moment after the last answer, and forget it."""
        end = time.monotonic() + LINGER
        while time.monotonic() < end and self._transport.recv(timeout=LINGER_QUIET):
            pass
