# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients behind a load balancer: the address in the PROXY protocol's header is theirs."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.wire.proxyheader import SIGNATURE
from tests.support import (
    ManagerClient,
    ProxyProcess,
    free_port,
    is_listening,
    tls_context,
    wait_until,
)
from tests.system.people import closed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import StartProxy

#: The load balancer, and an address that is none.
BALANCER, STRANGER = "127.0.0.9", "127.0.0.1"

LOCAL = SIGNATURE + b"\x20\0\0\0"


def v1(address: str, port: int = 51000) -> bytes:
    """Return a header of version 1."""
    return f"PROXY TCP4 {address} 198.51.100.9 {port} 1234\r\n".encode()


def v2(address: str, port: int = 51000) -> bytes:
    """Return a header of version 2, with a value behind the addresses."""
    addresses = socket.inet_aton(address) + bytes(4) + struct.pack("!HH", port, 1234)
    value = b"\x04\0\x05noop!"
    return SIGNATURE + struct.pack("!BBH", 0x21, 0x11, len(addresses + value)) + addresses + value


@contextlib.contextmanager
def relayed(
    program: ProxyProcess, header: bytes, source: str = BALANCER
) -> Iterator[ManagerClient]:
    """Connect from *source*, and send *header*."""
    with program.client(banner=False, source=source) as client:
        client.send_raw(header)
        yield client


@pytest.fixture(scope="module")
def program() -> Iterator[ProxyProcess]:
    """A proxy that has users, and lets everybody in but one network."""
    config = f"proxyprotocol = {BALANCER}\ndeny = 203.0.113.0/24\nmaxperaddress = 2\n"
    users = "joe=secret\n[near]\nsecret=secret\ndeny=0.0.0.0/0,::/0\npermit=192.0.2.7\n"
    with ProxyProcess(closed() + config, users) as program:
        yield program


def log_in(client: ManagerClient, name: str = "joe", secret: str = "secret") -> str:
    """Log in; return how that is answered."""
    client.read_line()
    return client.ask("Action: Login", f"Username: {name}", f"Secret: {secret}")[0]


@pytest.mark.parametrize("header", [v1, v2])
def test_the_address_in_the_header_is_the_clients(program: ProxyProcess, header: Any) -> None:
    """For a user's permit lines, ListSessions and the log; not the load balancer's."""
    with (
        relayed(program, header("192.0.2.7", 50999)) as near,
        relayed(program, header("192.0.2.8")) as far,
    ):
        assert log_in(near, "near") == "Response: Success"
        assert log_in(far, "near") == "Response: Error"
        near.send("ProxyAction: ListSessions")
        listed = near.read_message()

    assert "ProxyClientSession: 192.0.2.7" in listed
    assert not any(BALANCER in line for line in listed)
    program.wait_log('login failed from 192.0.2.8 as "near"')
    assert f"Connection received from 192.0.2.7 through {BALANCER}" in program.log()
    program.wait_log("client 192.0.2.7:50999 left")


def test_who_may_not_connect_is_not_answered(program: ProxyProcess) -> None:
    """By permit and deny, and by maxperaddress, which the load balancer does not count for."""
    with relayed(program, v2("203.0.113.5")) as denied:
        assert denied.read_to_end() == b""
    program.wait_log("Connection from 203.0.113.5 refused: address not permitted")

    with contextlib.ExitStack() as stack:
        for number in (1, 1, 2, 2, 3):
            client = stack.enter_context(relayed(program, v1(f"198.51.100.{number}")))
            client.read_line()
        third = stack.enter_context(relayed(program, v1("198.51.100.1")))
        assert third.read_to_end() == b""
    program.wait_log("Connection from 198.51.100.1 refused: 2 clients of this address")


def test_who_does_not_log_in_is_named(proxy: StartProxy) -> None:
    """By the client's address: nobody could find the one among all behind the load balancer."""
    program = proxy(closed() + f"proxyprotocol = {BALANCER}\nauthtimeout = 0.1\n", "joe=secret\n")

    with relayed(program, v1("192.0.2.66")) as client:
        client.read_to_end()

    program.wait_log("client 192.0.2.66:51000: not logged in within 0.1 s")


def test_failed_log_ins_are_those_of_the_client(program: ProxyProcess) -> None:
    """Who guesses through the load balancer delays nobody else behind it."""
    for _ in range(5):
        with relayed(program, v1("192.0.2.66")) as guesser:
            guesser.read_line()
            guesser.send("Action: Login", "Username: joe", "Secret: guess")
            guesser.half_close()
            guesser.read_to_end()

    with relayed(program, v1("192.0.2.67")) as other:
        assert log_in(other) == "Response: Success"


