# SPDX-License-Identifier: GPL-2.0-or-later
"""Ids of events and what a client has missed, through the running program."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING, NamedTuple

import pytest

from amiproxy.threads.control.client import ask
from tests.support import ManagerClient, ProxyProcess, wait_until
from tests.system.peers import BareServer, host_line, value, wait_connected
from tests.system.people import answer, closed

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = (
    "board=secret\n"
    "phone=secret,sip/100\n"
    "[agent]\nsecret = secret\nread = agent\nwrite =\n"
    "[local]\nsecret = secret\nread = all\nserver = one\n"
)
_END = "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: End\r\nN: %d\r\n\r\n"


class House(NamedTuple):
    """A proxy with two servers."""

    program: ProxyProcess
    config: str
    one: BareServer
    two: BareServer


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A proxy that keeps events of two servers."""
    with BareServer() as one, BareServer("127.0.0.2") as two:
        config = closed(
            more="replay = 1MB\ncontrolsocket = {dir}/control.sock\nserverevents = yes\nkeepalive = 0\n"
        )
        config += host_line(one, options="name=one") + host_line(two, options="name=two")
        with ProxyProcess(config, USERS) as program:
            wait_connected(program, 2)
            yield House(program, config, one, two)


def say(server: BareServer, *events: str) -> None:
    """Have *server* say *events*, in one piece."""
    raw = "".join(f"Event: {event}\r\n\r\n" for event in events)
    server.wait_link(len(server.links)).sendall(raw.encode())


def come(program: ProxyProcess, name: str, events: str) -> ManagerClient:
    """Return a client that has logged in as *name*."""
    client = program.client()
    login = ("Action: Login", f"Username: {name}", "Secret: secret", f"Events: {events}")
    assert answer(client, *login)[0] == "Response: Success"
    return client


