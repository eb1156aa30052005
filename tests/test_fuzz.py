# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile input: what takes long to read, and noise on connections of the running program.

That noise gives messages or refusals and no exception is tested for each format,
tens of thousands of inputs each, in tests/handlers.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from amiproxy.errors import ProtocolError
from amiproxy.formats import Limits, Refused, load_formats
from amiproxy.message import Message
from amiproxy.wire.framing import Framer
from simulator.server import SimulatedAsterisk
from tests.support import ROOT, ManagerClient, ProxyProcess, wait_until
from tests.system.peers import QUICK, certificate, host_line, is_response, wait_connected

FORMATS = load_formats(ROOT / "handlers")
READERS = ["standard", "xml", "csv", "json"]
SIZE = 250_000

#: What makes a careless parser slow, or deep: repeated to SIZE bytes.
PATHOLOGICAL = [
    b"<",
    b"<a ",
    b"<!--",
    b"<!-- -",
    b'<a b="',
    b"<?x ",
    b"&amp;",
    b'<AsteriskManagerInput><A Value="&#65;"/>',
    b"<AsteriskManagerInput><A Value='x'/></AsteriskManagerInput>",
    b"[",
    b'{"a":',
    b'{"a":[',
    b'"\\u',
    b'{"a":"b","a":["c"],":order":["a","a"]}\n',
    b'""',
    b'","',
    b'"a", ',
    b"'",
    b"\\",
    b"\r",
    b"\r\r\n",
    b"\n",
    b"\0",
    b"\0\n",
    b"a\n",
    b"A: b\r\n",
    b"A: b\r\n\r\n",
    b"Response: Follows\r\n",
    b"--END COMMAND--",
    b"\xff",
    b"GET / HTTP/1.1\r\n",
    b"9" * 5000,
    b'{"a":' + b"9" * 5000 + b"}\n",
]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("piece", PATHOLOGICAL, ids=lambda piece: ascii(piece[:20]))
def test_nothing_takes_long_to_read(name, piece):
    """A lot of it costs little time, in one piece or in small ones, with no exception."""
    data = (piece * (SIZE // len(piece) + 1))[:SIZE]
    for step in (SIZE, 700):
        reader = FORMATS[name].reader(Limits())
        began = time.process_time()
        found = []
        for at in range(0, len(data), step):
            found += reader.feed(data[at : at + step])
        assert time.process_time() - began < 5
        assert all(isinstance(one, (Message, Refused)) for one in found)


@pytest.mark.parametrize("piece", PATHOLOGICAL, ids=lambda piece: ascii(piece[:20]))
def test_nothing_asterisk_sends_takes_long_to_read(piece):
    """The same from a server, whatever speaks there."""
    data = (b"Response: Follows\r\n" + piece * (SIZE // len(piece) + 1))[:SIZE]
    framer = Framer(max_message=10 * SIZE)
    began = time.process_time()
    with contextlib.suppress(ProtocolError):
        for at in range(0, len(data), 700):
            framer.feed(data[at : at + 700])
    assert time.process_time() - began < 5


# -- the running program ------------------------------------------------------------------------

NOISE = [
    "Action: Ping\r\n", "ActionID: 1\r\n", "\r\n", "\n", "\r", "\0", "\r\n\r\n", ": ", ":", "a" * 1023,
    "ProxyAction: SetOutputFormat\r\n", "OutputFormat: json\r\n", "OutputFormat: http\r\n",
    "ProxyAction: SetInputFormat\r\n", "InputFormat: xml\r\n", "ProxyAction: DropServer\r\n\r\n",
    "ProxyAction: AddServer\r\nServer: no such\r\nPort: 99999999\r\nUsername: " + "u" * 300 + "\r\n",
    "Action: Login\r\n", "Action: Challenge\r\nAuthType: MD5\r\n", "Action: Filter\r\nFilter: ((((\r\n",
    "Action: Events\r\nEventMask: \xff\r\n", "Action: WaitEvent\r\nTimeout: 1e999\r\n",
    "Response: Follows\r\n", "Server: \xe9\r\n", "<AsteriskManagerInput>", "</AsteriskManagerInput>",
    "<Action Value='Ping'/>", '<A Value="&lt;', "<!DOCTYPE a [", "<!ENTITY", "<![CDATA[", "&a;", "<?xml",
    '{"Action":"Ping"}\n', '{"Action":', "[", "]", "}", '"\\ud800"', "null", "1e400", "{}\n", '{"a":{}}\n',
    '"Action: Ping", "ActionID: 1"\n', '"', '""', ",", "\xff", "\x16\x03\x01", "GET / HTTP/1.1\r\n",
    "\x80", "\x1b[31m", "b" * 70000,
]  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A proxy for plain and TLS clients, with an Asterisk."""
    pem = certificate(tmp_path_factory.mktemp("cert"))
    with SimulatedAsterisk() as asterisk:
        config = (
            QUICK
            + f"acceptencryptedconnection = yes\nsslclienthellotimeout = 50\ncertfile = {pem}\n"
            + "autofilter = unique\n"
            + host_line(asterisk)
        )
        with ProxyProcess(config) as started:
            wait_connected(started)
            yield started


def converse(program, name, pieces, *, tls):
    """Send noise in format *name* and read until the proxy closes; nothing may hang."""
    closed = contextlib.suppress(ConnectionError, ssl.SSLEOFError)
    with closed, ManagerClient(program.port, tls=tls) as client:
        client.read_line()
        if name != "standard":
            client.send("ProxyAction: SetInputFormat", f"InputFormat: {name}")
            client.read_until(is_response)
        for piece in pieces:
            client.send_raw(piece)
        with contextlib.suppress(OSError):  # the proxy may have closed already
            socket.socket.shutdown(client.sock, socket.SHUT_WR)
        client.read_to_end(20)


def used(program):
    """Return how many descriptors and threads the proxy uses."""
    process = psutil.Process(program.pid)
    return process.num_fds(), process.num_threads()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_noise_on_connections(program, tls):
    """400 connections of noise in each format are answered or closed; nothing is left of them."""
    generator = random.Random(tls)
    before = used(program)
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(converse, program, READERS[n % 4], generator.choices(NOISE, k=6), tls=tls)
            for n in range(400)
        ]
        for job in jobs:
            job.result()

    wait_until(lambda: used(program) <= before, what="descriptors and threads given back")
    with program.client() as client:
        client.send("Action: Ping", "ActionID: alive")
        assert "ActionID: alive" in client.read_until(is_response)
    assert "Traceback" not in program.log() + program.stderr()
    assert "bug in the proxy" not in program.log()


def test_raw_noise(program):
    """300 connections that begin with anything: a TLS record, nothing, half a line, a reset."""
    generator = random.Random(3)
    before = used(program)

    def knock(data, reset):
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
        for n in range(300):
            head = generator.choice([b"\x16", b"\x16\x03\x01\x02\x00\x01", b"", b"\x80\x2e\x01"])
            data = head + generator.randbytes(generator.randrange(400))
            jobs.append(pool.submit(knock, data, n % 3 == 0))
        for job in jobs:
            job.result()

    wait_until(lambda: used(program) <= before, what="descriptors and threads given back")
    assert "Traceback" not in program.log() + program.stderr()
    assert "bug in the proxy" not in program.log()
