# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS client that sends one KeyUpdate after the other: OpenSSL reads and comes to no data."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import itertools
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import PeerError
from amiproxy.threads.net.transport import Transport
from tests.system.peers import certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amiproxy.threads.net.flusher import Flusher

_NOT_REQUESTED = 0  # SSL_KEY_UPDATE_NOT_REQUESTED

# KeyUpdates that have come before they are read, a megabyte: OpenSSL takes all of them in
# one call, which lasts longer than it may here, however busy the machine.
_READY = 40_000
_LONGEST = 0.2  # seconds


class Updater:
    """A client by OpenSSL itself: Python's module cannot send a KeyUpdate."""

    def __init__(self, sock: socket.socket) -> None:
        name = ctypes.util.find_library("ssl")
        if name is None or not hasattr(ctypes.CDLL(name), "SSL_key_update"):
            pytest.skip("no OpenSSL with TLS 1.3")
        self._ssl = ctypes.CDLL(name)
        for function in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(self._ssl, function).restype = ctypes.c_void_p
        method = ctypes.c_void_p(self._ssl.TLS_client_method())
        context = ctypes.c_void_p(self._ssl.SSL_CTX_new(method))
        self._session = ctypes.c_void_p(self._ssl.SSL_new(context))
        sock.settimeout(None)
        self._ssl.SSL_set_fd(self._session, sock.fileno())

    def connect(self) -> None:
        """Do the handshake."""
        assert self._ssl.SSL_connect(self._session) == 1

    def update(self) -> bool:
        """Send a KeyUpdate; return whether it has gone."""
        self._ssl.SSL_key_update(self._session, _NOT_REQUESTED)
        return bool(self._ssl.SSL_do_handshake(self._session) == 1)


@pytest.fixture
def flooded(flusher: Flusher, tmp_path: Path) -> Iterator[Transport]:
    """A transport to which KeyUpdates have come, and go on coming as fast as they can be made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    transport = Transport(ours, "peer", flusher=flusher, write_timeout=60.0, max_backlog=1 << 20)
    client = Updater(theirs)
    over, ready = threading.Event(), threading.Event()

    def flood() -> None:
        client.connect()
        for number in itertools.count(1):
            if over.is_set() or not client.update():
                return
            if number == _READY:
                ready.set()

    thread = threading.Thread(target=flood)
    thread.start()
    transport.start_tls(context, server_side=True, timeout=10.0)
    assert ready.wait(60)
    yield transport
    over.set()
    with contextlib.suppress(OSError):  # it may have been ended already
        theirs.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    theirs.close()
    transport.close()


def test_nobody_waits_who_sends_to_it_and_it_is_let_go(
    flooded: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is free all the time; when it has been reading for long, its session ends."""
    monkeypatch.setattr("amiproxy.threads.net.tlssocket._LONGEST", _LONGEST)
    why: list[str] = []

    def own() -> None:
        try:
            flooded.recv()
        except PeerError as error:
            why.append(str(error))

    owner = threading.Thread(target=own)
    owner.start()
    sent = 0
    while owner.is_alive():
        with flooded.lock:
            flooded.send(b".")
        sent += 1
        flooded.check_reading()
        time.sleep(0.0005)

    assert sent > 10
    assert why == ["peer sends TLS records without data"]
