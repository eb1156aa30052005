# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS over a transport: handshake, records, the end, and what a failure is called."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone
from amiproxy.threads.net.parting import flush_until
from amiproxy.threads.net.tlssocket import TlsSocket
from tests.support import tls_context
from tests.system.peers import certificate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amiproxy.threads.net.transport import Transport
    from tests.threads.conftest import MakePair

    #: Returns a transport and the client's socket, both speaking TLS.
    MakeTlsPair = Callable[..., tuple[Transport, ssl.SSLSocket]]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture
def ours(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def tls_pair(pair: MakePair, ours: ssl.SSLContext) -> MakeTlsPair:
    def make(**options: object) -> tuple[Transport, ssl.SSLSocket]:
        transport, theirs = pair(**options)
        owner = threading.Thread(
            target=transport.start_tls, args=(ours,), kwargs={"server_side": True, "timeout": 10.0}
        )
        owner.start()
        client = tls_context().wrap_socket(theirs)
        owner.join(10)
        return transport, client

    return make


def test_bytes_go_both_ways(tls_pair: MakeTlsPair) -> None:
    """As over plain text, the backlog too."""
    transport, client = tls_pair()
    assert transport.tls_version.startswith("TLSv1.")
    data = bytes(range(256)) * 1000
    with transport.lock:
        transport.send(data)

    got = b""
    while len(got) < len(data):
        got += client.recv(65536)
    assert got == data
    client.sendall(b"a" * 50_000)
    buffer = memoryview(bytearray(262144))
    count = 0
    while count < 50_000:
        count += transport.recv_into(buffer, 10.0) or 0
    assert transport.recv(timeout=0.01) is None
    client.sendall(b"abc")
    assert transport.recv(timeout=10.0) == b"abc"
    client.close()
    assert transport.recv(timeout=10.0) == b""
    assert transport.recv_into(buffer, 10.0) == 0


def test_a_close_says_goodbye_in_tls(tls_pair: MakeTlsPair) -> None:
    """The client reads an end, not a cut connection."""
    transport, client = tls_pair()

    transport.close()

    assert client.recv(100) == b""
    client.close()


def test_what_comes_behind_the_goodbye_does_no_harm(tls_pair: MakeTlsPair) -> None:
    """The connection stays until the client closes too: it would be reset, and lose what it has."""
    transport, client = tls_pair()
    with transport.lock:
        transport.send(b"last")
    owner = threading.Thread(target=transport.linger, args=(Deadline(10),))
    owner.start()
    client.sendall(b"too late" * 1000)

    assert client.recv(100) == b"last"
    assert client.recv(100) == b""
    assert owner.is_alive()
    client.close()
    owner.join(10)
    assert not owner.is_alive()
    transport.close()


def test_ending_wakes_the_owner_and_what_was_said_still_goes(tls_pair: MakeTlsPair) -> None:
    """No alert is sent for our own shutdown."""
    transport, client = tls_pair()
    ended: list[str] = []

    def own() -> None:
        try:
            transport.recv()
        except PeerGone as error:
            ended.append(str(error))
        flush_until(transport, Deadline(10))
        transport.close()

    owner = threading.Thread(target=own)
    owner.start()
    with transport.lock:
        transport.send(b"bye")
    transport.finish("stopping")
    owner.join(10)

    assert ended == ["stopping"]
    assert client.recv(100) == b"bye"
    assert client.recv(100) == b""
    client.close()


def start(transport: Transport, context: ssl.SSLContext, timeout: float = 10.0) -> None:
    transport.start_tls(context, server_side=True, timeout=timeout)


def test_a_handshake_has_a_time_limit(pair: MakePair, ours: ssl.SSLContext) -> None:
    """A client that says nothing is left."""
    transport, _theirs = pair()

    with pytest.raises(PeerGone, match="no TLS handshake within"):
        start(transport, ours, timeout=0.02)


def test_what_speaks_no_tls_is_told(pair: MakePair, ours: ssl.SSLContext) -> None:
    """In words, not in OpenSSL's."""
    transport, theirs = pair()
    theirs.sendall(b"Action: Ping\r\n\r\n" * 10)

    with pytest.raises(PeerGone, match="peer: TLS handshake: "):
        start(transport, ours)


def test_a_certificate_that_is_not_accepted_is_told(pair: MakePair, ours: ssl.SSLContext) -> None:
    """With OpenSSL's reason."""
    transport, theirs = pair()

    def serve() -> None:
        with contextlib.suppress(OSError):
            ours.wrap_socket(theirs, server_side=True).recv(1)

    server = threading.Thread(target=serve)
    server.start()
    with pytest.raises(PeerGone, match="TLS handshake: certificate not accepted: self"):
        transport.start_tls(
            ssl.create_default_context(), server_side=False, timeout=10.0, server_hostname="x"
        )
    transport.close()
    server.join(10)


@pytest.mark.parametrize("when", ["before", "during"])
def test_the_session_may_be_ended_during_the_handshake(
    pair: MakePair, ours: ssl.SSLContext, when: str
) -> None:
    """The owner wakes up and finds why."""
    transport, theirs = pair()
    if when == "before":
        transport.finish("no more")
    else:
        theirs.sendall(b"\x16\x03\x01")
        threading.Thread(target=transport.finish, args=("no more",)).start()

    with pytest.raises(PeerGone, match="no more"):
        start(transport, ours)


def test_a_socket_that_is_gone_cannot_start_tls(pair: MakePair, ours: ssl.SSLContext) -> None:
    """Told like any other failure."""
    transport, theirs = pair()
    theirs.shutdown(socket.SHUT_RDWR)
    theirs.close()

    with pytest.raises(PeerGone, match="peer: TLS"):
        start(transport, ours)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("EE_KEY_TOO_SMALL", "its certificate's key is too short for this system's OpenSSL"),
        ("UNSUPPORTED_PROTOCOL", "the other side speaks no TLS 1.2 or later"),
        ("TLSV1_ALERT_UNKNOWN_CA", "tlsv1 alert unknown ca"),
    ],
)
def test_what_openssl_refuses_is_told_in_words(reason: str, words: str) -> None:
    """An Asterisk of the day of the C program has such a key."""
    error = ssl.SSLError(1, "...")
    error.reason = reason

    assert TlsSocket.reason(error) == words
