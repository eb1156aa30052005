# SPDX-License-Identifier: GPL-2.0-or-later
"""One HTTP connection over a real socket: what takes too long, and what fails inside."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.formats import Format
from amiproxy.threads.web.connection import WebTimes
from tests.threads.actions.support import FORMATS
from tests.threads.web.support import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.message import Message

    Serve = Callable[..., Served]

PING = b"GET /?ProxyAction=ListServers HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one connection; it ends with the test."""
    served: list[Served] = []

    def start(*args: Any, **options: Any) -> Served:
        served.append(Served(*args, **options))
        return served[-1]

    yield start
    for each in served:
        each.stop()


@pytest.mark.parametrize(
    ("times", "data"),
    [
        (WebTimes(head=0.05), b"GET /?Action"),
        (WebTimes(head=0.05), b"GET / HTTP/1.1\r\nHost: x\r\n"),
        (WebTimes(request=0.05), b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nAct"),
    ],
)
def test_a_slow_request_is_408(serve: Serve, times: WebTimes, data: bytes) -> None:
    """A request that is not whole in time is answered and its connection closed."""
    client = serve(times=times)

    client.sock.sendall(data)

    answer = client.read_to_end()
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Connection: close\r\n" in answer


def test_sending_byte_by_byte_gains_no_time(serve: Serve) -> None:
    """The time counts for the whole request, not for each piece."""
    client = serve(times=WebTimes(head=0.1, linger=0.05))
    over = threading.Event()

    def dribble() -> None:
        for byte in itertools.cycle(b"G"):
            try:
                client.sock.sendall(bytes([byte]))
            except OSError:
                return
            if over.wait(0.01):
                return

    thread = threading.Thread(target=dribble)
    thread.start()
    answer = client.read_answers(1)
    over.set()
    thread.join()

    assert answer.startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed_without_a_word(serve: Serve) -> None:
    """Neither a client that never asks nor one that asks no more is answered."""
    silent = serve(times=WebTimes(head=0.05))
    assert silent.read_to_end() == b""

    done = serve(times=WebTimes(idle=0.05))
    done.sock.sendall(PING)
    assert done.read_to_end().count(b"HTTP/1.1 ") == 1


def test_a_stop_ends_idle_connections(serve: Serve) -> None:
    """When the proxy stops nobody waits for a client's next request."""
    client = serve()
    client.sock.sendall(PING)
    assert client.read_answers(1).startswith(b"HTTP/1.1 200")

    client.context.stopping.set()

    assert client.sock.recv(65536) == b""


def test_who_has_just_connected_is_answered_though_the_proxy_stops(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request is on its way; the next one is not waited for."""
    monkeypatch.setattr("amiproxy.threads.web.connection._POLL_INTERVAL", 0.01)
    client = serve(times=WebTimes(fresh=10.0))
    client.context.stopping.set()
    client.sock.settimeout(0.1)
    with pytest.raises(socket.timeout):
        client.sock.recv(1)
    client.sock.settimeout(10)

    client.sock.sendall(PING)

    answer = client.read_to_end()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nConnection: close\r\n" in answer.replace(b"connection", b"Connection")


def broken(message: Message) -> bytes:
    """Raise, as a handler may."""
    raise RuntimeError(message.raw)


def test_a_broken_handler_is_500(serve: Serve) -> None:
    """A handler that raises hurts its own client only, with a status."""
    form = Format("broken", broken, None, None, None, "text/plain", wire=False)
    client = serve({**FORMATS, "broken": form})

    client.sock.sendall(PING.replace(b" HTTP", b"&format=broken HTTP") + PING)

    answer = client.read_answers(2)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in answer


def test_a_client_that_never_reads_is_dropped(serve: Serve) -> None:
    """A client that keeps asking and takes no answer does not fill the memory."""
    client = serve(times=WebTimes(write=0.1))
    client.sock.settimeout(0.5)

    with pytest.raises(OSError, match=r"timed out|Broken pipe|reset"):
        send_for_ever(client)


def send_for_ever(client: Served) -> None:
    """Ask, and read nothing."""
    while True:
        client.sock.sendall(PING * 100)


def test_there_is_an_end_of_web_sessions(serve: Serve) -> None:
    """A log-in that would be one session too many is 503."""
    client = serve(most=0)

    client.sock.sendall(b"GET /rawman?action=login HTTP/1.0\r\n\r\n")

    assert client.read_to_end().startswith(b"HTTP/1.1 503 ")
    assert client.context.registry.snapshot() == ()
