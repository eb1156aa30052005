# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions about servers: what they are called, how they are, and whose they are."""

from __future__ import annotations

import dataclasses
import time

import pytest

from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions import pausing
from amiproxy.threads.sessions.link import AsteriskLink
from tests.threads.actions.support import Client, Control

ADD = [
    "ProxyAction: AddServer",
    "Server: PBX9",
    "Port: 5038",
    "Username: u",
    "Secret: s",
    "Events: on",
]
BOB = "[bob]\nsecret = s\nread = all\nwrite = all\nserver = b\nproxyactions = all, operator\n"


def link(host: str, port: int, name: str = "") -> AsteriskLink:
    return AsteriskLink(ServerSpec(host, port, "u", "secret", name=name), ActionIds())


def client_of(users: str = "", control: Control | None = None) -> Client:
    """Return a client with two servers, the first of them connected; its user has the second."""
    client = Client(users, control=control)
    client.context.router.servers = (link("192.0.2.1", 5038), link("192.0.2.1", 5039, "b"))
    first = client.context.router.servers[0]
    first.record.up()
    first.go_live()
    if users:
        client.handle("Action: Login", "Username: bob", "Secret: s")
    return client


def test_without_new_keys_the_lists_are_those_of_the_c_program() -> None:
    """No line more: programs may count them."""
    client = client_of()
    context = client.context
    context.router.servers = context.router.servers[:1]

    assert len(client.ask("ProxyAction: ListServers")) == 2
    assert client.ask("ProxyAction: ListSessions")[-1] == "ProxyServerSession: 192.0.2.1"
    context.config = dataclasses.replace(context.config, server_events=True)
    assert "ProxyServerState: connected" in client.ask("ProxyAction: ListServers")


def test_listservers_tells_what_servers_are_called_and_how_they_are() -> None:
    """Behind the lines of the C program; since when as Unix time, why only of what is away."""
    client = client_of()
    first, second = client.context.router.servers
    began = int(time.time())

    def states() -> list[str]:
        lines = client.ask("ProxyAction: ListServers")
        assert lines[:3] == [
            "ProxyResponse: Success",
            "ProxyListServer I: 192.0.2.1 H: 192.0.2.1 U: u P: 5038 E: on ",
            "ProxyListServer I: 192.0.2.1 H: 192.0.2.1 U: u P: 5039 E: on ",
        ]
        since = [line.partition(": ")[2] for line in lines if "Since" in line]
        assert all(began - 2 <= int(each) <= time.time() for each in since)
        assert len(since) == 2
        return [line for line in lines[3:] if "Since" not in line]

    one = ["ProxyServer: 192.0.2.1", "ProxyServerState: connected"]
    assert states() == [*one, "ProxyServer: b", "ProxyServerState: connecting"]
    second.record.down("1.2.3.4: refused", "refused", 1.0)
    reason = "ProxyServerReason: refused"
    assert states() == [*one, "ProxyServer: b", "ProxyServerState: connecting", reason]
    second.record.up()
    second.record.down("1.2.3.4: refused", "refused", 1.0)
    assert states() == [*one, "ProxyServer: b", "ProxyServerState: lost", reason]
    second.given_up = True
    assert states() == [*one, "ProxyServer: b", "ProxyServerState: given up", reason]
    pausing.pause(first)
    assert states()[1] == "ProxyServerState: paused"
    sessions = client.ask("ProxyAction: ListSessions")
    assert sessions[5:7] == ["ProxyServerSession: 192.0.2.1"] * 2
    assert [line for line in sessions[7:] if "Since" not in line] == states()


def test_a_user_with_servers_lists_these_only() -> None:
    """The others are not even named."""
    client = client_of(BOB)

    for action in ("ListServers", "ListSessions"):
        lines = client.ask(f"ProxyAction: {action}")
        assert [line for line in lines if "ProxyServer: " in line] == ["ProxyServer: b"]
        assert not [line for line in lines if "5038" in line]


@pytest.mark.parametrize(
    ("lines", "is_open"),
    [
        (["DropServer", "Server: b"], True),
        (["DropServer", "Server: 192.0.2.1:5038"], False),
        (["DropServer", "Server: 192.0.2.1"], False),
        (["DropServer", "Server: nosuch"], False),
        (["PauseServer", "Server: b"], True),
        (["PauseServer"], False),
        (["ResumeServer", "Server: 192.0.2.1:5038"], False),
        (["ReconnectServer", "Server: nosuch"], False),
        ([ADD[0].partition(" ")[2], *ADD[1:]], False),
        ([ADD[0].partition(" ")[2], *ADD[1:], "Name: B"], True),
    ],
)
def test_a_user_with_servers_changes_these_only(lines: list[str], is_open: bool) -> None:
    """Whatever ProxyActions they may call."""
    client = client_of(BOB, Control("b", "192.0.2.1", "192.0.2.1:5038"))

    answer = client.ask(f"ProxyAction: {lines[0]}", *lines[1:])

    assert (answer[0] == "ProxyResponse: Success") is is_open
    assert is_open or "not open to this user" in answer[1]


def test_addserver_gives_a_name() -> None:
    """In lower case; what no host line could have is a failure."""
    client = Client()

    assert client.ask(*ADD, "Name: Queue-1")[0] == "ProxyResponse: Success"
    assert [spec.name for spec in client.control.added] == ["queue-1"]
    assert client.ask(*ADD, "Name: a b")[0] == "ProxyResponse: Failure"
