# SPDX-License-Identifier: GPL-2.0-or-later
"""Two proxies share an Asterisk: what clients at the one get, and at the other."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.bus.cluster import Cluster, cluster
from tests.support import ManagerClient, ProxyProcess, free_port, wait_until
from tests.system.peers import value
from tests.system.people import answer, log_in, logged_in

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

_NEWS = "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: News\r\nN: %s\r\n\r\n"


def message_of(block: bytes) -> dict[str, str]:
    """Return the headers of *block*."""
    return dict(line.split(": ", 1) for line in block.decode().split("\r\n") if ": " in line)


#: The names of all actions that have come to any Asterisk.
ASKED: list[str] = []


def asterisk(link: socket.socket) -> None:
    """Answer what comes: an Asterisk of few words."""
    pending = b""
    while data := link.recv(65536):
        pending += data
        *blocks, pending = pending.split(b"\r\n\r\n")
        for block in blocks:
            for part in said(message_of(block)):
                link.sendall(part.encode())


def said(asked: dict[str, str]) -> list[str]:
    """Return what is answered to an action."""
    ASKED.append(asked.get("Action", ""))
    name, action_id = ASKED[-1], f"ActionID: {asked.get('ActionID', '')}\r\n"
    if name == "Originate":
        event = (
            f"Event: OriginateResponse\r\nPrivilege: call,all\r\n{action_id}Response: Success\r\n"
            "Channel: SIP/7\r\nContext: x\r\nExten: 1\r\nReason: 4\r\nUniqueid: 7.1\r\n\r\n"
        )
        return [
            f"Response: Success\r\n{action_id}Message: Originate successfully queued\r\n\r\n",
            event,
        ]
    if name == "SIPpeers":
        items = "".join(
            f"Event: PeerEntry\r\n{action_id}ObjectName: {number}\r\n\r\n" for number in range(3)
        )
        return [
            f"Response: Success\r\n{action_id}EventList: start\r\nMessage: will follow\r\n\r\n",
            items,
            f"Event: PeerlistComplete\r\n{action_id}EventList: Complete\r\nListItems: 3\r\n\r\n",
        ]
    if name == "ListCommands":
        listed = "CoreShowChannels: List channels.  (Priv: system,reporting,all)\r\n"
        return [f"Response: Success\r\n{action_id}{listed}\r\n"]
    if name == "Silence":
        return []
    return [f"Response: Success\r\n{action_id}Asked: {name}\r\n\r\n"]


@pytest.fixture(scope="module")
def house() -> Iterator[Cluster]:
    """Two proxies and one server."""
    with cluster(script=asterisk) as made:
        yield made


def both(house: Cluster) -> tuple[ProxyProcess, ProxyProcess]:
    """Return the proxy that is connected, and the other."""
    holder, (other,) = house.wait_shared()
    return holder, other


def news(client: ManagerClient, upto: str) -> list[str]:
    """Return which news *client* gets, up to the one that is called so."""
    found: list[str] = []
    while not found or found[-1] != upto:
        number = value(client.read_until("UserEvent: News"), "N")
        assert number is not None
        found.append(number)
    return found


def test_there_is_one_connection(house: Cluster) -> None:
    """However many proxies there are."""
    both(house)

    assert len(house.servers[0].links) == 1


def test_clients_of_both_get_the_same_bytes(house: Cluster) -> None:
    """In the same order."""
    with_ids = []
    for proxy in both(house):
        client = logged_in(proxy, "board")
        answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
        with_ids.append(client)
    for number in range(50):
        house.link().sendall((_NEWS % f"a{number}").encode())
    house.link().sendall((_NEWS % "end-a").encode())

    got = [client.read_to(b"N: end-a") for client in with_ids]

    assert got[0] == got[1]
    assert got[0].count(b"ProxyEventID: ") == 50
    for client in with_ids:
        client.close()


def test_an_action_is_answered_wherever_it_is_asked(house: Cluster) -> None:
    """With the ActionID that its client gave."""
    for proxy in both(house):
        with logged_in(proxy, "board") as client:
            assert answer(client, "Action: Status", "ActionID: x1") == [
                "Response: Success", "ActionID: x1", "Asked: Status", "Server: pbx1",
            ]  # fmt: skip


def test_a_list_comes_whole(house: Cluster) -> None:
    """Item by item, for who asked alone."""
    _, other = both(house)
    with logged_in(other, "board") as client, logged_in(other, "other") as bystander:
        client.send("Action: SIPpeers", "ActionID: l")
        client.read_until("Event: PeerlistComplete")
        client.send("Action: Ping", "ActionID: p")
        assert value(client.read_message(), "ActionID") == "p"
        bystander.send("Action: Ping", "ActionID: p")
        assert value(bystander.read_message(), "ActionID") == "p"


def test_a_call_is_answered_when_it_is(house: Cluster) -> None:
    """The OriginateResponse is for all, with the ActionID that was given."""
    holder, other = both(house)
    with logged_in(other, "board") as client, logged_in(holder, "board") as watcher:
        got = answer(
            client, "Action: Originate", "Channel: SIP/7", "Exten: 1", "Context: x",
            "Priority: 1", "ActionID: call-1",
        )  # fmt: skip

        assert "Message: Originate successfully queued" in got
        assert value(got, "ActionID") == "call-1"
        client.send("Action: Originate", "Channel: SIP/7", "Async: true", "ActionID: call-2")
        event = watcher.read_until("Event: OriginateResponse")
        assert value(event, "ActionID") == "call-2"


def test_what_is_not_answered_is_refused(house: Cluster) -> None:
    """It may have been carried out."""
    _, other = both(house)
    with logged_in(other, "board") as client:
        got = answer(client, "Action: Silence", "ActionID: s")

        assert got[0] == "Response: Error"
        assert value(got, "CarriedOut") == "perhaps"


def test_who_sees_all_answers_sees_those_at_the_other_proxy(house: Cluster) -> None:
    """With autofilter off, as at one proxy."""
    holder, other = both(house)
    for here, there in ((holder, other), (other, holder)):
        with logged_in(here, "board") as asker, logged_in(there, "other") as watcher:
            for client in (asker, watcher):
                answer(client, "ProxyAction: SetAutoFilter", "AutoFilter: off")
            asker.send("Action: Status", "ActionID: seen")
            assert value(asker.read_until("Asked: Status"), "ActionID") == "seen"
            assert value(watcher.read_until("Asked: Status"), "ActionID") == "seen"


def test_who_was_at_the_one_resumes_at_the_other(house: Cluster) -> None:
    """Nothing is missing, nothing comes twice."""
    holder, other = both(house)
    for here, there in ((holder, other), (other, holder)):
        with logged_in(here, "board") as client:
            answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
            house.link().sendall((_NEWS % "last").encode())
            event = client.read_until("N: last")
        for number in range(3):
            house.link().sendall((_NEWS % number).encode())
        with there.client() as client:
            log_in(client, "board", "secret", "Events: off")
            got = answer(client, "ProxyAction: Resume", f"Since: {value(event, 'ProxyEventID')}")
            assert got[0] == "ProxyResponse: Success", got
            assert news(client, "2") == ["0", "1", "2"]


def test_the_other_connects_when_the_one_stops() -> None:
    """At once; clients of the other are told, and what they ask is answered."""
    with cluster(script=asterisk) as house:
        holder, other = both(house)
        with logged_in(other, "board") as client:
            client.send("Action: Silence", "ActionID: lost")
            wait_until(lambda: ASKED[-1:] == ["Silence"], what="it has come to Asterisk")
            house.stop(holder)
            lost = client.read_until("ActionID: lost")
            assert value(lost, "CarriedOut") == "perhaps"
            assert value(client.read_until("Event: ProxyServerLost"), "Server") == "pbx1"
            client.read_until("Event: ProxyServerConnected", timeout=10.0)
            wait_until(lambda: len(house.servers[0].links) == 2)
            house.link().sendall((_NEWS % "again").encode())
            client.read_until("N: again")
            assert value(answer(client, "Action: Status"), "Asked") == "Status"
        assert len(house.servers[0].links) == 2


def test_the_other_connects_when_the_one_is_killed() -> None:
    """When the lease is over; who resumes is told that something is missing."""
    with cluster(script=asterisk) as house:
        holder, other = both(house)
        with logged_in(other, "board") as client:
            answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
            holder.kill()
            client.read_until("Event: ProxyServerLost", timeout=10.0)
            client.read_until("Event: ProxyServerConnected", timeout=10.0)
            house.link().sendall((_NEWS % "again").encode())
            client.read_until("N: again")


class Board:
    """A page that is sent events as they come (``/events``)."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        secret = base64.b64encode(b"board:secret").decode()
        self._connection.request(
            "GET", "/events?event=UserEvent", headers={"Authorization": f"Basic {secret}"}
        )
        self._response = self._connection.getresponse()
        assert self._response.status == 200

    def documents(self, kind: str, count: int) -> list[dict[str, Any]]:
        """Return the next documents of that *kind*."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + 20
        while len(found) < count:
            assert time.monotonic() < until, f"no {kind}"
            line = self._response.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: ") and (told := json.loads(line[6:]))["type"] == kind:
                found.append(told)
        return found

    def wait_tick(self) -> None:
        """Wait until it listens: then the stream says now and then that it is there."""
        while not self._response.readline().startswith(b": tick"):
            pass

    def close(self) -> None:
        """Leave."""
        self._connection.close()


@contextlib.contextmanager
def watched_reader() -> Iterator[tuple[Cluster, ProxyProcess, Board]]:
    """Give a cluster, the proxy of it that reads the bus, and a page there."""
    web = free_port()
    with cluster(proxies=1, script=asterisk) as house:
        reader = house.start(f"listen = 127.0.0.1, {web}, input=http\n")
        wait_until(lambda: "connected by another proxy" in reader.log())
        board = Board(web)
        board.documents("hello", 1)
        board.wait_tick()
        yield house, reader, board
        board.close()


def test_a_page_is_told_what_this_proxy_alone_knows() -> None:
    """That the bus is lost, and that it is back; with the ids that it has anyway."""
    with watched_reader() as (house, _, board):
        house.link().sendall((_NEWS % 1).encode())
        (event,) = board.documents("event", 1)
        house.redis.pause()
        (lost,) = board.documents("server", 1)
        house.redis.go_on()
        (back,) = board.documents("server", 1)
        while back["state"] == "lost":  # to its holder, too, which comes with the bus
            (back,) = board.documents("server", 1)

    assert (lost["server"], lost["state"]) == ("pbx1", "lost")
    assert lost["at"] == event["id"]
    assert back["state"] == "connected"


def is_newest(house: Cluster, key: str, number: int) -> bool:
    """Return whether the newest entry of the stream *key* has the news *number*."""
    found = house.redis.command("XREVRANGE", key, "+", "-", "COUNT", "1")
    return bool(found) and b"N: %d\r\n" % number in found[0][1][1]


@pytest.mark.soak  # a busy machine may lose the holder meanwhile
def test_a_page_is_told_what_has_not_come_from_the_holder() -> None:
    """Entries that the stream has no more, as a gap."""
    with watched_reader() as (house, reader, board):
        house.link().sendall((_NEWS % 1).encode())
        board.documents("event", 1)
        reader.process.send_signal(signal.SIGSTOP)
        key = "astmanproxy:events:pbx1"
        for number in (2, 3):  # the first one is on its way to who reads already
            house.link().sendall((_NEWS % number).encode())
            wait_until(partial(is_newest, house, key, number), what="the entry")
        house.redis.command("XTRIM", key, "MAXLEN", "0")
        reader.process.send_signal(signal.SIGCONT)
        house.link().sendall((_NEWS % 4).encode())
        (missing,) = board.documents("gap", 1)

    assert (missing["server"], missing["reason"]) == ("pbx1", "bus")


def test_a_third_proxy_finds_what_was_said_before_it_came(house: Cluster) -> None:
    """So who was at another can resume there."""
    holder, _ = both(house)
    with logged_in(holder, "board") as client:
        answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
        house.link().sendall((_NEWS % "first").encode())
        event = client.read_until("N: first")
        house.link().sendall((_NEWS % "second").encode())
        client.read_until("N: second")
    third = house.start()
    wait_until(lambda: "asterisk@pbx1: connected by another proxy" in third.log())
    with third.client() as client:
        log_in(client, "board", "secret", "Events: off")
        answer(client, "ProxyAction: Resume", f"Since: {value(event, 'ProxyEventID')}")
        assert news(client, "second") == ["second"]
    house.stop(third)
