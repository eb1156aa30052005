# SPDX-License-Identifier: GPL-2.0-or-later
"""Router: from Asterisk to the clients (publish), from a client to Asterisk (forward)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.routing import upstream
from amiproxy.routing.actionids import ActionIds
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from amiproxy.limits import Limits
    from amiproxy.message import Message
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.registry import SessionRegistry
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.wire.batch import Batch


class Router:
    """Routes messages between servers and clients."""

    def __init__(self, registry: SessionRegistry) -> None:
        self.registry = registry
        self.ids = ActionIds()
        #: Whether Newchannel and Newstate are kept for clients that see a call late.
        self.keeps_calls = False
        #: Every server, in the order of the file; added ones come last.  Replaced
        #: whole by the proxy; readers take the tuple as it stands.
        self.servers: tuple[AsteriskLink, ...] = ()

    def named(self, name: str) -> list[AsteriskLink]:
        """Return the servers that *name* (host, address or host:port) may mean."""
        wanted = name.strip().lower()
        return [server for server in self.servers if server.matches_name(wanted)]

    @property
    def filtering(self) -> bool:
        """Whether some client sees calls through a user's filters."""
        return self.registry.filtering

    # -- Asterisk -> clients ------------------------------------------------------------------

    def publish(self, batch: Batch) -> None:
        """Hand *batch* to every client.  Runs in a server's thread and never waits."""
        registry = self.registry
        if batch.kind is not BatchKind.ANSWERS:
            for session in registry.snapshot():
                session.deliver(batch)
            return
        # Clients with autofilter unique that asked nothing need not even be looked at.
        for number in batch.owners:
            owner = registry.find(number)
            if owner is not None:
                owner.deliver(batch)
        if not batch.wire:
            return  # all of it is private
        for session in registry.listeners():
            if session.number not in batch.owners:
                session.deliver(batch)

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: the connection to it was lost."""
        for session in self.registry.snapshot():
            session.forget(scope)

    # -- client -> Asterisk -------------------------------------------------------------------

    def forward(
        self, session: ClientSession, message: Message, limits: Limits, *, hold_back: bool
    ) -> Message | None:
        """Send *message* of *session* to its Asterisk; return an error for the client, or None.

        The caller has checked rights and filters; what Asterisk would cut or refuse is
        refused here (spec 12.17).
        """
        server = self._server_for(session, message)
        if isinstance(server, str):
            return replies.error(message, server)
        action = upstream.prepare(
            message,
            self.ids,
            session.number,
            session.mode,
            hold_back=hold_back and server.receives_call_events,
            now=time.monotonic(),
        )
        action.asker = session
        problem = upstream.problem(action.raw, limits)
        if problem is not None:
            return replies.error(message, problem)
        session.sending(action.wire_id, action.given)
        if not server.submit(action):
            return replies.error(message, f"Server {server.host} is not connected")
        return None

    def is_waiting(self, number: int) -> bool:
        """Return whether an answer for session *number* is still to come."""
        return any(server.is_waiting(number) for server in self.servers)

    def probe(self, number: int) -> None:
        """Ask the servers that owe session *number* an answer whether they are there."""
        for server in self.servers:
            if server.is_waiting(number):
                server.ping()

    def is_congested(self) -> bool:
        """Return whether an Asterisk takes actions more slowly than they come."""
        for server in self.servers:  # noqa: SIM110 - for every action: no generator
            if server.is_congested:
                return True
        return False

    def _server_for(self, session: ClientSession, message: Message) -> AsteriskLink | str:
        """Return the server for *message*, or why there is none (spec sections 5, 12.2)."""
        user = session.user
        name = (user.server if user is not None else "") or message.values.get("server")
        if name:
            for server in self.named(name):
                if server.connected:
                    return server
            return f"Server {name} is not connected"
        for server in self.servers:
            if server.connected:
                return server
        return "No Asterisk server connected"
