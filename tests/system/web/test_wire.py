# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP on the wire: pieces, pipelines, kept connections, faults."""

from __future__ import annotations

import http.client
import random
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support import ManagerClient, StartProxy
from tests.system.peers import wait_connected
from tests.system.web.support import config, curl, get, needs_curl, raw, short

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess

pytestmark = needs_curl


def test_a_long_body_in_pieces(web: ProxyProcess) -> None:
    """Expect: 100-continue and chunked bodies are read."""
    body = "Action=UserEvent&UserEvent=x&" + "&".join(f"A{n}={'b' * 900}" for n in range(100))
    for options in (["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]):
        status, _, answer = curl(web, "/", *options, "-d", body)
        assert status == 200
        assert "Response: Success" in answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("GET /x\r\n\r\n", 404),
        ("rubbish\r\n\r\n", 400),
        ("GET /?Action=Ping HTTP/1.1\r\n\r\n", 200),
        ("GET /?Action=UserEvent&UserEvent=a b\r\n\r\n", 200),
        ("GET /?Action=Ping&X=\xe4 HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("GET /?Action=Ping HTTP/1.1 &Action=Originate HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("Action: Ping\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        ("GET /?" + "a" * 100000 + " HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: " + "b" * 100000 + "\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + "a" * 2000000, 413),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (get("http://x/?Action=Ping"), 200),
        (get("/?Action=Ping&A=" + "b" * 1010), 200),
        (get("/?Action=Ping&A=" + "b" * 1100), 400),
    ],
    ids=short,
)
def test_faults_on_the_wire(web: ProxyProcess, data: str, status: int) -> None:
    """What is not a request gets its status, then the connection is closed."""
    answer = raw(web, data)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close\r\n" in answer


def test_pipelined_requests_are_answered_in_order(web: ProxyProcess) -> None:
    """Ten requests in one packet: ten answers in their order."""
    requests = "".join(
        f"GET /?Action=Ping&ActionID=n{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(9)
    )

    answer = raw(web, requests + get("/?Action=Ping&ActionID=n9"))

    assert re.findall(rb"ActionID: n(\d)", answer) == [b"%d" % n for n in range(10)]
    assert answer.count(b"HTTP/1.1 200 OK") == 10


def test_http_1_0_stays_if_it_asks(web: ProxyProcess) -> None:
    """The connection of HTTP/1.0 is kept where the client says keep-alive, and only there."""
    keep = "GET /?Action=Ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    leave = "GET /?Action=Ping HTTP/1.0\r\n\r\n"

    assert raw(web, keep + leave + keep).count(b"HTTP/1.1 200 OK") == 2


def test_a_client_that_half_closes_gets_its_answer(web: ProxyProcess) -> None:
    """``printf ... | nc -N`` is answered."""
    with ManagerClient(web.port) as client:
        client.send_raw("GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n")
        client.half_close()
        assert b"Ping: Pong" in client.read_to_end()


def test_a_request_in_single_bytes(web: ProxyProcess) -> None:
    """However slowly a request comes, it is answered."""
    with ManagerClient(web.port) as client:
        for char in get("/?Action=Ping&ActionID=slow"):
            client.send_raw(char)
        assert b"ActionID: slow" in client.read_to_end()


def test_a_post_in_one_packet(web: ProxyProcess) -> None:
    """Head and body in one packet are answered."""
    data = "POST / HTTP/1.0\r\nContent-Length: 23\r\n\r\nAction=Ping&ActionID=Foo"

    assert b"Ping: Pong" in raw(web, data[:-1] + "o")


def test_a_script_that_reads_to_the_end_has_it_with_its_answer(web: ProxyProcess) -> None:
    """No time limit passes: the connection is closed behind the answer."""
    answer = raw(web, "GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n")

    assert b"Ping: Pong" in answer
    assert b"\r\nConnection: close\r\n" in answer


def test_raw_blanks_and_bytes_reach_asterisk(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """What stands in a URL unquoted is a value as any other."""
    raw(web, "GET /?Action=UserEvent&UserEvent=raw&V=one two \xe4 HTTP/1.0\r\n\r\n")

    assert any(b"\r\nV: one two \xe4\r\n" in action for action in asterisk.actions("UserEvent"))


def test_an_idle_connection_is_closed(web: ProxyProcess) -> None:
    """A client of HTTP/1.1 that seems to keep its connections has it closed when idle."""
    answer = raw(web, "GET /?Action=Ping HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n")

    assert b"Ping: Pong" in answer
    assert b"\r\nConnection: keep-alive\r\n" in answer


def test_kept_connections_do_not_delay_the_end(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """SIGTERM ends a proxy with kept connections in order, and soon."""
    process = proxy(config(asterisk))
    wait_connected(process)
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
    connection.request("GET", "/?Action=Ping")
    connection.getresponse().read()
    began = time.monotonic()

    assert process.stop(signal.SIGTERM) == 0

    assert time.monotonic() - began < 4
    connection.close()


@pytest.mark.parametrize(
    "data",
    [
        "GET /x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /?Action=Ping&A=" + "b" * 5000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + "A=" * 2500,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        get("/?ProxyAction=SetOutputFormat&OutputFormat=http"),
        get("/?ProxyAction=DropServer"),
        get("/?ProxyAction=AddServer&Server=x&Port=1&Events=on&Secret=y&Username=" + "u" * 300),
        "x" * 300000,
    ],
    ids=short,
)
def test_no_request_ends_the_proxy(web: ProxyProcess, data: str) -> None:
    """What killed the C program is answered, and the proxy lives."""
    with ManagerClient(web.port) as client:
        client.send_raw(data)
        client.half_close()
        assert client.read_to_end().startswith(b"HTTP/1.1 ")
    assert curl(web, "/?Action=Ping")[0] == 200


def test_no_header_can_be_smuggled_in(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """CR and LF in a value are refused; nothing of it reaches Asterisk."""
    before = len(asterisk.received)

    status, _, _ = curl(web, "/?Action=UserEvent&UserEvent=a%0d%0a%0d%0aAction:%20Originate")

    assert status == 400
    assert not any(b"Originate" in action for action in asterisk.received[before:])


def test_separators_in_values(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """%26 and %3D belong to the value."""
    curl(web, "/?Action=UserEvent&UserEvent=sep&V=a%26b%3Dc%2Bd+e")

    assert any(b"\r\nV: a&b=c+d e\r\n" in action for action in asterisk.actions("UserEvent"))


NOISE = [
    "GET ", "POST ", "/", "/?Action=Ping", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n", "\n", "\0",
    "Host: x\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "a" * 2000, "\xff",
    "Expect: 100-continue\r\n", "5\r\nabcde\r\n", "0\r\n\r\n", "Cookie: mansession_id=\r\n",
]  # fmt: skip


def test_noise_on_real_connections(web: ProxyProcess) -> None:
    """Whatever is sent is answered or closed, soon; no traceback, no thread left."""
    generator = random.Random(5)

    def send(pieces: list[str]) -> None:
        with ManagerClient(web.port) as client:
            try:
                client.send_raw("".join(pieces))
                client.half_close()
                answer = client.read_to_end()
            except (ConnectionResetError, BrokenPipeError):
                return
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, [generator.choices(NOISE, k=8) for _ in range(300)]))
    assert "bug in the proxy" not in web.log()
    assert "Traceback" not in web.log() + web.stderr()
    assert curl(web, "/?Action=Ping")[0] == 200
