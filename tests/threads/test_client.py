# SPDX-License-Identifier: GPL-2.0-or-later
"""One client's thread over a socket pair: from the first byte until it has left."""

from __future__ import annotations

import dataclasses
import logging
import socket
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.formats import Refused
from amiproxy.message import Message
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.wire.batch import Batch
from amiproxy.wire.framing import Chunk
from tests.support import wait_until
from tests.threads.actions.support import FORMATS
from tests.threads.served import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.link import AsteriskLink
    from tests.threads.conftest import MakePair

BANNER = b"Asterisk Call Manager/1.0\r\n"
PONG = b"Response: Error\r\nMessage: No Asterisk server connected\r\n\r\n"
GOODBYE = b"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n"
WAITED = b"Response: Success\r\nMessage: Waiting for Event completed.\r\n\r\n"
COMPLETE = b"Event: WaitEventComplete\r\n\r\n"


@pytest.fixture
def served(pair: MakePair) -> Iterator[Any]:
    """Make clients, not served yet; their threads end with the test."""
    made: list[Served] = []

    def make(*args: Any, **settings: Any) -> Served:
        made.append(Served(pair, *args, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_a_client_is_greeted_answered_and_let_go(served: Any) -> None:
    """A logoff closes the connection."""
    client = served().start()
    client.expect(BANNER)

    client.sock.sendall(b"Action: Ping\r\n\r\nAction: Logoff\r\n\r\nAction: Ping\r\n\r\n")

    client.expect_end(PONG, GOODBYE)


def answer(client: Served, link: AsteriskLink, block: bytes, event: str = "") -> None:
    """Answer what went upstream in *block*, or send an *event* of it."""
    lines = [f"Event: {event}"] if event else []
    lines += ["Response: Success", f"ActionID: {Message(block).get('ActionID')}", "Server: pbx"]
    raw = Message.of(*lines).raw
    Publisher(link, client.router).publish(Chunk(raw))


def block_of(sock: socket.socket) -> bytes:
    """Return the next block that the proxy sent upstream."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += sock.recv(1)
    return data


def test_a_half_closed_client_stays_until_asterisk_answers(served: Any) -> None:
    """Asterisk is asked after a while whether any answer will come; what is not whole is dropped."""
    client = served()
    link, theirs = client.asterisk()
    client.start()

    client.sock.sendall(b"Action: Lost\r\n\r\nAction: Pi")
    client.sock.shutdown(socket.SHUT_WR)

    assert block_of(theirs).startswith(b"Action: Lost\r\n")
    assert client.thread.is_alive()
    answer(client, link, block_of(theirs))  # a Ping of the proxy's own
    client.expect_end(BANNER)


def test_logoff_waits_for_answers_under_way(served: Any) -> None:
    """As with Asterisk, which answers in order."""
    client = served()
    link, theirs = client.asterisk()
    client.start()

    client.sock.sendall(b"Action: Ping\r\n\r\nProxyAction: Logoff\r\n\r\n")

    asked = block_of(theirs)
    client.expect(BANNER)
    assert client.thread.is_alive()
    answer(client, link, asked)
    client.expect_end(b"Response: Success\r\nServer: pbx\r\n\r\n", GOODBYE)


def test_the_input_format_changes_between_two_blocks_of_a_packet(served: Any) -> None:
    """What follows is read in the new format, whatever one packet holds."""
    client = served().start()
    switch = b"ProxyAction: SetInputFormat\r\nInputFormat: json\r\n\r\n"

    client.sock.sendall(switch + b'{"Action": "Ping"}\n')

    client.expect(BANNER, b"ProxyResponse: Success\r\nInputFormat: json\r\n\r\n", PONG)


def test_a_refused_block_is_answered(served: Any) -> None:
    """The client stays, and what follows is carried out."""
    client = served(max_line=40).start()
    client.expect(BANNER)

    client.sock.sendall(b"Action: " + b"x" * 60 + b"\r\n\r\nAction: Ping\r\n\r\n")
    client.expect(b"Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n")
    client.expect(PONG)


class Refusing:
    """A reader that refuses all it is fed."""

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Refuse *data*."""
        return [Refused(Message.of("Response: Error"), f"{len(data)} bytes", close=True)]


def test_a_refusal_may_end_the_session(served: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets the reply, the log the reason."""
    client = served()
    refusing = dataclasses.replace(FORMATS["standard"], reader=lambda _: Refusing())
    client.context.formats = {**FORMATS, "standard": refusing}
    client.start()

    client.sock.sendall(b"1234")

    client.expect_end(BANNER, b"Response: Error\r\n\r\n")
    assert "client: 4 bytes" in caplog.text.replace("peer", "client")


def test_tls_on_a_plain_port_is_refused(served: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A client hello is not AMI."""
    client = served().start()
    client.expect(BANNER)

    client.sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")

    assert client.sock.recv(1) == b""
    client.stop()
    assert "TLS" in caplog.text


def test_a_client_that_does_not_log_in_in_time_goes(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """After authtimeout; its slot is free again."""
    client = served("joe=secret", auth_required=True, auth_timeout=0.02).start()

    client.expect_end(BANNER)

    assert "not logged in within 0.02 s (authtimeout)" in caplog.text


def test_a_client_that_has_logged_in_may_stay(served: Any) -> None:
    """And no longer counts as one that has not."""
    client = served("joe=secret", auth_required=True, auth_timeout=60).start()
    client.expect(BANNER)

    client.sock.sendall(b"Action: Login\r\nUsername: joe\r\nSecret: secret\r\n\r\n")

    client.expect(b"Response: Success\r\n")
    wait_until(lambda: not client.slot.unauthenticated)


def test_actions_wait_behind_a_waitevent(served: Any) -> None:
    """Which is over when the client has been told something, or its time has come."""
    client = served().start()
    client.expect(BANNER)

    client.sock.sendall(b"Action: WaitEvent\r\nTimeout: 0\r\n\r\nAction: Ping\r\n\r\n")
    client.expect(WAITED, COMPLETE, PONG)

    client.sock.sendall(b"Action: WaitEvent\r\n\r\nAction: Ping\r\n\r\n")
    (session,) = client.router.registry.snapshot()
    wait_until(lambda: session.waiting_for_event is not None)
    with session.lock:
        session.waiting_for_event.told = True
    client.expect(WAITED, COMPLETE, PONG)


def test_half_close_ends_a_waitevent(served: Any) -> None:
    """As in Asterisk."""
    client = served().start()

    client.sock.sendall(b"Action: WaitEvent\r\n\r\n")
    client.sock.shutdown(socket.SHUT_WR)

    client.expect_end(BANNER, WAITED, COMPLETE)


def test_what_comes_behind_a_waitevent_is_bounded(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """By maxblock; more ends the session."""
    client = served(max_block=2000).start()
    client.expect(BANNER)
    client.sock.sendall(b"Action: WaitEvent\r\n\r\n")
    (session,) = client.router.registry.snapshot()
    wait_until(lambda: session.waiting_for_event is not None)

    client.sock.sendall(b"x" * 3000)

    client.thread.join(10)
    assert "bytes behind a WaitEvent (maxblock)" in caplog.text


def test_a_proxy_that_stops_says_so_to_a_client_that_comes_late(served: Any) -> None:
    """It is not served any more."""
    client = served()
    client.context.stopping.set()
    client.start()

    client.expect_end(BANNER, b"ProxyMessage: Proxy Shutting Down\r\n\r\n")


@pytest.mark.parametrize("what", ["end", "slot"])
def test_a_client_can_be_let_go_from_any_thread(
    served: Any, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By its session or by its slot; the log says why."""
    caplog.set_level(logging.INFO)
    client = served().start()
    client.expect(BANNER)
    wait_until(client.router.registry.snapshot)
    (session,) = client.router.registry.snapshot()

    (session if what == "end" else client.slot).end("because")

    client.expect_end()
    assert "because" in caplog.text


def test_a_handler_that_cannot_greet_ends_its_clients_session_only(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With a line in the log that names it."""
    client = served()

    def onconnect(banner: str) -> bytes:
        raise KeyError(banner)

    client.context.formats = {
        **FORMATS,
        "standard": dataclasses.replace(FORMATS["standard"], onconnect=onconnect),
    }
    client.start()

    client.expect_end()
    assert "handler standard: cannot greet: KeyError" in caplog.text


def test_what_comes_once_a_client_is_greeted_is_sent_to_it(served: Any) -> None:
    """Behind the greeting, however soon that is."""
    client = served()
    event = Message.of("Event: Tick", "Privilege: call,all").raw

    def onconnect(banner: str) -> bytes:
        client.router.publish(Batch("pbx", event))
        return f"{banner}\r\n".encode()

    client.context.formats = {
        **FORMATS,
        "standard": dataclasses.replace(FORMATS["standard"], onconnect=onconnect),
    }
    client.start()

    client.expect(BANNER, event)


def test_a_format_of_questions_and_answers_is_served_as_such(served: Any) -> None:
    """http, on a port of its own."""
    client = served(input_format="http").start()

    client.sock.sendall(b"GET /?ProxyAction=ListServers HTTP/1.0\r\n\r\n")
    data = b""
    while more := client.sock.recv(65536):
        data += more
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert Message.of("ProxyResponse: Success").raw[:-2] in data
