# SPDX-License-Identifier: GPL-2.0-or-later
"""The listener's thread: accept, and give each client a thread of its own.

It never waits for a client: telling TLS from plain text, the handshake and the
greeting are the client thread's.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.threads.client import Client
from amiproxy.threads.net.dial import keep_alive
from amiproxy.threads.net.ratelimitedlog import Complaints

if TYPE_CHECKING:
    from amiproxy.access.acl import Acl
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.listener")

#: Errors of accept that mean: not now, and no use to try at once again.
_EXHAUSTED = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])


class Listener:
    """Accepts clients on one listening socket."""

    def __init__(
        self,
        context: ProxyContext,
        web_sessions: WebSessions,
        sock: socket.socket,
        acl: Acl,
    ) -> None:
        self._context = context
        self._web_sessions = web_sessions
        self._sock = sock
        self.acl = acl
        self._complaints = Complaints(log)
        # Given up for a moment when descriptors run out, so that whoever waits
        # in the queue can be taken and told no by a close.
        self._reserve = os.open(os.devnull, os.O_RDONLY)
        self._thread = threading.Thread(target=self.run, name="listener", daemon=True)

    def start(self) -> None:
        """Start to accept."""
        self._sock.setblocking(True)
        # What is set here every accepted connection inherits (Linux, tcp(7)).
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(self._sock, 60)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more."""
        # shutdown() wakes a thread that waits in accept(); close() does not.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(1.0)
        self._sock.close()
        with contextlib.suppress(OSError):
            os.close(self._reserve)

    def run(self) -> None:
        """Accept until stopped."""
        while not self._context.stopping.is_set():
            try:
                sock, address = self._sock.accept()
            except OSError as error:
                if self._context.stopping.is_set() or error.errno in (errno.EBADF, errno.EINVAL):
                    return
                self._complaints.log("Accept returned -1: %s", error.strerror)
                if error.errno in _EXHAUSTED:
                    self._turn_away()
                continue
            try:
                self._admit(sock, str(address[0]), int(address[1]))
            except (OSError, RuntimeError, MemoryError) as error:
                # No descriptor, no thread: this client goes, the others stay.
                self._complaints.log("client %s turned away: %s", address[0], error)
                sock.close()

    def _turn_away(self) -> None:
        """Close one connection that there is no descriptor for."""
        if self._reserve >= 0:
            os.close(self._reserve)
        try:
            self._sock.settimeout(0)
            with contextlib.suppress(OSError):
                self._sock.accept()[0].close()
        finally:
            with contextlib.suppress(OSError):
                self._sock.settimeout(None)
            try:
                self._reserve = os.open(os.devnull, os.O_RDONLY)
            except OSError:
                self._reserve = -1  # somebody was quicker; next time, perhaps
        # Descriptors come back when clients leave, not by asking again at once.
        time.sleep(0.05)

    def _admit(self, sock: socket.socket, address: str, port: int) -> None:
        context = self._context
        address = plain_address(address)
        slot: Slot | str = "address not permitted"
        if self.acl.allows(address) and context.users.general.acl.allows(address):
            slot = context.admission.enter(address, guarded=context.guarded)
        if isinstance(slot, str):
            self._complaints.log("Connection from %s refused: %s", address, slot)
            sock.close()
            return
        log.info("Connection received from %s", address)
        try:
            client = Client(context, self._web_sessions, sock, address, port, slot)
            thread = threading.Thread(
                target=client.run, name=f"client-{address}:{port}", daemon=True
            )
            thread.start()
        except BaseException:
            context.admission.leave(slot)
            raise


def plain_address(address: str) -> str:
    """Return an IPv4 address that a dual-stack socket shows as IPv6 in its usual form."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address
