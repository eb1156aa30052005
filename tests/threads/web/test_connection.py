# SPDX-License-Identifier: GPL-2.0-or-later
"""One HTTP connection over a real socket: what takes too long, and what fails inside."""

from __future__ import annotations

import socket
import threading

import pytest

from amiproxy.access.user import Users
from amiproxy.errors import PeerError
from amiproxy.formats import Format, load_formats
from amiproxy.settings.config import Config
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.web import connection
from amiproxy.threads.web.sessions import WebSessions
from tests.support import ROOT

FORMATS = load_formats(ROOT / "handlers")
PING = b"GET /?ProxyAction=ListServers HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def serve():
    """Serve one connection in a thread; return the client's socket."""
    ends = []

    def start(formats=FORMATS, **settings):
        context = ProxyContext(
            Config(**settings), Users(), formats, None, Router(SessionRegistry()), control=None
        )
        sessions = WebSessions(context.router.registry)
        ours, theirs = socket.socketpair()
        transport = Transport(ours, "client x", write_timeout=1, max_backlog=100000)

        def run():
            conversation = FORMATS["http"].conversation(context.limits)
            try:
                connection.serve(context, sessions, transport, conversation, "192.0.2.1")
            except PeerError:
                pass
            finally:
                transport.close()

        thread = threading.Thread(target=run)
        thread.start()
        ends.append((sessions, thread, theirs))
        theirs.settimeout(10)
        return theirs, context

    yield start
    for sessions, thread, theirs in ends:
        theirs.close()
        thread.join(10)
        sessions.close()
        assert not thread.is_alive()


def read_all(sock):
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("HEAD_TIME", b"GET /?Action"),
        ("HEAD_TIME", b"GET / HTTP/1.1\r\nHost: x\r\n"),
        ("REQUEST_TIME", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nAct"),
    ],
)
def test_a_slow_request_is_408(serve, monkeypatch, name, data):
    """A request that is not whole in time is answered and its connection closed."""
    monkeypatch.setattr(connection, name, 0.2)
    client, _ = serve()

    client.sendall(data)

    answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Connection: close\r\n" in answer


def test_dribbling_does_not_help(serve, monkeypatch):
    """The time counts for the whole request, not for each piece."""
    monkeypatch.setattr(connection, "HEAD_TIME", 0.3)
    client, _ = serve()
    stop = threading.Event()

    def dribble():
        while not stop.wait(0.05):
            try:
                client.sendall(b"G")
            except OSError:
                return

    thread = threading.Thread(target=dribble)
    thread.start()
    answer = read_all(client)
    stop.set()
    thread.join()

    assert answer.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))


def test_an_idle_connection_is_closed_without_a_word(serve, monkeypatch):
    """Neither a client that never asks nor one that asks no more is answered."""
    monkeypatch.setattr(connection, "HEAD_TIME", 0.2)
    monkeypatch.setattr(connection, "IDLE_TIME", 0.2)
    silent, _ = serve()
    assert read_all(silent) == b""

    done, _ = serve()
    done.sendall(PING)
    assert read_all(done).count(b"HTTP/1.1 ") == 1


def test_a_stop_ends_idle_connections(serve):
    """When the proxy stops nobody waits for a client's next request."""
    client, context = serve()
    client.sendall(PING)
    assert client.recv(65536).startswith(b"HTTP/1.1 200")

    context.stopping.set()

    assert client.recv(65536) == b""


def broken(message):
    raise RuntimeError(message.raw)


def test_a_broken_handler_is_500(serve):
    """A handler that raises hurts its own client only, with a status."""
    formats = {
        **FORMATS,
        "broken": Format("broken", broken, None, None, None, "text/plain", wire=False),
    }
    client, _ = serve(formats)

    client.sendall(PING.replace(b" HTTP", b"&format=broken HTTP") + PING)

    answer = client.recv(65536)
    while answer.count(b"HTTP/1.1 ") < 2:
        answer += client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in answer


def test_who_sends_and_never_reads_is_let_go(serve, monkeypatch):
    """A client that keeps asking and takes no answer does not fill the memory."""
    monkeypatch.setattr(connection, "WRITE_TIME", 0.3)
    client, _ = serve()
    client.settimeout(0.5)

    with pytest.raises(OSError, match=r"timed out|Broken pipe|reset"):
        send_for_ever(client)


def send_for_ever(client):
    while True:
        client.sendall(PING * 100)


def test_there_is_an_end_of_web_sessions(serve, monkeypatch):
    """A log-in that would be one session too many is 503."""
    monkeypatch.setattr("amiproxy.threads.web.sessions.MOST", 0)
    client, context = serve()

    client.sendall(b"GET /rawman?action=login HTTP/1.0\r\n\r\n")

    assert read_all(client).startswith(b"HTTP/1.1 503 ")
    assert context.router.registry.snapshot() == ()
