# SPDX-License-Identifier: GPL-2.0-or-later
"""The listener's thread: accept, and give each client a thread of its own.

It never waits for a client: the client's own thread tells TLS from plain text, does
the handshake and sends the greeting.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import resource
import select
import socket
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.threads.client import Client, address_problem
from amiproxy.threads.net.dial import keep_alive
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.plainsocket import close_quietly
from amiproxy.threads.net.sharing import open_up
from amiproxy.threads.net.traffic import plain_address
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.net.unixlistening import peer_of
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.sessions.tallies import Tallied

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.net.door import Door
    from amiproxy.threads.net.flusher import Flusher
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.listener")

#: Errors of accept that will not pass by trying again at once.
_EXHAUSTED = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])

#: Errors of accept after which the next client can be accepted (accept(2)).
_PASSING = _EXHAUSTED | {
    errno.ECONNABORTED,
    errno.EPERM,
    errno.EPROTO,
    errno.ETIMEDOUT,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
}

#: Descriptors that no client gets, and one more for each server: to connect to a server, to
#: look up its name and to read files must be possible always.
_KEPT = 8

#: Between two looks whether the servers are there, in seconds.
_LOOK_INTERVAL = 0.01

#: Pause after a client was turned away for want of descriptors, in seconds.
_EXHAUSTED_PAUSE = 0.05


def _open_reserve() -> int:
    return os.open(os.devnull, os.O_RDONLY)


class Listener:
    """Accepts clients on the listening socket of *door*, from addresses that may connect.

    Others may listen on the same socket later: it is never shut down, nor closed here.
    *open_reserve* opens a descriptor that is of no use but to be closed.
    """

    def __init__(
        self,
        context: ProxyContext,
        web_sessions: WebSessions,
        flusher: Flusher,
        door: Door,
        *,
        open_reserve: Callable[[], int] = _open_reserve,
    ) -> None:
        self._context = context
        self._web_sessions = web_sessions
        self._flusher = flusher
        self._sock = door.sock
        #: Where it listens; for the thread of a SIGHUP, which may put another spec into it.
        self.door = door
        self._stopped = False
        #: Whether another process gets those whose connection begins now (net/sharing.py).
        self.leaves = False
        # Given up for a moment when descriptors run out, so that a client in the
        # kernel's queue can be accepted and closed, instead of waiting there.
        self._open_reserve = open_reserve
        self._reserve = open_reserve()
        # What wakes the thread that waits for clients: shutdown() of the socket would end it for
        # whoever else has it, and close() wakes nobody.
        self._woken, self._waker = os.pipe()
        self._poll = select.poll()
        self.busy_since = 0.0  # for the watchdog
        self._thread = WatchedThread(f"listener-{door.spec.name}", self.run, self)

    def start(self, deadline: Deadline) -> None:
        """Start to accept when the servers are there, at *deadline* at the latest."""
        self._deadline = deadline
        # Another process may be faster: accept must not wait, or nothing would wake it.
        self._sock.setblocking(False)
        self._poll.register(self._sock, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        if not self.door.spec.path:
            # What is set here every accepted connection inherits (Linux, tcp(7)).
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(self._sock, 60)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more; the socket stays open, and who connects waits in its queue."""
        self._stopped = True
        with contextlib.suppress(OSError):
            os.write(self._waker, b"!")
        self._thread.join(1.0)
        if self._thread.is_alive():
            return  # a bug: what it may use must not become something else
        for each in (self._reserve, self._woken, self._waker):
            with contextlib.suppress(OSError):
                os.close(each)

    def run(self) -> None:
        """Accept until stopped."""
        self._await_servers()
        endless(f"listener-{self.door.spec.name}", self._accept)

    def _await_servers(self) -> None:
        """Wait until each server is connected, or has been tried in vain, or the deadline."""
        context = self._context
        while not (self._deadline.over or self._stopped or context.stopping.is_set()):
            servers = context.router.servers
            if all(each.connected or each.tried or each.given_up for each in servers):
                return
            time.sleep(_LOOK_INTERVAL)

    def _accept(self) -> bool:
        """Let in the next client, or turn it away; return False once stopped."""
        self.busy_since = 0.0
        if self._stopped or self._context.stopping.is_set():
            return False
        try:
            sock, name = self._sock.accept()
        except BlockingIOError:
            self._poll.poll()
            return True
        except OSError as error:
            log.warning("Accept returned -1: %s", error.strerror)
            if error.errno not in _PASSING:
                raise
            if error.errno in _EXHAUSTED:
                self._turn_away()
            return True
        self.busy_since = time.monotonic()
        if self.leaves:
            open_up(sock)
        # Of a Unix socket's client the name is empty.
        address, port = (plain_address(name[0]), name[1]) if name else peer_of(sock)
        try:
            self._admit(sock, address, port, self.door.spec)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stay open
            # No descriptor, no thread, no memory: this client goes, the others stay.
            close_quietly(sock)
            text = str(error) or type(error).__name__
            log.warning("client %s turned away: %s", address, text, extra={"address": address})
        return True

    def _most_descriptors(self) -> float:
        """Return how many descriptors may be in use with a new client's.

        The system gives the lowest that is free: those above are.
        """
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit == resource.RLIM_INFINITY:
            return math.inf
        return limit - min(_KEPT + len(self._context.router.servers), limit // 4)

    def _turn_away(self) -> None:
        """Close one connection that there is no descriptor for."""
        if self._reserve >= 0:
            os.close(self._reserve)
        try:
            with contextlib.suppress(OSError):
                self._sock.accept()[0].close()
        finally:
            try:
                self._reserve = self._open_reserve()
            except OSError:
                self._reserve = -1  # another thread took it; it may work the next time
        # Descriptors come back when clients leave.
        time.sleep(_EXHAUSTED_PAUSE)

    def _admit(self, sock: socket.socket, address: str, port: int, spec: ListenerSpec) -> None:
        """Give the client at *address* a thread; *spec* holds for it as long as it stays."""
        context = self._context
        extra = {"address": address}  # for the limit of log lines
        slot: Slot | str
        if sock.fileno() >= self._most_descriptors():
            slot = "the last descriptors are for servers and files"
        elif spec.proxy_protocol is not None and spec.proxy_protocol.allows(address):
            # Clients come through it: a header says where from.
            slot = context.admission.expect()
        else:
            slot = address_problem(context, spec, address) or context.admission.enter(
                address, guarded=spec.guarded
            )
        if isinstance(slot, str):
            log.warning("Connection from %s refused: %s", address, slot, extra=extra)
            context.tallies.note(Tallied.REFUSED, spec.name)
            close_quietly(sock)
            return
        slot.listener = spec.name
        if slot.network:  # else its client's thread says so, once it knows where from
            context.tallies.note(Tallied.CONNECTION, spec.name)
            log.log(context.connect_level, "Connection received from %s", address, extra=extra)
        try:
            transport = Transport(
                sock,
                f"client {address}:{port}",
                flusher=self._flusher,
                write_timeout=context.config.client_write_timeout,
                max_backlog=context.config.client_backlog,
            )
            client = Client(context, self._web_sessions, transport, address, slot, spec)
            name = f"client-{address}:{port}"
            look = transport.check_reading
            WatchedThread(
                name, client.run, transport, essential=False, waits=True, look=look
            ).start()
        except BaseException:
            context.admission.leave(slot)
            raise
