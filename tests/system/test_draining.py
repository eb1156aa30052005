# SPDX-License-Identifier: GPL-2.0-or-later
"""A stop cuts nothing: what is under way is finished, and then everybody is told."""

from __future__ import annotations

import contextlib
import re
import select
import signal
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.control.client import ask
from simulator.server import SimulatedAsterisk
from tests.support import is_listening, wait_until
from tests.system.peers import PATIENT, BareServer, certificate, host_line, wait_connected
from tests.system.web.support import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.protocol import Action
    from tests.support import ManagerClient, ProxyProcess, StartProxy

GOODBYE = b"ProxyMessage: Proxy Shutting Down\r\n\r\n"
UNIQUE = PATIENT + "autofilter = unique\n"
LONG = UNIQUE + "drainseconds = 20\n"


class Held:
    """An Asterisk that answers CoreStatus when it is let, and everything else at once."""

    def __init__(self, asterisk: SimulatedAsterisk) -> None:
        self.asterisk = asterisk
        self.let = threading.Event()
        asterisk.answer("CoreStatus", self._answer)

    def _answer(self, action: Action) -> bytes:
        self.let.wait(20)
        return (
            f"Response: Success\r\nActionID: {action.get('ActionID')}\r\nCoreVersion: x\r\n\r\n"
        ).encode()

    def wait_asked(self) -> None:
        self.asterisk.wait_for_action("CoreStatus")


@pytest.fixture
def held() -> Iterator[Held]:
    """An Asterisk whose answer to CoreStatus the test sends off."""
    with SimulatedAsterisk() as asterisk:
        made = Held(asterisk)
        yield made
        made.let.set()


@contextlib.contextmanager
def frozen(program: ProxyProcess) -> Iterator[None]:
    """Send what the proxy reads only when it is told to stop."""
    program.send_signal(signal.SIGSTOP)
    try:
        yield
        program.send_signal(signal.SIGTERM)
    finally:
        program.send_signal(signal.SIGCONT)


def begin_to_stop(program: ProxyProcess) -> None:
    """Have the proxy stop, and return when it does."""
    program.send_signal(signal.SIGTERM)
    program.wait_log("-- stopping")
    wait_until(lambda: not is_listening(program.port), what="nobody is accepted")


@pytest.mark.parametrize(("command", "comes"), [("shutdown", False), ("shutdown --drain", True)])
def test_the_operator_may_give_clients_more_time(
    proxy: StartProxy, held: Held, command: str, *, comes: bool
) -> None:
    """A minute, where ``drainseconds`` gives them none."""
    config = UNIQUE + "drainseconds = 0\ncontrolsocket = {dir}/c.sock\n"
    program = proxy(config + host_line(held.asterisk), "")
    wait_connected(program)
    with program.client() as client:
        client.send("Action: CoreStatus")
        held.wait_asked()

        assert ask(str(program.dir / "c.sock"), command, timeout=10).is_good
        program.wait_log("-- stopping")
        if not comes:
            client.read_to(GOODBYE)
        held.let.set()

        assert (b"CoreVersion: x" in client.read_to_end()) is comes


@pytest.mark.parametrize("tls", [False, True])
def test_an_answer_under_way_comes_before_the_goodbye(
    proxy: StartProxy, held: Held, tmp_path: Path, *, tls: bool
) -> None:
    """And nothing comes behind it; in TLS the end is said, too."""
    pem = certificate(tmp_path)
    config = LONG + f'acceptencryptedconnection = yes\ncertfile = "{pem}"\n'
    with contextlib.ExitStack() as stack:
        second = stack.enter_context(SimulatedAsterisk("127.0.0.2"))
        program = proxy(config + host_line(held.asterisk) + host_line(second))
        wait_connected(program, 2)
        client = stack.enter_context(program.client(tls=tls))
        idle = stack.enter_context(program.client())
        client.send("Action: CoreStatus", "ActionID: 1")
        held.wait_asked()
        begin_to_stop(program)
        assert idle.read_to_end() == GOODBYE  # who waits for nothing is told at once
        second.event("UserEvent", UserEvent="Late")
        client.read_until("UserEvent: Late")
        held.let.set()

        client.read_until("CoreVersion: x")
        assert client.read_message() == ["ProxyMessage: Proxy Shutting Down"]
        if tls:
            assert isinstance(client.sock, ssl.SSLSocket)
            client.sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        assert client.sock.recv(100) == b""
        assert program.process.wait(10) == 0
        assert "bug" not in program.log()


