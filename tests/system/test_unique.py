# SPDX-License-Identifier: GPL-2.0-or-later
"""Autofilter unique on the running program: each answer goes to the client that asked."""

from __future__ import annotations

import contextlib
import os
import random
import re
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests import recordings
from tests.system.peers import (
    PATIENT,
    BareServer,
    Collector,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
    went_up,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support import ManagerClient, StartProxy
    from tests.system.peers import Stage

CLIENTS = 50
ACTIONS = int(os.environ.get("ASTMANPROXY_ANSWERS", "100"))  # of each client
UNIQUE = PATIENT + "autofilter = unique\n"

pytestmark = pytest.mark.stage(UNIQUE)


def test_five_thousand_answers_reach_exactly_who_asked(proxy: StartProxy) -> None:
    """50 clients, two servers, with and without ActionID, ids that others have too.

    With ASTMANPROXY_ANSWERS=400 they are twenty thousand.
    """
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(SimulatedAsterisk(host, behaviour=Behaviour(peers=2)))
            for host in ("127.0.0.1", "127.0.0.2")
        ]
        program = proxy(UNIQUE + "".join(map(host_line, servers)))
        wait_connected(program, 2)
        clients = [stack.enter_context(program.client()) for _ in range(CLIENTS)]
        collectors = [stack.enter_context(Collector(client)) for client in clients]
        askers = [
            threading.Thread(target=_ask, args=(clients[part::4], range(part, CLIENTS, 4)))
            for part in range(4)
        ]
        for thread in askers:
            thread.start()
        for number in range(20):
            servers[number % 2].event("UserEvent", UserEvent="ForAll", N=number)
        for thread in askers:
            thread.join()
        for client in clients:
            for server in servers:
                client.send(
                    "Action: Getvar", f"Variable: last{server.host}", f"Server: {server.host}"
                )
        for collector in collectors:
            for server in servers:
                collector.wait_for(b"Variable: last" + server.host.encode(), timeout=60)

    for number, collector in enumerate(collectors):
        _check(number, collector.data)


def _ask(clients: Sequence[ManagerClient], numbers: Sequence[int]) -> None:
    """Send each client's actions, many at a time, one client after the other."""
    orders = [(client, _actions(number)) for client, number in zip(clients, numbers)]
    while orders:
        for client, actions in orders:
            client.send_raw("".join(block for _, block in actions[:20]))
            del actions[:20]
        orders = [order for order in orders if order[1]]


class Asked(NamedTuple):
    """One action, by the lines that matter for its answer."""

    server: str
    action_id: str | None
    variable: str | None


def _actions(number: int) -> list[tuple[Asked, str]]:
    """Return the actions of client *number*, and the blocks that ask for them."""
    rng = random.Random(number)
    blocks = []
    for count in range(ACTIONS):
        server = f"127.0.0.{rng.randint(1, 2)}"
        action_id = variable = None
        kind = rng.random()
        if kind < 0.05:
            action_id = f"list-{count}"
            lines = ["Action: IAXpeers"]
        else:
            variable = f"c{number}n{count}"
            lines = ["Action: Getvar", f"Variable: {variable}"]
            if kind < 0.5:
                # The same ids as all other clients', some of them odd.
                action_id = f"{rng.choice(['', '!n', '!l7', 'amp1-', 'x' * 60])}{count}"
        lines.append(f"Server: {server}")
        if action_id is not None:
            lines.append(f"ActionID: {action_id}")
        rng.shuffle(lines)
        block = "".join(f"{line}\r\n" for line in lines) + "\r\n"
        blocks.append((Asked(server, action_id, variable), block))
    return blocks


def _check(number: int, data: bytes) -> None:
    """Check that client *number* got its own answers, all of them, and nobody else's."""
    messages = [part.split("\r\n") for part in data.decode("latin-1").split("\r\n\r\n")]
    for server in ("127.0.0.1", "127.0.0.2"):
        mine = iter(
            [
                lines
                for lines in messages
                if value(lines, "Server") == server
                and value(lines, "Event") not in ("FullyBooted", "UserEvent")
            ]
        )
        for asked, _ in _actions(number):
            if asked.server == server:
                _check_answer(asked, mine)
        assert len(list(mine)) == 1  # the last Getvar
    assert data.count(b"UserEvent: ForAll\r\n") == 20


