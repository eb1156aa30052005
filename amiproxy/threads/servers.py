# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers: starts, adds, reloads, drops and stops the threads of all Asterisks."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Callable, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from amiproxy.basics.deadline import Deadline
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.router import Router


log = logging.getLogger("amiproxy.servers")

#: How many servers clients may add, and how many of those they have dropped may still connect:
#: nothing can end that earlier.
MOST_ADDED = 256
MOST_LEAVING = 32


class Server(Protocol):
    """The thread of one Asterisk; see AsteriskServer."""

    link: AsteriskLink

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""

    def configure(self, config: Config) -> None:
        """Take the limits of *config*."""

    def reconnect(self, reason: str) -> None:
        """Log off, and connect anew at once; actions wait meanwhile.  Never waits."""

    def refuse_overdue(self) -> None:
        """Answer the actions that take too long, or have waited for too long.  Never waits."""

    def try_now(self) -> None:
        """End the pause before the next try to connect, if there is one.  Never waits."""

    def start(self) -> None:
        """Start the thread; where there can be none now, ask again.  Never raises."""

    def stop(self, reason: str, told: str = "") -> None:
        """Log off and let the thread end, which clients are *told*, "": not.  Never waits."""

    def join(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for the thread to end."""


#: Makes a server that is not started yet; its third argument is its IP address, "" if unknown.
MakeServer = Callable[["ServerSpec", "Config", str], Server]


class Servers:
    """Every server of the file, and those that AddServer added.

    The main thread starts, reloads and stops; clients' threads add and drop.  The
    router has their links, in the same order.
    """

    def __init__(self, config: Config, router: Router, make: MakeServer) -> None:
        self._config = config
        self._router = router
        self._make = make
        # Guards _servers, _added, _learnt, _leaving, _stopped and _config: servers are started,
        # added, dropped and stopped one after the other.  Held while threads are started, never
        # while one is joined: join takes the tuple as it stands.
        self._lock = threading.Lock()
        self._servers: tuple[Server, ...] = ()
        self._added: tuple[ServerSpec, ...] = ()  # by AddServer: a reload keeps them
        self._learnt: tuple[ServerSpec, ...] = ()  # of other proxies of the cluster
        self._leaving: list[Server] = []  # dropped by clients
        self._stopped = False

    def start(self) -> None:
        """Connect to every server of the file."""
        with self._lock:
            # Two users at one Asterisk are two connections, as the file says.
            self._replace([self._make(spec, self._config, "") for spec in self._config.servers])
            for server in self._servers:
                server.start()

    def reload(self, config: Config) -> None:
        """Keep the servers that *config* names or AddServer added, stop the others.

        New ones are connected, those that were given up are tried again, and those that wait for
        their next try are tried now.
        """
        with self._lock:
            if self._stopped:
                return  # a file that was read for long
            self._config = config
            there = list(self._servers)
            kept: list[Server] = []
            fresh: list[Server] = []
            own = {spec.scope for spec in (*config.servers, *self._added)}
            self._learnt = tuple(spec for spec in self._learnt if spec.scope not in own)
            for spec in (*config.servers, *self._added, *self._learnt):
                same = next(
                    (one for one in there if one.link.spec == spec and not one.link.given_up), None
                )
                if same is None:
                    same = self._anew(
                        spec, next((one for one in there if one.link.spec == spec), None)
                    )
                    fresh.append(same)
                else:
                    there.remove(same)
                    same.configure(config)
                    same.try_now()
                kept.append(same)
            self._replace(kept)
            for server in there:
                server.stop("no longer configured", told="no longer configured")
            for server in fresh:
                server.start()

    def stop(self, reason: str) -> None:
        """Log off from every server, and add none any more.  Never waits."""
        with self._lock:
            self._stopped = True
            for server in self._servers:
                server.stop(reason)

    def revive(self) -> None:
        """Start the threads that could not be started so far; end waits that last too long."""
        # Never waits: it may be asked again.
        if self._lock.acquire(blocking=False):
            try:
                for server in self._servers:
                    server.start()
            finally:
                self._lock.release()
        for server in self._servers:
            server.refuse_overdue()

    def join(self, deadline: Deadline) -> None:
        """Wait until *deadline* for the threads of stopped servers to end."""
        for server in self._servers:
            # One that is just connecting has no Logoff to send.
            if server.link.has_connection:
                server.join(deadline.left())

    def add_server(self, spec: ServerSpec) -> bool:
        """Add a server at the end; return False if it is there or has no address.

        Nor is it added if what it is called could mean another one.

        One that is there and waits for its next try is tried now.
        """
        try:
            found = socket.getaddrinfo(spec.host, spec.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, LookupError):  # LookupError: no codec for such a name
            return False
        with self._lock:
            if self._stopped or self._are_too_many():
                return False
            server = self._make(spec, self._config, str(found[0][4][0]))
            same = [one for one in self._servers if are_same(one.link, server.link)]
            # One that was given up is re-added by this (spec section 4).
            for one in same:
                if one.link.given_up:
                    server.link.record.follow(one.link.record)
                    self._remove(one)
                elif one.link.spec in self._learnt:  # of other proxies, until now
                    self._remove(one)
                    one.stop("it is added here")
            there = [one for one in same if one in self._servers]
            for one in there:
                one.try_now()
            if there or any(are_confusable(one.link, server.link) for one in self._servers):
                return False
            self._replace([*self._servers, server])
            self._added += (spec,)
            server.start()
            return True

    def learn(self, specs: Sequence[ServerSpec]) -> list[tuple[ServerSpec, str]]:
        """Have the servers of other proxies of the cluster, *specs*, and no others of that kind.

        Returns those that could be taken for one of our own, with the reason.  Never waits: it is
        asked again.
        """
        if not self._lock.acquire(blocking=False):
            return []
        try:
            return [] if self._stopped else self._learn(specs)
        finally:
            self._lock.release()

    def _learn(self, specs: Sequence[ServerSpec]) -> list[tuple[ServerSpec, str]]:
        assert self._lock.locked()
        learnt = {one.link.spec: one for one in self._servers if one.link.spec in self._learnt}
        own = [one.link for one in self._servers if one.link.spec not in learnt]
        others = [spec for spec in specs if all(spec.scope != link.scope for link in own)]
        refused = [(spec, why) for spec in others if (why := _objection(spec, own))]
        wanted = tuple(spec for spec in others if not any(spec == each for each, _ in refused))
        if wanted == self._learnt:
            return refused
        self._learnt = wanted
        made = [self._make(spec, self._config, "") for spec in wanted if spec not in learnt]
        gone = [one for spec, one in learnt.items() if spec not in wanted]
        self._replace([*(one for one in self._servers if one not in gone), *made])
        for server in gone:
            server.stop("no proxy of the cluster has it any more", told="no longer configured")
        for server in made:
            server.start()
        return refused

    def drop_server(self, name: str) -> bool:
        """Let the server called *name* go; return False if there is none, or it is not ours."""
        wanted = name.strip().lower()
        with self._lock:
            server = next((one for one in self._servers if wanted in one.link.names), None)
            if server is None or server.link.spec in self._learnt:
                return False
            self._remove(server)
            self._leaving.append(server)
        server.stop("Dropped", told="dropped")
        return True

    def reconnect(self, names: Collection[str], reason: str) -> None:
        """Connect anew to the servers called *names* in the log (``scope``), for *reason*.

        Those that were given up are tried again.
        """
        with self._lock:
            if self._stopped:
                return
            fresh = [
                self._anew(one.link.spec, one)
                if one.link.given_up and one.link.scope in names
                else one
                for one in self._servers
            ]
            made = [one for one in fresh if one not in self._servers]
            others = [one for one in self._servers if one in fresh and one.link.scope in names]
            self._replace(fresh)
            for server in made:
                server.start()
        for server in others:
            server.reconnect(reason)

    def _anew(self, spec: ServerSpec, earlier: Server | None) -> Server:
        """Make the server of *spec*; there was an *earlier* one, which has been given up."""
        server = self._make(spec, self._config, "")
        if earlier is not None:
            server.link.record.follow(earlier.link.record)
        return server

    def _are_too_many(self) -> bool:
        """Return whether clients have added too many servers, or dropped too many just now."""
        assert self._lock.locked()
        self._leaving = [server for server in self._leaving if server.is_alive]
        added, leaving = len(self._added), len(self._leaving)
        too_many = added >= MOST_ADDED or leaving >= MOST_LEAVING
        if too_many:
            log.warning("AddServer: %d are added, %d dropped ones still end", added, leaving)
        return too_many

    def _remove(self, server: Server) -> None:
        assert self._lock.locked()
        self._replace(one for one in self._servers if one is not server)
        spec = server.link.spec
        self._added = tuple(each for each in self._added if each != spec)
        self._learnt = tuple(each for each in self._learnt if each != spec)

    def _replace(self, servers: Iterable[Server]) -> None:
        """Make *servers* all there are, in that order."""
        assert self._lock.locked()
        self._servers = tuple(servers)
        self._router.servers = tuple(server.link for server in self._servers)


def are_same(one: AsteriskLink, other: AsteriskLink) -> bool:
    """Return whether they have the same name, or lead to the same port of the same host or address.

    Where both have names, these tell them apart.
    """
    if one.spec.name and other.spec.name:
        return one.spec.name == other.spec.name
    return one.spec.port == other.spec.port and (
        one.host == other.host or bool(one.address and one.address == other.address)
    )


def are_confusable(one: AsteriskLink, other: AsteriskLink) -> bool:
    """Return whether the name of the one is what the other may be called as well."""
    return one.spec.name in other.names or other.spec.name in one.names


def _objection(spec: ServerSpec, own: Sequence[AsteriskLink]) -> str:
    """Return why the server *spec* of another proxy cannot be beside our *own*, "" if it can."""
    for link in own:
        if spec.port == link.spec.port and spec.host in (link.host, link.address):
            return f"here it is called {link.scope}; give it the same name= everywhere"
        if spec.name in link.names or link.spec.name in spec.names_at():
            return f"it could be taken for {link.scope}; give one of them another name="
    return ""
