# SPDX-License-Identifier: GPL-2.0-or-later
"""The listener's thread goes on accepting, whatever the kernel says."""

from __future__ import annotations

import errno
import os
import socket
import threading
from types import SimpleNamespace

from amiproxy.access.acl import acl_of
from amiproxy.threads.listener import Listener
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.web.sessions import WebSessions

NOBODY = acl_of(["deny = 0.0.0.0/0.0.0.0"])


class Exhausted(socket.socket):
    """A listening socket that finds no descriptor for the next *failures* calls."""

    failures = 0

    def accept(self):
        """Accept, or fail as a process without descriptors does."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_it_survives_that_its_reserve_descriptor_is_gone(monkeypatch):
    """Another thread may take the one it frees: it tries again, and ended its thread once."""
    sock = Exhausted(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(16)
    sock.failures = 6  # each time it is tried twice
    context = SimpleNamespace(stopping=threading.Event())
    listener = Listener(context, WebSessions(SessionRegistry()), sock, NOBODY)
    opens = iter([OSError(errno.EMFILE, "Too many open files")] * 2)
    really = os.open

    def scarce(path, flags, *mode):
        if path == os.devnull:
            for error in opens:
                raise error
        return really(path, flags, *mode)

    monkeypatch.setattr("amiproxy.threads.listener.os.open", scarce)
    listener.start()
    try:
        with socket.create_connection(sock.getsockname(), 10) as client:
            # Turned away, and not by a dead thread.
            assert client.recv(1) == b""
    finally:
        context.stopping.set()
        listener.stop()