def _check_answer(asked: Asked, messages: Iterator[list[str]]) -> None:
    """Check that *asked* was answered by what comes next."""
    answer = next(messages)
    assert value(answer, "Response") == "Success"
    assert value(answer, "ActionID") == asked.action_id
    assert value(answer, "Variable") == asked.variable
    if asked.variable is None:
        assert [value(next(messages), "Event") for _ in range(2)] == ["PeerEntry"] * 2
        end = next(messages)
        assert value(end, "Event") == "PeerlistComplete"
        assert value(end, "ActionID") == asked.action_id


class Pair(NamedTuple):
    """Two clients that the proxy knows, and its Asterisk."""

    one: ManagerClient
    two: ManagerClient
    asterisk: SimulatedAsterisk


@pytest.fixture
def pair(stage: Stage) -> Iterator[Pair]:
    program, asterisk = stage
    with program.client() as one, program.client() as two:
        for client in (one, two):
            client.send("ProxyAction: ListServers")
            client.read_until("ProxyResponse: Success")
        asterisk.received.clear()
        yield Pair(one, two, asterisk)


def nothing_but_events(client: ManagerClient) -> bool:
    """Return whether no answer came: the next one is that to a Ping sent now."""
    client.send("Action: Ping", "ActionID: sentinel")
    while True:
        message = client.read_message()
        if "ActionID: sentinel" in message:
            return True
        if is_response(message) or value(message, "ActionID") is not None:
            return False


@pytest.mark.parametrize(
    "action_id", ["1", "x" * 62, "x" * 67, "x" * 68, "x" * 900, "!n1", "!", "amp1-5", "ä ö"]
)
def test_an_actionid_of_any_length_comes_back_and_never_overruns_asterisk(
    pair: Pair, action_id: str
) -> None:
    """Upstream it has at most 67 bytes and is ours; the client gets its own back."""
    one, two, asterisk = pair

    one.send("Action: QueueStatus", f"ActionID: {action_id}")

    start = one.read_until(is_response)
    assert start[1] == f"ActionID: {action_id}"
    end = one.read_until("Event: QueueStatusComplete")
    assert f"ActionID: {action_id}" in end
    sent = asterisk.actions("QueueStatus")[-1].decode("latin-1").split("\r\n")
    sent_id = value(sent, "ActionID")
    assert sent_id is not None
    assert sent_id.startswith("amp")
    assert len(sent_id.encode("latin-1")) <= 67
    assert nothing_but_events(two)


def test_an_action_without_actionid_is_answered_without_one(pair: Pair) -> None:
    """The ActionID that the proxy adds is taken out again, also from lists."""
    one, two, asterisk = pair

    one.send("Action: CoreShowChannels")

    assert not any(line.startswith("ActionID") for line in one.read_until(is_response))
    end = one.read_until("Event: CoreShowChannelsComplete")
    assert value(end, "ActionID") is None
    assert b"\r\nActionID: amp" in asterisk.actions("CoreShowChannels")[-1]
    assert nothing_but_events(two)


def test_list_items_without_actionid_go_to_the_client_that_asked(pair: Pair) -> None:
    """PeerEntry carries none; its position tells which client it is for."""
    one, two, _ = pair

    one.send("Action: IAXpeers", "ActionID: p")

    assert one.read_until(is_response)[1] == "ActionID: p"
    for _ in range(20):
        assert one.read_message()[0] == "Event: PeerEntry"
    assert one.read_message()[0] == "Event: PeerlistComplete"
    assert nothing_but_events(two)


def test_text_that_is_not_a_message_spoils_no_other_answer(pair: Pair) -> None:
    """IAXnetstats: text that sticks to the next message; both clients get their answers."""
    one, two, _ = pair

    one.send("Action: IAXnetstats", "ActionID: net")
    one.send("Action: Ping", "ActionID: after")
    two.send("Action: Ping", "ActionID: other")

    assert "Ping: Pong" in two.read_until(lambda m: "ActionID: other" in m)
    assert "Ping: Pong" in one.read_until(lambda m: "ActionID: after" in m)
    assert nothing_but_events(two)


def test_the_userevent_of_one_client_is_an_event_for_all(pair: Pair) -> None:
    """Although Asterisk puts the sender's ActionID in it; no client sees the prefix."""
    one, two, _ = pair

    one.send("Action: UserEvent", "UserEvent: Hello", "ActionID: u1", "Text: hi")

    for client in (one, two):
        event = client.read_until("Event: UserEvent")
        assert "Text: hi" in event
        assert value(event, "ActionID") == "u1"
    one.send("Action: UserEvent", "UserEvent: Again")
    for client in (one, two):
        event = client.read_until("UserEvent: Again")
        assert value(event, "ActionID") is None