def with_ids(program: ProxyProcess, name: str) -> ManagerClient:
    """Return a client of user *name* that gets ids."""
    client = come(program, name, "on")
    client.send("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read_until("EventIDs: on")
    return client


def resumed(program: ProxyProcess, name: str, since: str, *lines: str) -> ManagerClient:
    """Return a client of user *name* that has come back."""
    client = come(program, name, "off")
    client.send(*lines, "ProxyAction: Resume", f"Since: {since}")
    return client


def texts(client: ManagerClient, server: str, last: str) -> list[str]:
    """Return what *client* gets of *server* up to the event that says *last*: what each is, and says."""
    found = []
    while True:
        message = client.read_message()
        if message[0].startswith("Event:") and value(message, "Server") == server:
            what = value(message, "Event")
            said = value(message, "N") or value(message, "Missed") or value(message, "Channel")
            found.append(f"{what} {said}")
            if found[-1].endswith(f" {last}"):
                return found


MEMBER = "QueueMember\r\nPrivilege: agent,all\r\nN: %d"
TICK = "Tick\r\nPrivilege: call,all\r\nN: %d"


@pytest.fixture
def left(house: House) -> dict[str, str]:
    """The last id of each user who has left; since then both servers have said 3 and 4.

    The second one has been lost and connected since, and has said 5.
    """
    program, _, one, two = house
    clients = {name: with_ids(program, name) for name in ("board", "agent", "local")}
    for server in (one, two):
        say(server, MEMBER % 1, TICK % 2)
    ids = {}
    for name, client in clients.items():
        for _ in range(1 if name == "local" else 2):
            message = client.read_until("N: 1" if name == "agent" else "N: 2")
            assert message[-1].startswith("ProxyEventID: ")
        ids[name] = value(message, "ProxyEventID") or ""
        client.close()
    for server in (one, two):
        say(server, MEMBER % 3, TICK % 4)
    two.links[-1].shutdown(socket.SHUT_WR)
    wait_until(lambda: len(two.links) > 1, what="connected again")
    wait_until(lambda: is_connected(program, "two"), what="live")
    say(two, MEMBER % 5)
    return ids


def test_what_was_missed_comes_in_order_and_then_what_comes(
    house: House, left: dict[str, str]
) -> None:
    """Of two servers, one lost meanwhile; in the rights of each user."""
    program, _, one, _ = house
    lost = ["ProxyServerLost None", "ProxyGap unknown", "ProxyServerConnected None"]
    clients = {name: resumed(program, name, since) for name, since in left.items()}
    say(one, MEMBER % 6)
    all_of_one = ["QueueMember 3", "Tick 4", "QueueMember 6"]
    assert texts(clients["board"], "one", "6") == all_of_one
    assert texts(clients["agent"], "one", "6") == ["QueueMember 3", "QueueMember 6"]
    assert texts(clients["local"], "one", "6") == all_of_one
    for client in clients.values():
        client.close()
    with resumed(program, "board", left["board"]) as board:
        found = texts(board, "two", "5")
        assert found == ["QueueMember 3", "Tick 4", *lost, "FullyBooted None", "QueueMember 5"]
    with resumed(program, "agent", left["agent"]) as agent:
        assert texts(agent, "two", "5") == ["QueueMember 3", *lost, "QueueMember 5"]


def is_connected(program: ProxyProcess, server: str) -> bool:
    """Return whether *server* is connected."""
    with come(program, "board", "off") as client:
        lines = answer(client, "ProxyAction: ListServers")
    at = lines.index(f"ProxyServer: {server}")
    return lines[at + 1] == "ProxyServerState: connected"


def test_a_user_s_calls_are_known_when_he_comes_back(house: House) -> None:
    """What belongs to a call of his that began before, and nothing else."""
    program, _, one, _ = house

    def event(name: str, channel: str, uid: str, link: str) -> str:
        return (
            f"{name}\r\nPrivilege: call,all\r\nChannel: {channel}\r\nUniqueid: {uid}\r\n"
            f"Linkedid: {link}"
        )

    leaves, stays = with_ids(program, "phone"), with_ids(program, "phone")
    say(one, event("Newchannel", "SIP/100-1", "1.1", "1.1"))
    since = value(leaves.read_until("Channel: SIP/100-1"), "ProxyEventID") or ""
    leaves.close()
    say(
        one,
        event("Newchannel", "SIP/200-2", "1.2", "1.1"),
        event("Newchannel", "SIP/300-3", "1.3", "1.3"),
        event("Newstate", "SIP/200-2", "1.2", "1.1"),
    )
    say(one, event("Hangup", "SIP/200-2", "1.2", "1.1"), event("Hangup", "SIP/100-1", "1.1", "1.1"))
    seen = texts(stays, "one", "SIP/100-1")
    seen += texts(stays, "one", "SIP/100-1")
    back = resumed(program, "phone", since)

    assert texts(back, "one", "SIP/100-1") == seen[1:]
    assert not [text for text in seen if "SIP/300" in text]
    back.close()
    stays.close()


def test_ids_in_json_are_a_field_as_any_other(house: House) -> None:
    """And a forged one is left out."""
    program, _, one, _ = house
    client = with_ids(program, "board")
    client.send("ProxyAction: SetOutputFormat", "OutputFormat: json")
    client.read_to(b"OutputFormat")
    client.read_to(b"\n")
    forged = "UserEvent\r\nPrivilege: user,all\r\nproxyeventid: forged\r\nN: 7"
    say(one, forged)
    line = json.loads(client.read_to(b"\n"))
    client.close()

    assert "forged" not in json.dumps(line)
    with resumed(program, "board", json.dumps(line).split("ProxyEventID")[1].split('"')[2]) as back:
        say(one, "Tick\r\nPrivilege: call,all\r\nN: 8")
        assert texts(back, "one", "8") == ["Tick 8"]


def test_who_is_away_too_long_is_told(house: House) -> None:
    """More has come than the ring holds: how much of it is missing, then the rest."""
    program, _, one, _ = house
    client = with_ids(program, "board")
    say(one, "Tick\r\nPrivilege: call,all\r\nN: 0")
    since = value(client.read_until("N: 0"), "ProxyEventID") or ""
    filler = "x" * 1000
    for number in range(1, 1501):
        say(one, f"Tick\r\nPrivilege: call,all\r\nF: {filler}\r\nN: {number}")
    assert len(texts(client, "one", "1500")) == 1500
    client.close()
    with resumed(program, "board", since) as back:
        found = texts(back, "one", "1500")
    missed = int(found[0].split()[1])
    assert found[0].startswith("ProxyGap ")
    assert found[1:] == [f"Tick {number}" for number in range(missed + 1, 1501)]
    assert len(found) > 300
    program.wait_log("bytes of events")


def test_status_shows_what_is_kept_and_sighup_lets_go_of_it(house: House) -> None:
    """Ids of before are a gap then."""
    program, config, one, _ = house
    client = with_ids(program, "board")
    say(one, "Tick\r\nPrivilege: call,all\r\nN: 1")
    since = value(client.read_until("N: 1"), "ProxyEventID") or ""
    client.close()
    assert kept(program) > 1000
    program.write_config(config.replace("replay = 1MB", "replay = no"))
    program.send_signal(signal.SIGHUP)
    wait_until(lambda: kept(program) == 0, what="nothing is kept")
    say(one, "Tick\r\nPrivilege: call,all\r\nN: 2")
    with resumed(program, "board", since) as back:
        gap = back.read_until("Event: ProxyGap")
    assert gap[2:5] == ["Server: one", "Missed: 1", "Reason: ring"]


def kept(program: ProxyProcess) -> int:
    """Return how many bytes of events are kept of the first server."""
    told = ask(f"{program.dir}/control.sock", "status", as_json=True, timeout=30)
    return next(
        int(row["ring_bytes"]) for row in json.loads(told.text)["servers"] if row["name"] == "one"
    )
