# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of programs to a web client, without a connection."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from amiproxy.httpmessages import Request, Response
from amiproxy.message import Message
from amiproxy.settings.listeners import of_keys
from amiproxy.threads import routes
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.threads.web.client import WebClient
from amiproxy.threads.web.sessions import WebSessions
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.threads.web.test_client import Echo, Stage

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction
    from amiproxy.threads.sessions.context import ProxyContext


def ask(
    stage: Stage | Web, method: str, target: str, body: bytes = b"", **headers: str
) -> Response:
    """Return the response to a request of a program."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return stage.respond(Request(method, target, "1.1", (("host", "x"), *pairs), body))


def send(stage: Stage | Web, target: str, body: Any, **headers: str) -> Response:
    """Return the response to a POST of *body* as JSON, or of these bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(stage, "POST", target, data, content_type="application/json", **headers)


def document(response: Response) -> Any:
    """Return what the body of *response* says."""
    return json.loads(response.body)


def problem(response: Response) -> tuple[int, str]:
    """Return status and kind of the problem that *response* is."""
    assert response.content_type == "application/problem+json"
    found = document(response)
    assert found["status"] == response.status
    return response.status, found["type"].removeprefix("/v1/problems/")


class Says(Echo):
    """An Asterisk that answers with what is in *says*, by action."""

    says: dict[str, list[Message]]

    def submit(self, action: PendingAction, account: str = "", most: int = 0) -> Submitted:
        """Answer *action*."""
        messages = self.says.get(Message(action.raw).action)
        if messages is None:
            return super().submit(action, account, most)
        self.asked.append(Message(action.raw))
        items = [
            Routed(
                each,
                owner=action.owner,
                action_id=action.given,
                request_id=action.wire_id,
                final=each is messages[-1],
            )
            for each in messages
        ]
        self._router.answered(action.owner)
        self._router.publish(Batch.of_items("pbx:5038", items))
        return Submitted.TAKEN


def telling(stage: Stage, **says: list[Message]) -> Stage:
    """Have the Asterisk of *stage* answer with *says*, by action."""
    asterisk = Says(stage.context.router)
    asterisk.says = says
    stage.asterisk = asterisk
    stage.context.router.servers = (asterisk,)
    return stage


class Web:
    """A web client of the proxy *context*, without a connection."""

    def __init__(self, context: ProxyContext) -> None:
        context.resource_at = routes.find
        self.context = context
        self.sessions = WebSessions(context.registry)
        ours, self._theirs = socket.socketpair()
        self._transport = Transport(
            ours, "client x", flusher=Flusher(), write_timeout=1, max_backlog=1000
        )
        spec = of_keys(context.config)
        known = (context, self.sessions, self._transport, "192.0.2.1", spec)
        self._client = WebClient(*known, lambda: None)

    def respond(self, request: Request) -> Response:
        """Return the response to *request*, which is no stream."""
        found = self._client.respond(request)
        assert isinstance(found, Response)
        return found

    def close(self) -> None:
        """Close everything."""
        self.sessions.close()
        self._transport.close()
        self._theirs.close()
