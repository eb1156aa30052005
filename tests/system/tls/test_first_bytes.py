# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS or plain text: told by the first bytes, refused where only the other is taken."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest

from tests.support import ManagerClient, ProxyProcess, StartProxy, tls_context, wait_until
from tests.system.peers import host_line, wait_connected
from tests.system.tls.support import (
    MIXED,
    ONLY_PLAIN,
    ONLY_TLS,
    REFUSED,
    Certificates,
    checked,
    ping,
)

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk


def lines_about(program: ProxyProcess, client_port: int) -> list[str]:
    """Return what the log says of the client at that port of its own."""
    return [line for line in program.log().splitlines() if f":{client_port}: " in line]


def ping_at_once(client: ManagerClient) -> None:
    """Have a Ping answered before the banner is read."""
    client.send("Action: Ping", "ActionID: once")
    client.read_line()
    client.read_until("ActionID: once")


def client_hello() -> bytes:
    """Return the first bytes of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("said", [b"Action: Ping\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x80", b""])
def test_plain_text_where_only_tls_is_taken(
    proxy: StartProxy, pki: Certificates, said: bytes
) -> None:
    """It is closed without a word, and the log says why; TLS is served."""
    program = proxy(ONLY_TLS + f"certfile = {pki.good}\nsslclienthellotimeout = 200\n")
    with program.client(banner=False) as client:
        client.send_raw(said)
        assert client.read_to_end() == b""
    program.wait_log(REFUSED)
    with program.client(tls=checked(pki)) as client:
        client.send("ProxyAction: ListServers")
        assert client.read_message() == ["ProxyResponse: Success"]


def test_https_where_only_plain_text_is_taken(proxy: StartProxy, pki: Certificates) -> None:
    """The log says why, as for manager clients; it was no bad HTTP request."""
    program = proxy(ONLY_PLAIN + f"certfile = {pki.good}\ninputformat = http\n")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ManagerClient(program.port, tls=True)
    assert " 400 " not in program.wait_log("TLS on a connection that is to be plain text")


def test_tls_where_only_plain_text_is_taken(proxy: StartProxy, pki: Certificates) -> None:
    """It fails at once, and the log says why; plain text is served."""
    program = proxy(ONLY_PLAIN + f"certfile = {pki.good}\n")
    began = time.monotonic()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ManagerClient(program.port, tls=True)
    assert time.monotonic() - began < 5
    program.wait_log("TLS on a connection that is to be plain text")
    with program.client() as client:
        client.send("ProxyAction: ListServers")
        assert client.read_message() == ["ProxyResponse: Success"]


def test_where_only_plain_text_is_taken_the_banner_goes_at_once(proxy: StartProxy) -> None:
    """There is nothing to wait for."""
    program = proxy(ONLY_PLAIN + "sslclienthellotimeout = 60000\n")
    with program.client(banner=False) as client:
        assert client.read_line(5).startswith("Asterisk Call Manager Proxy/")


def test_a_silent_client_is_taken_for_plain_text_and_delays_nobody(
    proxy: StartProxy, pki: Certificates
) -> None:
    """It gets its banner after sslclienthellotimeout; who speaks first, at once."""
    program = proxy(MIXED + f"certfile = {pki.good}\nsslclienthellotimeout = 1500\n")
    with program.client(banner=False) as silent, program.client(banner=False) as quick:
        began = time.monotonic()
        quick.send("ProxyAction: ListServers")
        quick.read_line()
        assert time.monotonic() - began < 1
        silent.read_line()
        assert 1 < time.monotonic() - began < 5


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + b"x" * 70000,
        b"\x16" * 600,
        b"\x16Action: Ping\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    ],
)
def test_what_only_begins_like_tls_is_closed(mixed: ProxyProcess, data: bytes) -> None:
    """With a line in the log and no traceback; others are not affected."""
    with mixed.client(banner=False) as client:
        port = client.sock.getsockname()[1]
        with contextlib.suppress(OSError):
            client.send_raw(data)
        client.read_to_end()
    wait_until(lambda: "TLS handshake: " in "".join(lines_about(mixed, port)))
    assert "Traceback" not in mixed.log()


def test_a_handshake_that_dawdles_delays_nobody(
    proxy: StartProxy, pki: Certificates, asterisk: SimulatedAsterisk
) -> None:
    """5 bytes and silence, or byte by byte: others connect at once; it ends after 10 s."""
    program = proxy(MIXED + f"certfile = {pki.good}\n" + host_line(asterisk))
    wait_connected(program)
    hello = client_hello()
    with contextlib.ExitStack() as stack:
        stopped = [stack.enter_context(program.client(banner=False)) for _ in range(10)]
        for client in stopped:
            client.send_raw(hello[:5])
        drop = stack.enter_context(program.client(banner=False))
        began = time.monotonic()
        slow = None
        for number in range(len(hello)):
            if time.monotonic() - began > 13:
                break
            try:
                drop.send_raw(hello[number : number + 1])
            except OSError:
                break
            if number % 10 == 0:
                moment = time.monotonic()
                with program.client(tls=checked(pki)) as quick, program.client(banner=False) as one:
                    ping(quick)
                    ping_at_once(one)
                slow = max(slow or 0, time.monotonic() - moment)
            threading.Event().wait(0.15)
        for client in [*stopped, drop]:
            assert client.read_to_end(15) == b""
        took = time.monotonic() - began
    assert 9 < took < 20
    assert slow is not None
    assert slow < 2
    log = program.wait_log("no TLS handshake within 10 s")
    assert log.count("no TLS handshake within 10 s") == 11


def test_a_hello_in_single_bytes_is_a_hello(mixed: ProxyProcess, pki: Certificates) -> None:
    """However the handshake is cut, it succeeds."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = checked(pki).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with mixed.client(banner=False) as client:

        def step(function: Callable[..., Any], *arguments: Any) -> Any:
            while True:
                try:
                    return function(*arguments)
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        client.send_raw(bytes([byte]))
                    incoming.write(client.sock.recv(65536))

        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step(tls.do_handshake)
        tls.write(b"Action: Ping\r\nActionID: bytes\r\n\r\n")
        said = b""
        while b"ActionID: bytes" not in said:
            said += step(tls.read, 65536)
    assert said.startswith(b"Asterisk Call Manager Proxy/")
