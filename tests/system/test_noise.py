# SPDX-License-Identifier: GPL-2.0-or-later
"""Noise on connections of the running program: it is answered or the connection closed.

tests/handlers has thousands of such inputs for each format.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support import ManagerClient, ProxyProcess, wait_until
from tests.system.peers import QUICK, certificate, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.server import SimulatedAsterisk

READERS = ["standard", "xml", "csv", "json"]

NOISE = [
    "Action: Ping\r\n",
    "ActionID: 1\r\n",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\r\n\r\n",
    ": ",
    ":",
    "a" * 1023,
    "ProxyAction: SetOutputFormat\r\n",
    "OutputFormat: json\r\n",
    "OutputFormat: http\r\n",
    "ProxyAction: SetInputFormat\r\n",
    "InputFormat: xml\r\n",
    "ProxyAction: DropServer\r\n\r\n",
    "ProxyAction: AddServer\r\nServer: no such\r\nPort: 99999999\r\nUsername: "
    + "u" * 300
    + "\r\n",
    "Action: Login\r\n",
    "Action: Challenge\r\nAuthType: MD5\r\n",
    "Action: Filter\r\nFilter: ((((\r\n",
    "Action: Events\r\nEventMask: \xff\r\n",
    "Action: WaitEvent\r\nTimeout: 1e999\r\n",
    "Response: Follows\r\n",
    "Server: \xe9\r\n",
    "<AsteriskManagerInput>",
    "</AsteriskManagerInput>",
    "<Action Value='Ping'/>",
    '<A Value="&lt;',
    "<!DOCTYPE a [",
    "<!ENTITY",
    "<![CDATA[",
    "&a;",
    "<?xml",
    '{"Action":"Ping"}\n',
    '{"Action":',
    "[",
    "]",
    "}",
    '"\\ud800"',
    "null",
    "1e400",
    "{}\n",
    '{"a":{}}\n',
    '"Action: Ping", "ActionID: 1"\n',
    '"',
    '""',
    ",",
    "\xff",
    "\x16\x03\x01",
    "GET / HTTP/1.1\r\n",
    "\x80",
    "\x1b[31m",
    "b" * 70000,
]


@pytest.fixture(scope="module")
def program(
    asterisk: SimulatedAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxyProcess]:
    """A proxy for plain and TLS clients, connected to an Asterisk."""
    pem = certificate(tmp_path_factory.mktemp("cert"))
    config = (
        QUICK
        + f"acceptencryptedconnection = yes\nsslclienthellotimeout = 50\ncertfile = {pem}\n"
        + "autofilter = unique\n"
        + host_line(asterisk)
    )
    with ProxyProcess(config) as started:
        wait_connected(started)
        yield started


def connected(program: ProxyProcess, *, tls: bool) -> ManagerClient:
    """Return a client; one that is late with its hello is taken for a plain one, and comes again."""
    while True:
        try:
            return ManagerClient(program.port, tls=tls)
        except ssl.SSLError as error:
            if error.reason != "WRONG_VERSION_NUMBER":
                raise


def converse(program: ProxyProcess, name: str, pieces: Iterable[str], *, tls: bool) -> None:
    """Send *pieces* in format *name* and read until the proxy closes, within 20 s."""
    closed = contextlib.suppress(ConnectionError, ssl.SSLEOFError)
    with closed, connected(program, tls=tls) as client:
        client.read_line()
        if name != "standard":
            client.send("ProxyAction: SetInputFormat", f"InputFormat: {name}")
            client.read_until(is_response)
        for piece in pieces:
            client.send_raw(piece)
        with contextlib.suppress(OSError):  # the proxy may have closed already
            socket.socket.shutdown(client.sock, socket.SHUT_WR)
        client.read_to_end(20)


def used(program: ProxyProcess) -> tuple[int, int]:
    """Return how many descriptors and threads the proxy has."""
    process = psutil.Process(program.pid)
    return process.num_fds(), process.num_threads()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_noise_in_each_format_leaves_nothing_behind(program: ProxyProcess, tls: bool) -> None:
    """200 connections are answered or closed; their descriptors and threads are given back."""
    generator = random.Random(tls)
    before = used(program)
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(converse, program, READERS[n % 4], generator.choices(NOISE, k=6), tls=tls)
            for n in range(200)
        ]
        for job in jobs:
            job.result()

    wait_until(lambda: used(program) <= before, what="descriptors and threads given back")
    with program.client() as client:
        client.send("Action: Ping", "ActionID: alive")
        assert "ActionID: alive" in client.read_until(is_response)
    assert "Traceback" not in program.log() + program.stderr()
    assert "bug in the proxy" not in program.log()


def test_connections_that_begin_with_noise_leave_nothing_behind(program: ProxyProcess) -> None:
    """200 connections: a TLS record, nothing, half a line, a reset."""
    generator = random.Random(3)
    before = used(program)

    def knock(data: bytes, *, reset: bool) -> None:
        with contextlib.suppress(ConnectionError), ManagerClient(program.port) as client:
            client.send_raw(data)
            if reset:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            with contextlib.suppress(OSError):
                client.half_close()
            client.read_to_end(20)

    with ThreadPoolExecutor(8) as pool:
        jobs = []
        for n in range(200):
            head = generator.choice([b"\x16", b"\x16\x03\x01\x02\x00\x01", b"", b"\x80\x2e\x01"])
            data = head + generator.randbytes(generator.randrange(400))
            jobs.append(pool.submit(knock, data, reset=n % 3 == 0))
        for job in jobs:
            job.result()

    wait_until(lambda: used(program) <= before, what="descriptors and threads given back")
    assert "Traceback" not in program.log() + program.stderr()
    assert "bug in the proxy" not in program.log()
