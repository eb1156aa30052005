# SPDX-License-Identifier: GPL-2.0-or-later
"""The C program as the inner proxy: what it writes is understood, as it was recorded."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess, wait_until
from tests.system.peers import BareServer, host_line, is_response, read_block, value, wait_connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.support import ManagerClient, StartProxy

CONFIG = "authrequired = no\nautofilter = unique\nserverevents = yes\nretryinterval = 0.1\n"
#: Looks like an Asterisk.
HIDDEN = 'forcebanner = "Asterisk Call Manager/11.0.0"\n'
USERS = "[ann]\nsecret = x\nread = all\nwrite = all\nserver = pbx2.example\n"
#: As the C program lists two Asterisks, the second one a further C program.
LISTED = (
    "ProxyResponse: Success\r\n"
    "ProxyListServer I: 192.0.2.1 H: pbx1.example U: ampuser P: 5038 E: on \r\n"
    "ProxyListServer I: 192.0.2.2 H: pbx2.example U: ampuser P: 5038 E: on \r\n\r\n"
)
#: Raw text of an old Asterisk as the C program passes it on.
TEXT = ("Response: Follows", "Privilege: Command", "ActionID: {}", "a", "b", "--END COMMAND--")


class CProxy(BareServer):
    """Writes what the C program does, and what two Asterisks behind it would."""

    def __init__(self) -> None:
        super().__init__(
            script=self.serve,
            banner=b"Asterisk Call Manager Proxy/1.30.0\r\n",
            welcome=self.WELCOME,
        )
        self.actions: list[list[str]] = []
        self.lists = True

    def serve(self, sock: socket.socket) -> None:
        """Answer, as it does: ProxyActions without an ActionID, all else by an Asterisk."""
        while True:
            block = read_block(sock)
            if value(block, "ProxyAction") == "ListServers":
                error = "ProxyResponse: Error\r\nMessage: Action Filtered\r\n\r\n"
                sock.sendall((LISTED if self.lists else error).encode())
                continue
            self.actions.append(block)
            server = (value(block, "Server") or "").lower()
            server = server if server == "pbx2.example" else "pbx1.example"  # the default
            self.say(sock, server, *self.answer(block))

    def answer(self, block: list[str]) -> list[tuple[str, ...]]:
        """Return the messages of an Asterisk that answer *block*."""
        given = value(block, "ActionID") or ""
        if block[0] == "Action: Command":
            return [tuple(line.format(given) for line in TEXT)]
        if block[0] == "Action: SIPpeers":
            return [
                (
                    "Response: Success",
                    f"ActionID: {given}",
                    "Message: Peer status list will follow",
                ),
                ("Event: PeerEntry", "ObjectName: 1"),
                ("Event: PeerlistComplete", f"ActionID: {given}", "ListItems: 1"),
            ]
        return [("Response: Success", f"ActionID: {given}", "Ping: Pong")]

    def say(self, sock: socket.socket, server: str, *messages: tuple[str, ...]) -> None:
        """Send what *server* says: its name is appended, also where there is one."""
        more = ("Server: far",) if server == "pbx2.example" else ()
        for lines in messages:
            sock.sendall("\r\n".join([*lines, *more, f"Server: {server}"]).encode() + b"\r\n\r\n")


@pytest.fixture
def inner() -> Iterator[CProxy]:
    server = CProxy()
    with server:
        yield server


@pytest.fixture
def program(inner: CProxy) -> Iterator[ProxyProcess]:
    line = host_line(inner, options="name=old, proxy=yes")
    with ProxyProcess(CONFIG + line, USERS) as started:
        wait_connected(started)
        yield started


def answer(client: ManagerClient, *lines: str) -> list[str]:
    """Return the answer to the action *lines*."""
    client.send(*lines)
    return client.read_until(is_response)


def line_to(program: ProxyProcess, options: str) -> str:
    """Return the configuration line that makes a proxy connect to *program*."""
    return f"host = 127.0.0.1, {program.port}, proxy, secret, on, off, {options}\n"


def test_what_is_behind_it_is_reached_and_told(inner: CProxy, program: ProxyProcess) -> None:
    """By the hosts that it lists: lists, raw text, events; and each user sees what is theirs."""
    with program.client() as joe, program.client() as ann:
        for client, name in ((joe, "joe"), (ann, "ann")):
            client.ask("Action: Login", f"Username: {name}", "Secret: x")
        ann.read_until("Event: FullyBooted")

        wait_until(lambda: "pbx2.example" in str(joe.ask("ProxyAction: ListServers")))
        for server in ("pbx1.example", "PBX2.example", "192.0.2.2:5038"):
            found = answer(joe, "Action: Command", "Command: x", "ActionID: 1", f"Server: {server}")
            host = "pbx1.example" if server.startswith("pbx1") else "pbx2.example"
            assert found[3:6] == ["a", "b", "--END COMMAND--"]
            assert found[-1] == f"Server: {host}"
        answer(joe, "Action: SIPpeers", "ActionID: 2", "Server: pbx2.example")
        assert "Event: PeerEntry" in joe.read_message()
        assert "ActionID: 2" in joe.read_message()
        assert value(answer(joe, "Action: Ping", "Server: old"), "Server") == "pbx1.example"
        assert value(inner.actions[-1], "Server") is None

        assert answer(ann, "Action: Ping")[-1] == "Server: pbx2.example"
        event = ("Event: Hangup", "Privilege: call,all")
        for server in ("pbx1.example", "pbx2.example"):
            inner.say(inner.links[-1], server, event)
        assert joe.read_message()[-1] == "Server: pbx1.example"
        assert joe.read_message()[-2:] == ["Server: far", "Server: pbx2.example"]
        assert ann.read_message()[-1] == "Server: pbx2.example"


def test_one_that_does_not_list_its_servers_is_known_by_what_passes(
    inner: CProxy, program: ProxyProcess
) -> None:
    """And one that is lost loses them all."""
    inner.lists = False
    with program.client() as client:
        client.ask("Action: Login", "Username: joe", "Secret: x")
        inner.links[-1].shutdown(2)
        client.read_until("Event: ProxyServerConnected")
        wait_until(lambda: len(inner.links) == 2)
        inner.say(inner.links[-1], "pbx3", ("Event: Hangup", "Privilege: call,all"))
        client.read_until("Event: Hangup")
        program.wait_log("does not list its servers")

        assert value(answer(client, "Action: Ping", "Server: pbx3"), "Response") == "Success"
        assert value(inner.actions[-1], "Server") == "pbx3"

        inner.stop()
        client.read_until("Server: pbx3")
        error = value(answer(client, "Action: Ping", "Server: pbx3"), "Message")
        assert error == "Server old, which pbx3 is behind, is not connected"


def test_a_ring_is_cut_with_a_proxy_in_it_that_adds_its_own_server(proxy: StartProxy) -> None:
    """As the C program does, which tells nobody who it is: when the first message comes back."""
    config = HIDDEN + CONFIG
    event = b"Event: Hangup\r\nPrivilege: call,all\r\nN: %d\r\n\r\n"
    with BareServer() as server:
        first = proxy(config)
        second = proxy(config + line_to(first, "name=first"))
        wait_connected(second)
        own = host_line(server, options="name=pbx")
        ring = line_to(second, "name=second, proxy=yes")
        first.write_config(config + own + ring)
        first.send_signal(signal.SIGHUP)
        wait_connected(first, 2)
        with first.client() as client:
            client.send("Action: Challenge", "AuthType: MD5")
            client.read_until(is_response)

            sent = 0

            def is_cut() -> bool:
                nonlocal sent
                if time.monotonic() >= began + sent:  # a question is asked once a second at most
                    server.wait_link().sendall(event % 1)
                    sent += 1
                # Either side may find out first.
                return "given up until" in first.log() + second.log()

            began = time.monotonic()
            wait_until(is_cut)
            server.wait_link().sendall(event % 2)
            heard = 0
            while "N: 2" not in (message := client.read_message()):
                heard += "N: 1" in message
            assert 1 <= heard <= 9 * sent