def test_what_a_client_has_sent_before_is_carried_out(proxy: StartProxy, held: Held) -> None:
    """Its bytes lie in the socket, or its actions wait for others; what is cut off is dropped."""
    program = proxy(LONG + "maxunanswered = 1\n" + host_line(held.asterisk))
    wait_connected(program)
    with program.client() as client, program.client() as other:
        other.send("Action: CoreStatus", "ActionID: 1")
        held.wait_asked()
        with frozen(program):
            # More than one read takes.
            pings = [f"Action: Ping\r\nActionID: {number:070}\r\n\r\n" for number in range(200)]
            client.send_raw("".join(pings) + "Act")
            other.send("Action: Ping", "ActionID: 2")
        held.let.set()

        said = client.read_to_end()
        answered = re.findall(rb"ActionID: (\d+)\r\n", said)
        assert [int(number) for number in answered] == list(range(200))
        assert said.endswith(b"\r\n\r\n" + GOODBYE)
        said = other.read_to_end()
        assert said.index(b"ActionID: 1\r\n") < said.index(b"ActionID: 2\r\n")
        assert said.endswith(b"\r\n\r\n" + GOODBYE)
    assert program.process.wait(10) == 0
    assert "bug" not in program.log()


def test_who_has_just_connected_is_served(proxy: StartProxy, held: Held) -> None:
    """The banner, the answer to what came at once, and the goodbye."""
    program = proxy(LONG + host_line(held.asterisk))
    wait_connected(program)
    clients: list[ManagerClient] = []
    with contextlib.ExitStack() as stack:
        for number in range(20):
            client = stack.enter_context(program.client(banner=False))
            client.send("Action: Ping", f"ActionID: {number}")
            clients.append(client)
        wait_until(lambda: program.log().count("Connection received") == 20)
        program.send_signal(signal.SIGTERM)
        for number, client in enumerate(clients):
            said = client.read_to_end()
            assert said.startswith(b"Asterisk Call Manager Proxy/")
            assert b"ActionID: %d\r\n" % number in said
            assert said.endswith(GOODBYE)


def test_an_answer_that_does_not_come_is_not_waited_for_ever(proxy: StartProxy, held: Held) -> None:
    """drainseconds; then the client is told all the same."""
    program = proxy(UNIQUE + "drainseconds = 0.5\n" + host_line(held.asterisk))
    wait_connected(program)
    with program.client() as client:
        client.send("Action: CoreStatus", "ActionID: 1")
        held.wait_asked()
        start = time.monotonic()
        program.send_signal(signal.SIGTERM)

        assert client.read_to_end() == GOODBYE
        assert program.process.wait(10) == 0
        assert time.monotonic() - start >= 0.5


def test_without_drainseconds_nothing_is_waited_for(proxy: StartProxy, held: Held) -> None:
    """Everybody is told at once."""
    program = proxy(UNIQUE + "drainseconds = 0\n" + host_line(held.asterisk))
    wait_connected(program)
    with program.client() as client:
        client.send("Action: CoreStatus", "ActionID: 1")
        held.wait_asked()

        assert program.stop() == 0
        assert client.read_to_end() == GOODBYE


def test_a_waitevent_ends_with_its_completion(proxy: StartProxy, held: Held) -> None:
    """As when anything else ends it."""
    program = proxy(LONG + host_line(held.asterisk))
    wait_connected(program)
    with program.client() as client:
        client.send("Action: Ping")
        client.read_until("Ping: Pong")
        client.send("Action: WaitEvent", "ActionID: w", "Timeout: 600")
        begin_to_stop(program)

        said = client.read_to_end()
        assert said.startswith(b"Response: Success\r\nActionID: w\r\n")
        assert said.endswith(b"Event: WaitEventComplete\r\nActionID: w\r\n\r\n" + GOODBYE)


