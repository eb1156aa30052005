# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxy: makes all objects, starts the threads, reloads and stops them."""

from __future__ import annotations

import functools
import importlib
import logging
import math
import threading
import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.settings.listeners import format_problems, listeners
from amiproxy.threads import routes
from amiproxy.threads.actions.local import LOCAL_ACTIONS
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.asterisk import AsteriskServer
from amiproxy.threads.listener import Listener
from amiproxy.threads.listeners import Listeners
from amiproxy.threads.net.dial import connect
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.starting import StartingThread
from amiproxy.threads.servers import Servers
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.share import Alone
from amiproxy.threads.supervisor import Supervisor
from amiproxy.threads.watchdog import Watchdog
from amiproxy.threads.web import revocation
from amiproxy.threads.web.sessions import WebSessions

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from amiproxy.access.user import Users
    from amiproxy.formats import Format
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.bus.bus import Bus
    from amiproxy.threads.net.door import Door

log = logging.getLogger("amiproxy.proxy")

#: Bytes of stack of each thread.  Only pages in use cost memory, but ten thousand
#: clients are ten thousand stacks.
STACK_SIZE = 512 * 1024

#: How long a stop may take, whatever peers do, in seconds (spec section 9).
STOP_TIME = 4.0

#: How long, of that, who has not finished may take for the last words, in seconds.
_LAST_WORDS = 1.0

#: What takes part in a cluster.
_BUS = "amiproxy.threads.bus.bus"

#: How long clients wait for servers, where they may have come before the proxy; in seconds.
_MOMENT = 1.0

#: How long clients wait until this proxy knows its cluster, and then for its servers; in seconds.
#: Who comes back to an edge that has just begun can go on only where it knows the servers.
_JOINING = 3.0

#: How long threads of clients that were heard of late may find out by themselves that the proxy
#: stops, and what "of late" is; in seconds.
_BUSY, _OF_LATE = 0.05, 2.0


