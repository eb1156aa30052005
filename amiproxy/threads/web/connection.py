# SPDX-License-Identifier: GPL-2.0-or-later
"""Serve one connection that speaks HTTP, in its own thread: wait for requests, send answers.

The bytes are handlers/http.py's; the answers come from amiproxy/threads/web/client.py.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import TYPE_CHECKING

from amiproxy.httpmessages import BadRequest, Request, Stage
from amiproxy.threads.net.hello import refuse_tls
from amiproxy.threads.sessions.tallies import NO_REQUEST, Tallied
from amiproxy.threads.web.client import WebClient
from amiproxy.threads.web.question import failure
from amiproxy.threads.web.visit import Stream
from amiproxy.web import problems
from amiproxy.wire.httpguard import HeaderError
from amiproxy.wire.proxyheader import begins_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiproxy.formats import Conversation
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.web")

#: How often a thread that waits for a request looks whether the proxy stops, in seconds.
_POLL_INTERVAL = 0.5

#: What has not come of a request.
_MISSING = {
    Stage.HEAD: "a blank line ends its headers",
    Stage.BODY: "less of its body came than was announced",
}

#: Bytes of a refused request that are read and discarded.
_MOST_LINGERING = 1 << 20


@dataclasses.dataclass(frozen=True)
class WebTimes:
    """How long a connection waits for its client, in seconds."""

    head: float = 10.0  #: for the first byte of a connection, and for a whole head
    request: float = 30.0  #: for head and body
    #: Between two requests (as Apache: some scripts that read to the end of the
    #: connection send ``Accept``, and are taken for a library).
    idle: float = 5.0
    #: For the first byte where the proxy stops: the client has just connected.
    fresh: float = 1.0
    #: While the client takes nothing of its answer, at least.  Over a slow line a full
    #: socket buffer moves in steps of a second, and nobody else waits for a web client.
    write: float = 5.0
    #: For the rest of a refused request, which is read so that the client reads why it
    #: was refused and not a reset of its connection: in all, and while nothing comes.
    linger: float = 3.0
    linger_quiet: float = 0.25


def serve(
    context: ProxyContext,
    sessions: WebSessions,
    transport: Transport,
    conversation: Conversation,
    address: str,
    spec: ListenerSpec,
    *,
    mark_authenticated: Callable[[], None],
    times: WebTimes = WebTimes(),
) -> None:
    """Answer the requests of one connection until it is over.

    *conversation* is of the input format's making; *address* is the client's, *spec* the listener
    that it came in at; *mark_authenticated* is called when one has brought a log-in or the key.

    Raises:
        PeerError: the client left, or does not take its answer.

    """
    transport.write_timeout = max(transport.write_timeout, times.write)
    client, first = WebClient(context, sessions, transport, address, spec, mark_authenticated), True
    # Who has just connected has a request on its way.
    while conversation.stage is not Stage.OVER and (first or not context.stopping.is_set()):
        try:
            request = _next_request(transport, conversation, context, times, first=first)
        except BadRequest as error:
            _refuse(error, context, spec, transport, conversation, times)
            return
        if request is None:
            return
        first, response = False, client.respond(request)
        if isinstance(response, Stream):
            _run(response, transport, conversation, request)
            return
        log.debug("%s: %s %d", transport.peer, request.method, response.status)
        if context.stopping.is_set():
            response = dataclasses.replace(response, close=True)
        transport.send_all(conversation.answer(response, time.time()))


def _refuse(
    error: BadRequest,
    context: ProxyContext,
    spec: ListenerSpec,
    transport: Transport,
    conversation: Conversation,
    times: WebTimes,
) -> None:
    """Say what is wrong with what came, by *error*; it is the last answer."""
    log.info("%s: %d %s", transport.peer, error.status, error)
    context.tallies.note(Tallied.REQUEST, NO_REQUEST, str(error.status))
    refusal = failure(error, context.output_format(spec), "")
    transport.send_all(conversation.refuse(refusal, time.time()))
    _linger(transport, times)


def _run(
    stream: Stream, transport: Transport, conversation: Conversation, request: Request
) -> None:
    """Send the head of *stream*, which answers *request*, and have it go on."""
    log.debug("%s: %s %d", transport.peer, request.method, stream.head.status)
    try:
        try:
            head, rest = conversation.hand_over(stream.head, time.time())
        except BadRequest as error:
            transport.send_all(conversation.answer(problems.response(error), time.time()))
            return
        (stream.send or transport.send_all)(head)
        stream.run(rest)
    finally:
        stream.leave()


def _next_request(
    transport: Transport,
    conversation: Conversation,
    context: ProxyContext,
    times: WebTimes,
    *,
    first: bool,
) -> Request | None:
    """Return the next request, None when the client is done or idle, or the proxy stops.

    Raises:
        BadRequest: what came is not a request, or came too slowly.

    """
    stage = conversation.stage
    began = time.monotonic()  # of the request; of the wait for it, where nothing has come
    while (request := conversation.next()) is None:
        if stage is Stage.IDLE and conversation.stage is not Stage.IDLE:
            began = time.monotonic()
        stage = conversation.stage
        if stage is Stage.OVER:
            return None
        if stage is Stage.BODY and (interim := conversation.interim()):
            transport.send_all(interim)
        left = began + _patience(context, stage, times, first=first) - time.monotonic()
        if left <= 0:
            if stage is Stage.IDLE:
                return None
            raise BadRequest(408, f"The request took too long: {_MISSING[stage]}")
        data = transport.recv(timeout=min(left, _POLL_INTERVAL))
        if data is not None:
            if first and stage is Stage.IDLE:
                _look_at_first(transport, data)
            conversation.feed(data)
    return request


def _patience(context: ProxyContext, stage: Stage, times: WebTimes, *, first: bool) -> float:
    """Return how long a request may take to come, in seconds.

    Raises:
        BadRequest: 503, it began before the proxy stopped, which waits no longer.

    """
    if context.stopping.is_set():
        if stage is Stage.IDLE:
            return times.fresh if first else 0.0
        if context.leave_by.over:
            raise BadRequest(503, "The proxy is shutting down")
    if stage is Stage.IDLE:
        return times.head if first else times.idle
    return times.head if stage is Stage.HEAD else times.request


def _look_at_first(transport: Transport, data: bytes) -> None:
    """Refuse *data*, what came first, where it is known for what is no HTTP.

    Raises:
        ProtocolError: it begins a TLS handshake, which nobody could be answered in.
        BadRequest: 400, it begins the header of a load balancer.

    """
    refuse_tls(transport, data)
    if begins_header(data):
        raise BadRequest(400, str(HeaderError()))


def _linger(transport: Transport, times: WebTimes) -> None:
    """Read on for a moment after the last answer, and discard what comes, if it is little."""
    end, left = time.monotonic() + times.linger, _MOST_LINGERING
    while left > 0 and time.monotonic() < end:
        data = transport.recv(timeout=times.linger_quiet)
        if not data:
            return
        left -= len(data)
