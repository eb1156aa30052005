# SPDX-License-Identifier: GPL-2.0-or-later
"""Connecting to an Asterisk: addresses, time limits, TLS."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import PeerGone
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.net.broken import left
from amiproxy.threads.net.dial import Route, connect, keep_alive, watch_host
from amiproxy.threads.net.race import resolve
from tests.support import free_port
from tests.unreachable import name, swallowing

if TYPE_CHECKING:
    from amiproxy.threads.net.flusher import Flusher
    from amiproxy.threads.net.race import Place


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
        transport = connect(spec(port, "localhost"), Config(), Route(found.append), flusher=flusher)
        with server.accept()[0] as far:
            far.sendall(b"hello")
            assert transport.recv(timeout=10) == b"hello"
        transport.close()
    assert found == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "error"),
    [("127.0.0.1", "cannot connect: "), ("no.such.host.invalid", "cannot resolve no.such.host.invalid: [A-Z]"),
     ("x" * 300, "cannot resolve x")],
)  # fmt: skip
def test_failures_are_told_in_words(flusher: Flusher, host: str, error: str) -> None:
    """Nobody listens, no such name, no name at all."""
    with pytest.raises(PeerGone, match=error):
        connect(spec(free_port(), host), Config(), Route(fail), flusher=flusher)


def test_a_server_that_speaks_no_tls_is_left_in_time(flusher: Flusher) -> None:
    """It accepts and says nothing: the handshake has a time limit.

    Its address is known by then, and DropServer finds it by that.
    """
    found: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = spec(server.getsockname()[1], tls=True)
        with pytest.raises(PeerGone, match="no TLS handshake within"):
            connect(there, Config(connect_timeout=0.1), Route(found.append), flusher=flusher)
    assert found == ["127.0.0.1"]


def addresses(*hosts: str) -> list[Place]:
    return [place for host in hosts for place in resolve(host, 5038)]


def ips(route: Route, *hosts: str) -> list[str]:
    return [place.ip for place in route.ordered(addresses(*hosts))]


def test_the_address_that_worked_is_tried_first_the_one_that_did_not_last() -> None:
    """Until another one works; one that the name has no more is forgotten."""
    route = Route(list)
    assert ips(route, "::1", "::2", "127.0.0.1") == ["::1", "127.0.0.1", "::2"]

    route.reached("127.0.0.1")
    route.worked()
    assert ips(route, "::1", "::2", "127.0.0.1") == ["127.0.0.1", "::1", "::2"]
    route.reached("127.0.0.1")
    route.failed()
    assert ips(route, "127.0.0.1", "::1", "127.0.0.2") == ["::1", "127.0.0.2", "127.0.0.1"]
    assert ips(route, "127.0.0.1") == ["127.0.0.1"]
    assert ips(route, "::2", "::1") == ["::2", "::1"]


def test_an_address_whose_tls_fails_is_left_for_the_next_one(
    flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers there: the next try goes elsewhere."""
    with socket.create_server(("127.0.0.11", 0)) as mute:
        port = mute.getsockname()[1]
        with socket.create_server(("127.0.0.12", port)):
            name(monkeypatch, "pbx", "127.0.0.11", "127.0.0.12")
            found: list[str] = []
            route = Route(found.append)
            for _ in range(3):
                with pytest.raises(PeerGone, match="no TLS handshake"):
                    connect(spec(port, "pbx", tls=True), Config(connect_timeout=0.05), route,
                            flusher=flusher)  # fmt: skip

    assert found == ["127.0.0.11", "127.0.0.12", "127.0.0.11"]


def test_a_slow_name_server_leaves_the_addresses_their_time(
    flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit is for connecting; the resolver has its own."""
    real = socket.getaddrinfo

    def slow(*arguments: Any, **options: Any) -> Any:
        time.sleep(0.4)
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with swallowing("127.0.0.11") as port, socket.create_server(("127.0.0.12", port)):
        name(monkeypatch, "pbx", "127.0.0.11", "127.0.0.12")
        limit = Config(connect_timeout=0.6)  # less than both
        connect(spec(port, "pbx"), limit, Route(list), flusher=flusher).close()


def test_an_authority_file_that_is_gone_is_a_failure_of_the_connection(flusher: Flusher) -> None:
    """It was there at the start; the server is tried again later."""
    settings: dict[str, Any] = {"ssl_verify": True, "ssl_ca_file": "/nonexistent"}
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = spec(server.getsockname()[1], tls=True)
        with pytest.raises(PeerGone, match="sslcafile /nonexistent: No such file"):
            connect(there, Config(**settings), Route(list), flusher=flusher)


def test_a_silent_connection_is_probed_by_the_kernel() -> None:
    """However long the keepalive of the file is."""
    with socket.socket() as sock:
        keep_alive(sock, 1_000_000)

        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 32767


@pytest.mark.parametrize(
    ("keepalive", "idle", "interval"),
    [(10.0, 10, 3), (0.2, 1, 1), (0.0, 60, 10), (30.0, 30, 10), (1e9, 32767, 10)],
)
def test_a_host_that_confirms_nothing_is_lost_as_soon_as_a_silent_server(
    keepalive: float, idle: int, interval: int
) -> None:
    """What was sent, and probes; without a limit of the file the kernel's quarter hour is too long."""
    with socket.socket() as sock:
        watch_host(sock, keepalive)

        found = [
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_USER_TIMEOUT,
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
            )
        ]
    assert found == [idle * 1000, idle, interval]


def test_an_error_is_told_in_words_that_name_nobody() -> None:
    """OpenSSL's numbers are none of the kernel's."""
    for code, words in (
        (errno.EPIPE, "connection reset"),
        (errno.ECONNRESET, "connection reset"),
        (errno.ETIMEDOUT, "its host does not answer"),
        (errno.EHOSTUNREACH, "its host cannot be reached"),
    ):
        assert left("pbx.example: x", OSError(code, "x")).told == words
    assert left("x", ssl.SSLError(errno.EPIPE, "x")).told == ""
