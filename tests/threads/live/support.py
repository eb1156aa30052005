# SPDX-License-Identifier: GPL-2.0-or-later
"""Live sessions without a program around them."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace
from typing import Any

from amiproxy.access.user import Users
from amiproxy.live.formats import WEBSOCKET
from amiproxy.live.requests import of_fields
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.wire.batch import Batch
from amiproxy.wire.framing import Chunk
from amiproxy.wire.routed import Routed
from tests.live.test_frames import read
from tests.threads.actions.support import FORMATS, Control


class House:
    """A router with servers called *names*, and clients of it."""

    def __init__(self, *names: str, backlog: int = 1 << 20) -> None:
        router = Router(SessionRegistry())
        self.context = ProxyContext(Config(), Users(), FORMATS, None, router, Control())
        self.links = [
            AsteriskLink(ServerSpec(f"192.0.2.{n}", 5038, "u", "s", name=name), ActionIds())
            for n, name in enumerate(names, 1)
        ]
        router.servers = tuple(self.links)
        self.publishers = [Publisher(link, router) for link in self.links]
        for link, publisher in zip(self.links, self.publishers):
            publisher.begin()
            link.begin_epoch()
            link.remember(1 << 20, 3600.0)
        self._flusher, self._backlog = Flusher(), backlog
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """Close all sockets."""
        for each in self._sockets:
            each.close()

    def client(self, *fields: tuple[str, str]) -> Client:
        """Return a client that has subscribed to *fields*."""
        ours, theirs = socket.socketpair()
        self._sockets += [ours, theirs]
        theirs.setblocking(False)
        transport = Transport(
            ours, "client x", flusher=self._flusher, write_timeout=5.0, max_backlog=self._backlog
        )
        visit: Any = SimpleNamespace(
            context=self.context,
            transport=transport,
            address="192.0.2.9",
            spec=SimpleNamespace(guarded=False),
        )
        client = Client(LiveSession(visit, WEBSOCKET), theirs)
        self.context.registry.add(client.session)
        client.session.open()
        wanted = of_fields(fields)
        if wanted is not None:
            Subscriber(self.context, client.session).subscribe(None, wanted)
            client.hear()
        return client

    def say(self, server: int, *names: str) -> None:
        """Have a server say events called *names*, in one batch."""
        wire = "".join(
            f"Event: {name}\r\nPrivilege: call,all\r\nServer: {self.links[server].name}\r\n\r\n"
            for name in names
        )
        self.publishers[server].publish(Chunk(wire.encode()))

    def answer(self, server: int, session: LiveSession, name: str) -> None:
        """Have a server say an event called *name*, and answer *session*, in one batch."""
        link = self.links[server]
        items = [
            Routed(Message.of(f"Event: {name}", "Privilege: call,all", f"Server: {link.name}")),
            Routed(Message.of("Response: Success"), owner=session.number, request_id="x"),
        ]
        batch = Batch.of_items(link.scope, items)
        batch.names, (batch.epoch, batch.after) = link.names, link.place
        link.place = batch.epoch, batch.upto
        self.context.router.publish(batch)


class Client:
    """A client's session, and the other end of its connection."""

    def __init__(self, session: LiveSession, sock: socket.socket) -> None:
        self.session, self._sock = session, sock

    def raw(self) -> bytes:
        """Return the bytes that have come."""
        try:
            return self._sock.recv(1 << 20)
        except BlockingIOError:
            return b""

    def hear(self) -> list[dict[str, Any]]:
        """Return the documents that have come; a close as its code."""
        found = []
        for frame in read(self.raw()):
            data = bytes(frame.data)
            if frame.opcode == 1:
                found.append(json.loads(data))
            else:
                found.append({"code": int.from_bytes(data[:2], "big")})
        return found
