# SPDX-License-Identifier: GPL-2.0-or-later
"""Connecting to an Asterisk: addresses, time limits, TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import PeerGone
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.net.dial import connect, keep_alive
from tests.support import free_port

if TYPE_CHECKING:
    from amiproxy.threads.net.flusher import Flusher


def spec(port: int, host: str = "127.0.0.1", *, tls: bool = False) -> ServerSpec:
    return ServerSpec(host, port, "ann", "secret", "on", tls)


def fail(address: str) -> None:
    """Be told of an address that there must not be."""
    raise AssertionError(address)


def test_it_connects_and_tells_the_address(flusher: Flusher) -> None:
    """A name leads to an address, which ListServers shows."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found: list[str] = []
        transport = connect(spec(port, "localhost"), Config(), found.append, flusher=flusher)
        with server.accept()[0] as far:
            far.sendall(b"hello")
            assert transport.recv(timeout=10) == b"hello"
        transport.close()
    assert found == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "error"),
    [("127.0.0.1", "cannot connect: "), ("no.such.host.invalid", "cannot resolve no.such"),
     ("x" * 300, "cannot resolve x")],
)  # fmt: skip
def test_failures_are_told_in_words(flusher: Flusher, host: str, error: str) -> None:
    """Nobody listens, no such name, no name at all."""
    with pytest.raises(PeerGone, match=error):
        connect(spec(free_port(), host), Config(), fail, flusher=flusher)


def test_a_server_that_speaks_no_tls_is_left_in_time(flusher: Flusher) -> None:
    """It accepts and says nothing: the handshake has the time limit of the connection.

    Its address is known by then, and DropServer finds it by that.
    """
    found: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = spec(server.getsockname()[1], tls=True)
        with pytest.raises(PeerGone, match="no TLS handshake within"):
            connect(there, Config(connect_timeout=0.1), found.append, flusher=flusher)
    assert found == ["127.0.0.1"]


def test_an_authority_file_that_is_gone_is_a_failure_of_the_connection(flusher: Flusher) -> None:
    """It was there at the start; the server is tried again later."""
    settings: dict[str, Any] = {"ssl_verify": True, "ssl_ca_file": "/nonexistent"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = spec(server.getsockname()[1], tls=True)
        with pytest.raises(PeerGone, match="sslcafile /nonexistent: No such file"):
            connect(there, Config(**settings), lambda _address: None, flusher=flusher)


def test_a_silent_connection_is_probed_by_the_kernel() -> None:
    """However long the keepalive of the file is."""
    with socket.socket() as sock:
        keep_alive(sock, 1_000_000)

        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 32767
