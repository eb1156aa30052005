# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxy: builds all of it, starts the threads, reloads and stops them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.access.acl import acl_of
from amiproxy.threads.asterisk import AsteriskServer
from amiproxy.threads.listener import Listener
from amiproxy.threads.net.flusher import FLUSHER
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.web.sessions import WebSessions

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from amiproxy.access.user import Users
    from amiproxy.formats import Format
    from amiproxy.settings.config import Config, ServerSpec

log = logging.getLogger("amiproxy.proxy")

#: Bytes of stack of a thread.  Only what is touched costs memory; ten thousand
#: clients are ten thousand stacks.
STACK_SIZE = 512 * 1024

#: A stop takes at most so many seconds, whatever a peer does (spec section 9).
STOP_TIME = 4.0


class Proxy:
    """The whole program but its command line.

    ``start``, ``reload`` and ``stop`` are called by the main thread.
    """

    def __init__(
        self,
        config: Config,
        users: Users,
        formats: Mapping[str, Format],
        listener: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Make a proxy that will accept clients on the bound socket *listener*.

        No thread and no connection is made before ``start``.
        """
        self.router = Router(SessionRegistry())
        self.context = ProxyContext(config, users, formats, tls, self.router, self)
        self.router.keeps_calls = _needs_calls(users)
        self._web_sessions = WebSessions(self.router.registry)
        self._listener = Listener(
            self.context, self._web_sessions, listener, acl_of(config.acl_lines)
        )
        # Guards starting, adding and dropping servers against each other and
        # against stop; held while threads are started, never while one is joined.
        self._servers_lock = threading.Lock()
        self._servers: tuple[AsteriskServer, ...] = ()  # their links are the router's
        self._added: list[ServerSpec] = []  # by AddServer: a reload keeps them

    def start(self) -> None:
        """Connect to every server and accept clients."""
        threading.stack_size(STACK_SIZE)
        FLUSHER.start()
        with self._servers_lock:
            # Two users at one Asterisk are two connections, as the file says.
            self._set_servers([self._make(spec) for spec in self.context.config.servers])
            for server in self._servers:
                server.start()
        self._listener.start()
        log.info("Proxy Started: Listening for connections")

    def reload(self, config: Config, users: Users, tls: ssl.SSLContext | None) -> None:
        """Take over files that were read anew; sessions stay.

        Servers no longer named are let go, new ones are connected, and those
        that were given up are tried again.
        """
        # First, and never off again: who is connected keeps the filters he has.
        if _needs_calls(users):
            self.router.keeps_calls = True
        self.context.renew(config, users, tls)
        self._listener.acl = acl_of(config.acl_lines)
        with self._servers_lock:
            self._match_servers(config, (*config.servers, *self._added))

    def stop(self) -> None:
        """Say goodbye to all, end all threads; takes a few seconds at most."""
        deadline = time.monotonic() + STOP_TIME
        self.context.stopping.set()
        self._listener.stop()
        for session in self.router.sessions:
            session.say(replies.SHUTTING_DOWN)
            session.end("Shutdown, closed client")
        self._web_sessions.close()
        with self._servers_lock:
            servers = self._servers
        for server in servers:
            server.stop("Shutdown, closed server")
        for server in servers:
            # One that is just connecting has nothing to say goodbye to.
            if server.link.has_connection:
                server.join(max(0.0, deadline - time.monotonic()))
        while not self.context.admission.is_empty and time.monotonic() < deadline:
            time.sleep(0.01)
        left = self.context.admission.clients
        if left:
            log.warning("%d clients did not leave in time", left)

    # -- ServerControl, for ProxyActions --------------------------------------------------------

    def add_server(self, spec: ServerSpec) -> bool:
        """Add a server at the end; False where it is there already or has no address."""
        try:
            found = socket.getaddrinfo(spec.host, spec.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, LookupError):  # LookupError: no codec for such a name
            return False
        server = self._make(spec, str(found[0][4][0]))
        with self._servers_lock:
            if self.context.stopping.is_set():
                return False
            # One that was given up is re-added by this (spec section 4).
            again = [
                there
                for there in self._servers
                if there.link.given_up and there.link.is_same_server(server.link)
            ]
            kept = [there for there in self._servers if there not in again]
            self._added = [each for each in self._added if each not in [s.link.spec for s in again]]
            self._set_servers(kept)
            if any(there.link.is_same_server(server.link) for there in kept):
                return False
            self._set_servers([*kept, server])
            self._added.append(spec)
            server.start()
            return True

    def drop_server(self, name: str) -> bool:
        """Let the server called *name* go; False where there is none."""
        with self._servers_lock:
            named = self.router.named(name)
            if not named:
                return False
            server = next(each for each in self._servers if each.link is named[0])
            self._set_servers([each for each in self._servers if each is not server])
            self._added = [spec for spec in self._added if spec != server.link.spec]
        server.stop("Dropped")
        return True

    # -- helpers ----------------------------------------------------------------------------------

    def _make(self, spec: ServerSpec, address: str = "") -> AsteriskServer:
        return AsteriskServer(spec, self.context.config, self.router.ids, self.router, address)

    def _set_servers(self, servers: Iterable[AsteriskServer]) -> None:
        """Make *servers* all there are, in that order."""
        assert self._servers_lock.locked()
        self._servers = tuple(servers)
        self.router.servers = tuple(server.link for server in self._servers)

    def _match_servers(self, config: Config, wanted: Iterable[ServerSpec]) -> None:
        """Keep the servers in *wanted*, start the new ones, stop the others."""
        there = list(self._servers)
        kept: list[AsteriskServer] = []
        fresh: list[AsteriskServer] = []
        for spec in wanted:
            same = next(
                (each for each in there if each.link.spec == spec and not each.link.given_up), None
            )
            if same is None:
                same = self._make(spec)
                fresh.append(same)
            else:
                there.remove(same)
                same.configure(config)
            kept.append(same)
        self._set_servers(kept)
        for server in there:
            server.stop("no longer configured")
        for server in fresh:
            server.start()


def _needs_calls(users: Users) -> bool:
    """Return whether some user may come to see a call only late, and needs its beginning."""
    return any(user.channel or user.in_context for user in users.values())