@pytest.mark.parametrize("given", [["ActionID: call"], []])
def test_originateresponse_is_an_event_for_all(pair: Pair, given: list[str]) -> None:
    """As at Asterisk, with the ActionID that its client wrote; the answer is not (12.24)."""
    one, two, _ = pair

    one.send(
        "Action: Originate", "Channel: Local/100@busy", "Context: default", "Exten: 1",
        "Priority: 1", "Async: true", *given,
    )  # fmt: skip

    assert is_response(one.read_until(is_response))
    for client in (one, two):
        event = client.read_until("Event: OriginateResponse")
        assert [line for line in event if line.lower().startswith("actionid")] == given
    assert nothing_but_events(two)


def test_a_forged_message_takes_no_answer_away(proxy: StartProxy) -> None:
    """Recording b10: values can forge messages; an ActionID of ours beats the position."""
    with BareServer() as server:
        program = proxy(UNIQUE + host_line(server))
        link = server.wait_link()
        wait_connected(program)
        with program.client() as one, program.client() as two:
            one.send("Action: Getvar", "Variable: EVIL", "ActionID: 1")
            first = read_block(link)
            two.send("Action: Ping", "ActionID: 2")
            second = read_block(link)
            link.sendall(
                f"Response: Success\r\nActionID: {value(first, 'ActionID')}\r\nVariable: EVIL\r\n"
                "Value: a\r\n\r\nResponse: Success\r\nMessage: I am the answer\r\nX: b\r\n\r\n"
                f"Response: Success\r\nActionID: {value(second, 'ActionID')}\r\nPing: Pong\r\n\r\n".encode()
            )

            assert one.read_until(is_response)[1] == "ActionID: 1"
            # The false answer has the place of the second Ping's, if it is for anybody.
            answer = two.read_until(is_response)
            if "Message: I am the answer" in answer:
                answer = two.read_until(is_response)
            assert "Ping: Pong" in answer


@pytest.mark.parametrize("name", ["b10_crlf_injection", "b6_iaxnetstats", "b4_pipelined"])
def test_recorded_dialogues_played_to_one_client_leave_the_other_alone(
    proxy: StartProxy, name: str
) -> None:
    """What a real Asterisk answered on one connection, asked by one of two clients."""
    said = recordings.said(name)
    said = said.partition(b"Response: Success\r\nActionID: p24\r\n")[0]  # what goes up at once
    asked = recordings.asked(name).decode("latin-1")
    blocks = [block for block in asked.split("\r\n\r\n") if block.strip()]
    blocks = [block for block in blocks if not block.lower().startswith(("action: log", "logoff"))]
    with BareServer() as server:
        program = proxy(UNIQUE + host_line(server))
        link = server.wait_link()
        wait_connected(program)
        with program.client() as one, program.client() as two:
            given: dict[str, bytes] = {}
            for block in blocks[:24]:
                one.send_raw(block + "\r\n\r\n")
                mine = value(block.split("\r\n"), "ActionID")
                theirs = value(went_up(link, block), "ActionID")
                if mine and theirs and "IAXnetstats" not in block:
                    given[mine] = theirs.encode()
            for action_id, wire_id in given.items():
                said = said.replace(
                    b"ActionID: %s\r\n" % action_id.encode(), b"ActionID: %s\r\n" % wire_id
                )
            body = said.partition(b"Status: Fully Booted\r\n\r\n")[2]
            body = body.partition(b"Response: Good")[0]
            link.sendall(
                body + b"\r\n\r\nEvent: UserEvent\r\nPrivilege: user,all\r\nUserEvent: End\r\n\r\n"
            )

            asker, other = (list(_up_to_the_end(client)) for client in (one, two))

    for action_id in given:
        assert any(f"ActionID: {action_id}" in message for message in asker)
    assert not any(re.search(r"amp\d+-", line) for message in asker + other for line in message)
    # An event that a value forges cannot be told from a real one.
    assert all(value(each, "Privilege") or "Event: Fake" in each for each in other)


def _up_to_the_end(client: ManagerClient) -> Iterator[list[str]]:
    """Yield the messages before the UserEvent that ends a recording."""
    while "UserEvent: End" not in (message := client.read_message()):
        yield message
