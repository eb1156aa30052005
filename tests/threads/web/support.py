# SPDX-License-Identifier: GPL-2.0-or-later
"""One HTTP connection without a proxy around it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from amiproxy.access.user import Users
from amiproxy.errors import PeerError
from amiproxy.settings.config import Config
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.web.connection import WebTimes, serve
from amiproxy.threads.web.sessions import WebSessions
from tests.threads.actions.support import FORMATS, Control

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.formats import Format


class Served:
    """One connection that is served in a thread; *sock* is the client's end of it."""

    def __init__(
        self,
        formats: Mapping[str, Format] = FORMATS,
        times: WebTimes | None = None,
        *,
        most: int = 100,
        **settings: Any,
    ) -> None:
        self.context = ProxyContext(
            Config(**settings), Users(), formats, None, Router(SessionRegistry()), Control()
        )
        self.sessions = WebSessions(self.context.registry, most=most)
        ours, self.sock = socket.socketpair()
        self.sock.settimeout(10)
        self._flusher = Flusher()
        self._flusher.start()
        self._transport = Transport(
            ours, "client x", flusher=self._flusher, write_timeout=0.01, max_backlog=100000
        )
        self._times = times or WebTimes()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        make = FORMATS["http"].conversation
        assert make is not None
        conversation = make(self.context.limits)
        with contextlib.suppress(PeerError):
            serve(
                self.context,
                self.sessions,
                self._transport,
                conversation,
                "192.0.2.1",
                of_keys(self.context.config),
                mark_authenticated=lambda: None,
                times=self._times,
            )
        self._transport.close()

    def read_to_end(self) -> bytes:
        """Return all that comes until the connection is closed."""
        data = b""
        while more := self.sock.recv(65536):
            data += more
        return data

    def read_answers(self, count: int) -> bytes:
        """Return what comes until *count* answers have begun."""
        data = b""
        while data.count(b"HTTP/1.1 ") < count:
            data += self.sock.recv(65536)
        return data

    def stop(self) -> None:
        """Leave, and wait until the thread has ended."""
        self.sock.close()
        self._thread.join(10)
        self.sessions.close()
        assert not self._thread.is_alive()
        self._flusher.stop()
