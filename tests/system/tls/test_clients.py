# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients over TLS: versions, load, the end of a connection."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, StartProxy, wait_until
from tests.system.peers import QUICK, Collector, host_line, is_response, wait_connected
from tests.system.tls.support import (
    MIXED,
    Certificates,
    checked,
    needs_openssl,
    ping,
    s_client,
    tls_version,
    verifying,
)

if TYPE_CHECKING:
    from simulator.protocol import Action


def test_one_port_serves_plain_text_and_tls(mixed: ProxyProcess, pki: Certificates) -> None:
    """The banner greets both; TLS 1.3 is preferred."""
    with mixed.client() as plain, mixed.client(tls=checked(pki)) as secure:
        ping(plain)
        ping(secure)

        assert tls_version(secure) == "TLSv1.3"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_either_version(mixed: ProxyProcess, pki: Certificates, version: str) -> None:
    """A session from log-in to goodbye over TLS 1.2 and 1.3, with the chain checked."""
    wanted = ssl.TLSVersion[version]
    context = checked(pki, minimum_version=wanted, maximum_version=wanted)
    with mixed.client(tls=context, server_hostname="localhost") as client:
        assert tls_version(client) == version.replace("_", ".")
        client.send("Action: Login", "Username: joe", "Secret: x")
        assert client.read_message()[0] == "Response: Success"
        assert client.read_message()[0] == "Event: FullyBooted"
        ping(client)
        client.send("Action: Logoff")
        assert client.read_until(is_response)[0] == "Response: Goodbye"
        assert client.read_to_end() == b""


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(mixed: ProxyProcess, pki: Certificates, version: str) -> None:
    """The stock tool verifies the certificate, asks and gets its answer."""
    done = s_client(
        mixed.port,
        *(version, "-CAfile", str(pki.ca), "-verify_ip", "127.0.0.1", "-verify_return_error"),
        text="ProxyAction: ListServers\r\nActionID: s\r\n\r\nAction: Logoff\r\n\r\n",
    )

    assert done.returncode == 0, done.stderr
    assert "Asterisk Call Manager Proxy/" in done.stdout
    assert "ActionID: s" in done.stdout
    assert "Response: Goodbye" in done.stdout