@pytest.mark.parametrize("header", [v1("192.0.2.1"), v2("192.0.2.1"), LOCAL])
@pytest.mark.parametrize("whole", [True, False])
def test_a_header_from_anywhere_else_is_refused(
    program: ProxyProcess, header: bytes, whole: Any
) -> None:
    """With an error that says so, whatever comes with it."""
    with program.client(source=STRANGER) as client:
        for part in [header] if whole else [header[:5], header[5:8], header[8:]]:
            client.send_raw(part)
        with contextlib.suppress(OSError):
            client.send("Action: Login", "Username: joe", "Secret: secret")

        answer = client.read_to_end()

    text = b"PROXY protocol header from an address that is not in proxyprotocol"
    assert answer == b"Response: Error\r\nMessage: " + text + b"\r\n\r\n"
    program.wait_log(f"{text.decode()}\n")


@pytest.mark.parametrize(
    "sent", [b"Action: Ping\r\n\r\n", b"\x16\x03\x01\x02\0\1", b"GET / HTTP/1.0\r\n"]
)
def test_without_a_header_a_load_balancer_is_refused(program: ProxyProcess, sent: bytes) -> None:
    """Nothing is answered: nobody knows to whom."""
    with relayed(program, sent) as client:
        assert client.read_to_end() == b""
    program.wait_log("no PROXY protocol header: have the load balancer send it")


def test_a_health_check_is_the_load_balancers_own(program: ProxyProcess) -> None:
    """LOCAL and UNKNOWN: it is greeted as anybody."""
    for header in (LOCAL, b"PROXY UNKNOWN\r\n"):
        with relayed(program, header) as check:
            assert log_in(check) == "Response: Success"
    assert f"Connection received from {BALANCER}\n" in program.log()


def test_the_header_comes_before_tls_and_http(proxy: StartProxy, certificate: Path) -> None:
    """Both know the client by it; a stray one is refused there, too."""
    more = (
        f"proxyprotocol = {BALANCER}\nacceptencryptedconnection = yes\ncertfile = {certificate}\n"
    )
    more += "deny = 0.0.0.0/0\npermit = 192.0.2.7, 127.0.0.1\ninputformat = http\n"
    program = proxy(closed() + more, "[near]\nsecret=s\ndeny=0.0.0.0/0\npermit=192.0.2.7\n")
    request = b"GET /?Action=Login&Username=near&Secret=s HTTP/1.0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", program.port), 10, (BALANCER, 0)) as sock:
        sock.sendall(v2("192.0.2.7"))
        with tls_context().wrap_socket(sock) as encrypted:
            encrypted.sendall(request)
            answer = b"".join(iter(lambda: encrypted.recv(65536), b""))
    assert b"Authentication accepted" in answer

    with program.client(banner=False, source=STRANGER) as stray:
        stray.send_raw(v1("192.0.2.7") + request)
        answer = stray.read_to_end()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"not in proxyprotocol" in answer


@pytest.mark.parametrize("header", [v1("192.0.2.7"), v2("192.0.2.7")])
def test_a_stray_header_is_named_where_plain_text_is_refused(
    proxy: StartProxy, certificate: Path, header: bytes
) -> None:
    """That it is plain text, too, helps nobody."""
    more = "acceptencryptedconnection = yes\nacceptunencryptedconnection = no\n"
    program = proxy(closed() + more + f"certfile = {certificate}\n")

    with program.client(banner=False) as stray:
        stray.send_raw(header)
        stray.read_to_end()

    wait_until(lambda: "not in proxyprotocol" in program.log())


# -- a real load balancer ----------------------------------------------------------------------

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
HAPROXY_CONFIG = """\
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen pbx
  bind 127.0.0.1:{port}
  server pbx 127.0.0.1:{proxy} source {balancer} {send} check inter 100ms
"""


@pytest.mark.skipif(not HAPROXY, reason="haproxy is not installed")
@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2", "send-proxy-v2 check-send-proxy",
                                  "send-proxy-v2 proxy-v2-options unique-id,crc32c"])  # fmt: skip
def test_behind_haproxy(program: ProxyProcess, send: str, tmp_path: Path) -> None:
    """Clients have their own addresses, and health checks succeed."""
    port = free_port()
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        HAPROXY_CONFIG.format(port=port, proxy=program.port, send=send, balancer=BALANCER)
    )
    assert HAPROXY is not None
    with subprocess.Popen([HAPROXY, "-db", "-f", str(config)], stderr=subprocess.PIPE) as balancer:
        try:
            wait_until(lambda: is_listening(port))
            with ManagerClient(port, source="127.0.0.77") as client:
                assert client.read_line().startswith("Asterisk Call Manager")
                assert (
                    client.ask("Action: Login", "Username: joe", "Secret: no")[0]
                    == "Response: Error"
                )
            program.wait_log('login failed from 127.0.0.77 as "joe"')
            program.wait_log(f"Connection received from 127.0.0.77 through {BALANCER}")
        finally:
            balancer.terminate()