def test_a_slow_client_gets_all_that_was_left_for_it(proxy: StartProxy) -> None:
    """Megabytes that it has not read: each message whole, the goodbye last."""
    event = b"Event: Big\r\nPrivilege: call,all\r\nX: " + b"y" * 50_000 + b"\r\n\r\n"
    with BareServer() as server:
        program = proxy(LONG + "serverheader = no\n" + host_line(server))
        link = server.wait_link()
        wait_connected(program)
        with program.client() as client:
            client.send("ProxyAction: ListServers")
            client.read_until("ProxyResponse: Success")
            with program.client() as other:
                other.send("ProxyAction: ListServers")
                other.read_until("ProxyResponse: Success")
                link.sendall(event * 400)
                link.sendall(b"Event: Last\r\nPrivilege: call,all\r\n\r\n")
                other.read_until("Event: Last")
            begin_to_stop(program)
            said = b""
            while data := client.sock.recv(200_000):
                said += data
                time.sleep(0.005)

    assert said == event * 400 + b"Event: Last\r\nPrivilege: call,all\r\n\r\n" + GOODBYE


@pytest.mark.parametrize("tls", [False, True])
def test_who_goes_on_sending_reads_an_end_and_no_reset(
    proxy: StartProxy, held: Held, tmp_path: Path, *, tls: bool
) -> None:
    """A reset would take along what the client has not read yet."""
    pem = certificate(tmp_path)
    config = LONG + f'acceptencryptedconnection = yes\ncertfile = "{pem}"\n'
    program = proxy(config + host_line(held.asterisk))
    wait_connected(program)
    with program.client(tls=tls) as client:
        client.sock.settimeout(20)
        client.send("Action: Ping", "ActionID: x")
        program.send_signal(signal.SIGTERM)
        said, data = b"", b"-"
        # In one thread: OpenSSL allows one call at a time.
        while data:
            with contextlib.suppress(OSError):
                client.send("Action: Ping", "ActionID: x")
            pending = client.sock.pending() if isinstance(client.sock, ssl.SSLSocket) else 0
            if pending or select.select([client.sock], [], [], 0.001)[0]:
                data = client.sock.recv(65536)
                said += data

    assert said.endswith(b"\r\n\r\n" + GOODBYE)
    assert b"ActionID: x\r\n" in said
    assert "bug" not in program.log()


# -- web requests ------------------------------------------------------------------------------


def request(target: str, *headers: str) -> str:
    """Return a GET that leaves the connection open."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *headers]) + "\r\n\r\n"


def test_web_requests_are_finished(proxy: StartProxy, held: Held) -> None:
    """One that is answered, one that has come in part, one that is on its way; not a fourth."""
    program = proxy(LONG + "inputformat = http\n" + host_line(held.asterisk))
    wait_connected(program)
    with contextlib.ExitStack() as stack:
        asking, half, fresh, idle = (
            stack.enter_context(program.client(banner=False)) for _ in range(4)
        )
        idle.send_raw(request("/?Action=Ping"))
        idle.read_to(b"Pong")
        asking.send_raw(request("/?Action=CoreStatus"))
        held.wait_asked()
        half.send_raw("GET /?Action=Ping HTTP/1.1\r\nHo")
        wait_until(lambda: program.log().count("Connection received") == 4)
        with frozen(program):
            fresh.send_raw(request("/?Action=Ping"))
        half.send_raw("st: x\r\n\r\n")
        held.let.set()

        for client, wanted in ((fresh, "Pong"), (half, "Pong"), (asking, "CoreVersion: x")):
            status, headers, body = parse(client.read_to_end())
            assert (status, headers["connection"]) == (200, "close")
            assert wanted in body
        idle.read_to_end()
    assert program.process.wait(10) == 0


def test_a_request_that_does_not_come_in_time_is_told_why(proxy: StartProxy, held: Held) -> None:
    """503, and the stop is not kept up."""
    program = proxy(UNIQUE + "inputformat = http\ndrainseconds = 0.3\n" + host_line(held.asterisk))
    with program.client(banner=False) as client:
        client.send_raw("GET /?Action=Ping HTTP/1.1\r\nHo")
        wait_until(lambda: "Connection received" in program.log())
        assert program.stop() == 0
        status, _, body = parse(client.read_to_end())
    assert (status, "shutting down" in body) == (503, True)


def test_a_web_clients_waitevent_is_answered(proxy: StartProxy, held: Held) -> None:
    """With what has come so far."""
    program = proxy(LONG + "inputformat = http\n" + host_line(held.asterisk))
    wait_connected(program)
    with program.client(banner=False) as client:
        client.send_raw(request("/rawman?action=waitevent&timeout=40"))
        wait_until(lambda: "Connection received" in program.log())
        assert program.stop() == 0
        status, _, body = parse(client.read_to_end())
    assert (status, "WaitEventComplete" in body) == (200, True)