class Proxy:
    """The whole program but its command line.

    The main thread calls ``start`` and ``stop``, the thread of a SIGHUP ``reload``.
    """

    def __init__(
        self,
        config: Config,
        users: Users,
        formats: Mapping[str, Format],
        doors: Iterable[Door],
        tls: ssl.SSLContext | None,
        supervisor: Supervisor | None = None,
    ) -> None:
        """Make a proxy that will accept clients at *doors*.

        No thread and no connection is made before ``start``.
        """
        self.router = Router(SessionRegistry())
        self.router.keeps_calls = _needs_calls(users)
        self._flusher = Flusher()
        self._servers = Servers(config, self.router, self._make_server)
        self.context = ProxyContext(config, users, formats, tls, self.router, self._servers)
        self.context.resource_at = routes.find
        # Nothing of it is imported, unless there is one.
        self._bus: Bus | None = None
        if config.bus:
            module = importlib.import_module(_BUS)
            clients, local = self.context.admission, {*LOGIN_ACTIONS, *LOCAL_ACTIONS}
            self._bus = module.Bus(config, self.router, lambda: clients.clients, local)
            self._bus.reach_across(self.context)
            self._bus.learn_servers(self._servers.learn)
        self.context.bus = self._bus
        self._web_sessions = WebSessions(self.context.registry)
        self._watchdog = Watchdog(self._tend, supervisor or Supervisor(), self._describe)
        self.context.hanging = self._watchdog.hanging
        make = functools.partial(Listener, self.context, self._web_sessions, self._flusher)
        self._listeners = Listeners(doors, make)
        self.context.listening = self._listeners.specs

    def start(self, *, waits: bool = False) -> None:
        """Connect to every server and accept clients.

        *waits*: they may wait already, since the proxy was restarted; they go on waiting until
        their servers are there, for a moment.
        """
        threading.stack_size(STACK_SIZE)
        self._flusher.start()
        if self._bus is not None:
            self._bus.start()
        self._servers.start()
        if self._bus is not None:
            self._bus.settle(Deadline(_JOINING))
        moment = _JOINING if self._bus is not None else _MOMENT if waits else 0.0
        self._listeners.start(Deadline(moment))
        self._watchdog.start()
        log.info("Proxy Started: Listening for connections")

    @property
    def doors(self) -> list[Door]:
        """Where clients are accepted, for who comes next."""
        return self._listeners.doors

    def reload(self, config: Config, users: Users, tls: ssl.SSLContext | None) -> list[str]:
        """Take over the files that SIGHUP has read anew (astmanproxy.py); sessions stay.

        Servers no longer named are dropped, new ones are connected, and those that
        were given up are tried again.  So are listeners; returns what could not be done.
        """
        # First, and never off again: connected clients keep the filters they have.
        if _needs_calls(users):
            self.router.keeps_calls = True
        self.context.renew(config, users, tls)
        revocation.renew(self.context)
        if self._bus is not None:
            self._bus.configure(config)
        self._servers.reload(config)
        return self._listeners.reload(listeners(config), self._objection, Deadline(0.0))

    def _objection(self, spec: ListenerSpec) -> str:
        """Return why clients of *spec* could not be served, "" if they can."""
        if not (spec.plain or spec.encrypted):
            return (
                f"{spec.place}listen: TLS needs a certfile, and the one that is named now takes"
                " effect at the next start (astmanproxy --control restart)"
            )
        return next(format_problems([spec], self.context.formats), "")

    @property
    def stop_time(self) -> float:
        """How long ``stop`` may take, in seconds."""
        return max(STOP_TIME, self.context.drain_seconds + _LAST_WORDS)

    def stop(self, *, keep_sockets: bool = False) -> None:
        """Let clients have what is left for them, tell all peers, and end all threads.

        It takes STOP_TIME seconds at most, or as much longer as ``drainseconds`` wants.
        *keep_sockets*: those that clients connect to stay open, for who comes next.
        """
        drain = self.context.drain_seconds
        deadline = Deadline(self.stop_time)
        stop = functools.partial(self._stop, drain, deadline, keep_sockets=keep_sockets)
        # In a thread of its own: one that hangs may hold a lock.
        stopping = StartingThread("stop", stop)
        try:
            stopping.start()
        except (RuntimeError, MemoryError):
            stop()
            return
        stopping.join(deadline.left() + 0.5)
        if stopping.is_alive():
            log.error("A thread hangs: the proxy ends without it")

    def _stop(self, drain: float, deadline: Deadline, *, keep_sockets: bool) -> None:
        context = self.context
        if not keep_sockets:
            self._listeners.leave()
        context.leave_by, context.restarts = Deadline(drain), keep_sockets
        context.stopping.set()
        self._listeners.stop(keep_sockets=keep_sockets)
        self._drain(context.leave_by)
        context.leave_by = Deadline(_LAST_WORDS)
        for session in context.registry.snapshot():
            session.farewell(replies.SHUTTING_DOWN, "Shutdown, closed client")
        self.router.web_quota.close()
        self._web_sessions.close()
        self._servers.stop("Shutdown, closed server")
        self._servers.join(deadline)
        if self._bus is not None:
            self._bus.stop(deadline)
        self._wait_until_empty(deadline)
        left = context.admission.clients
        if left:
            log.warning("%d clients did not leave in time", left)
        self._flusher.stop()
        self._watchdog.stop()

    def _drain(self, deadline: Deadline) -> None:
        """Let clients finish: answers come that are under way, and what was sent is taken.

        Each is told, and leaves, when nothing is left for it.
        """
        # Who sent something of late may do so again: its thread finds out between two reads.  To
        # wake a thread ends its input for good (SHUT_RD), and what comes later would reset the
        # connection.
        for heard, seconds in ((time.monotonic() - _OF_LATE, _BUSY), (math.inf, math.inf)):
            if deadline.over:
                return
            for session in self.context.registry.snapshot():
                session.drain(heard)
            self._wait_until_empty(Deadline(min(seconds, deadline.left())))

    def _wait_until_empty(self, deadline: Deadline) -> None:
        """Wait until there is no client, or *deadline*."""
        while not self.context.admission.is_empty and not deadline.over:
            time.sleep(0.01)

    def _tend(self) -> None:
        """See to the servers.  Once a second, in the watchdog's thread; never waits."""
        self._servers.revive()
        if self._bus is not None:
            self._bus.tend()

    def _describe(self) -> str:
        """Return in one line how it is: for "systemctl status"."""
        servers = self.router.servers
        connected = sum(link.connected for link in servers)
        told = f"{connected} of {len(servers)} servers" if servers else "no Asterisk is configured"
        return f"{told}, {self.context.admission.clients} clients"

    def _make_server(self, spec: ServerSpec, config: Config, address: str) -> AsteriskServer:
        connect_ = functools.partial(connect, flusher=self._flusher)
        ids, router = self.router.ids, self.router
        shared = None if self._bus is None else self._bus.share(spec, address)
        share = shared or Alone(spec, ids, router, address)
        return AsteriskServer(config, ids, router, share, connect=connect_)


def import_parts(config: Config, formats: Mapping[str, Format]) -> None:
    """Import what only some need, and what may be missing: the user that it becomes may not.

    Raises:
        ConfigError: it is not there.

    """
    routes.import_needs(listeners(config), formats)
    if config.bus:
        importlib.import_module(_BUS)


def _needs_calls(users: Users) -> bool:
    """Return whether some user may begin to see a call when it is under way."""
    return any(user.channel or user.in_context for user in users.values())