@needs_openssl
def test_tls_1_1_is_refused(mixed: ProxyProcess) -> None:
    """With a line in the log."""
    before = mixed.log().count("TLS handshake")
    done = s_client(mixed.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")

    assert done.returncode != 0
    wait_until(lambda: mixed.log().count("TLS handshake") > before)
    mixed.wait_log("TLS handshake: the other side speaks no TLS 1.2 or later")


def test_forty_tls_clients(mixed: ProxyProcess, pki: Certificates) -> None:
    """All at once, each served (in C 16 was the end)."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mixed.client(tls=checked(pki))) for _ in range(40)]
        for number, client in enumerate(clients):
            client.send("ProxyAction: ListServers", f"ActionID: n{number}")
        for number, client in enumerate(clients):
            assert f"ActionID: n{number}" in client.read_until(is_response)


def test_a_big_answer_reaches_a_slow_reader(
    proxy: StartProxy, asterisk: SimulatedAsterisk, pki: Certificates
) -> None:
    """9 MB, read more slowly than clientwritetimeout, but steadily: all of it, in order."""
    program = proxy(
        MIXED.replace("= 20000", "= 1500")
        + f"clientbacklog = 268435456\ncertfile = {pki.good}\n"
        + host_line(asterisk)
    )
    wait_connected(program)
    lines = [f"line {n} {'x' * 80}" for n in range(90_000)]
    output = "".join(f"Output: {line}\r\n" for line in lines)
    asterisk.answer("Command", f"Response: Success\r\n{output}\r\n".encode())
    with program.client(tls=checked(pki)) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send("Action: Command", "Command: big")
        parts: list[bytes] = []
        while not parts or not parts[-1].endswith(b"\r\n\r\n"):
            parts.append(client.sock.recv(16384))
            threading.Event().wait(0.005)
            assert parts[-1], program.log()[-500:]
    asterisk.answer("Command", None)
    found = b"".join(parts).decode().split("\r\n")
    assert [line[8:] for line in found if line.startswith("Output: ")] == lines


def test_a_burst_reaches_many_tls_clients_whole_and_in_order(
    mixed: ProxyProcess, asterisk: SimulatedAsterisk, pki: Certificates
) -> None:
    """20 clients, 3 000 events in one go, actions meanwhile."""
    events = [
        f"Event: UserEvent\r\nPrivilege: user,all\r\nN: {n}\r\nText: {'y' * 200}\r\n\r\n"
        for n in range(3000)
    ]
    wanted = "".join(f"{one[:-2]}Server: 127.0.0.1\r\n\r\n" for one in events).encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mixed.client(tls=checked(pki))) for _ in range(20)]
        for client in clients:
            client.send("ProxyAction: SetAutoFilter", "AutoFilter: unique")
            client.read_until(is_response)
        collectors = [stack.enter_context(Collector(client)) for client in clients]
        asterisk.send("".join(events).encode())
        for client in clients:
            client.send("ProxyAction: ListServers", "ActionID: between")
        for collector in collectors:
            data = collector.wait_size(len(wanted) + 1)
            collector.wait_for(b"N: 2999\r\n")
            collector.wait_for(b"ActionID: between\r\n\r\n")
        for collector in collectors:
            wait_until(functools.partial(ends_a_message, collector))
            data = re.sub(
                rb"ProxyResponse: (?:(?!\r\n\r\n).)*\r\n\r\n", b"", collector.data, flags=re.DOTALL
            )
            assert data == wanted


def threads(program: ProxyProcess) -> int:
    """Return how many threads the proxy has."""
    return int(psutil.Process(program.pid).num_threads())


def wait_quiet(program: ProxyProcess) -> int:
    """Wait until the clients of earlier tests have left; return the number of threads."""
    with program.client() as client:

        def alone() -> bool:
            client.send("ProxyAction: ListSessions")
            answer = client.read_until(is_response)
            return sum(line.startswith("ProxyClientSession") for line in answer) == 1

        wait_until(alone, what="no other clients")
        count = threads(program) - 1
    wait_until(lambda: threads(program) <= count, what="our own thread's end")
    return threads(program)


@pytest.mark.parametrize("end", ["close", "half-close", "reset", "stay"])
def test_half_a_record_leaves_no_spinning_thread(
    mixed: ProxyProcess, pki: Certificates, end: str
) -> None:
    """Whether the client closes behind it or stays: no processor time, no thread left."""
    process = psutil.Process(mixed.pid)
    before = wait_quiet(mixed)
    client = mixed.client(tls=checked(pki))
    try:
        ping(client)
        os.write(client.sock.fileno(), b"\x17\x03\x03\x01\x00half a record")
        if end == "reset":
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if end == "half-close":
            socket.socket.shutdown(client.sock, socket.SHUT_WR)
        if end in ("close", "reset"):
            client.close()
        if end != "stay":
            wait_until(lambda: threads(mixed) <= before, what="the thread's end")
        times = process.cpu_times()
        threading.Event().wait(0.5)
        later = process.cpu_times()
        assert later.user + later.system - times.user - times.system < 0.25
    finally:
        client.close()
    wait_until(lambda: threads(mixed) <= before, what="the thread's end")


def ends_a_message(collector: Collector) -> bool:
    return collector.data.endswith(b"\r\n\r\n")


def late(request: Action) -> bytes:
    """Answer half a second later."""
    time.sleep(0.5)
    return f"Response: Success\r\nActionID: {request.action_id}\r\n\r\n".encode()


def test_a_client_that_ends_its_side_gets_its_answers(
    proxy: StartProxy, asterisk: SimulatedAsterisk, pki: Certificates
) -> None:
    """As over plain text: half-closed, also without TLS's goodbye, it gets what is under way."""
    program = proxy(MIXED + f"certfile = {pki.good}\n" + host_line(asterisk))
    wait_connected(program)
    asterisk.answer("Command", late)
    with program.client(tls=checked(pki)) as client:
        client.send("Action: Command", "Command: late", "ActionID: last")
        socket.socket.shutdown(client.sock, socket.SHUT_WR)
        assert "ActionID: last" in client.read_until(is_response)
        assert client.read_to_end() == b""
    asterisk.answer("Command", None)


def test_shutdown_tells_tls_clients(proxy: StartProxy, pki: Certificates) -> None:
    """The last message, then TLS's own goodbye."""
    program = proxy(MIXED + f"certfile = {pki.good}\n")
    with program.client(tls=checked(pki)) as client:
        client.send("ProxyAction: ListServers")
        client.read_message()
        assert program.stop() == 0
        assert client.read_message() == ["ProxyMessage: Proxy Shutting Down"]
        # An end without close_notify would be an SSLEOFError.
        assert client.sock.recv(1) == b""


def test_tls_to_both_sides(proxy: StartProxy, pki: Certificates) -> None:
    """A TLS client asks a TLS Asterisk."""
    with SimulatedAsterisk(tls=pki.good) as server:
        program = proxy(
            MIXED.replace(QUICK, verifying(pki))
            + f"certfile = {pki.chained}\n"
            + host_line(server, tls="on")
        )
        wait_connected(program)
        with program.client(tls=checked(pki)) as client:
            ping(client)
            server.event("UserEvent", Text="both")
            assert "Text: both" in client.read_message()
