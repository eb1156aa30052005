# SPDX-License-Identifier: GPL-2.0-or-later
"""One client that is served by its thread over a socket pair."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from amiproxy.access.user import Users
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.listeners import of_keys
from amiproxy.settings.usersfile import read_users
from amiproxy.threads.client import Client
from amiproxy.threads.commandloop import Times
from amiproxy.threads.sessions.admission import Slot
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.web.sessions import WebSessions
from tests.threads.actions.support import FORMATS, Control

if TYPE_CHECKING:
    import socket

    from tests.threads.conftest import MakePair

QUICK = Times(linger=10.0, farewell=5.0, poll=0.005)


class Served:
    """One client that is served in a thread; *sock* is its end."""

    def __init__(self, pair: MakePair, users: str = "", **settings: Any) -> None:
        self.router = Router(SessionRegistry(), quiet=0.01)
        self._pair = pair
        config = Config(banner="Asterisk Call Manager/1.0", **settings)
        known = read_users(users, "users")[0] if users else Users()
        self.context = ProxyContext(config, known, FORMATS, None, self.router, Control())
        transport, self.sock = pair()
        slot = self.context.admission.enter("192.0.2.1", guarded=config.guarded)
        assert isinstance(slot, Slot)
        self.slot = slot
        sessions = WebSessions(self.router.registry)
        spec = of_keys(config)
        client = Client(self.context, sessions, transport, "192.0.2.1", slot, spec, times=QUICK)
        self.thread = threading.Thread(target=client.run)

    def asterisk(self) -> tuple[AsteriskLink, socket.socket]:
        """Return the link to an Asterisk, and its end of the connection."""
        spec = ServerSpec("pbx", 5038, "u", "s")
        link = AsteriskLink(spec, self.router.ids)
        transport, theirs = self._pair()
        link.open(transport)
        link.go_live()
        self.router.servers = (link,)
        return link, theirs

    def start(self) -> Served:
        """Serve the client."""
        self.thread.start()
        return self

    def read(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        data = b""
        while len(data) < count and (more := self.sock.recv(count - len(data))):
            data += more
        return data

    def expect(self, *parts: bytes) -> None:
        """Read what must come next."""
        wanted = b"".join(parts)
        assert self.read(len(wanted)) == wanted

    def expect_end(self, *parts: bytes) -> None:
        """Read what must come last; the thread is over then, and nothing is kept."""
        data = b""
        while more := self.sock.recv(65536):
            data += more
        assert data == b"".join(parts)
        self.stop()
        assert self.context.admission.is_empty
        assert self.router.registry.snapshot() == ()

    def stop(self) -> None:
        """Leave, and wait for the thread."""
        self.sock.close()
        if self.thread.ident is not None:
            self.thread.join(10)
        assert not self.thread.is_alive()
