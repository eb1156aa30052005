# SPDX-License-Identifier: GPL-2.0-or-later
"""A client's actions are answered in their order, as at Asterisk, also behind a call (12.31)."""

from __future__ import annotations

import re
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, wait_until
from tests.system.order_stage import CALL, EVENTS, PING, Asterisk, answers, ids, write
from tests.system.peers import PATIENT, BareServer, host_line, value, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient, StartProxy

USERS = "[ann]\nsecret = s\nread = all\nwrite = call,originate,reporting\n"


@pytest.fixture(scope="module")
def server() -> Iterator[BareServer]:
    """A server that tests speak for."""
    with BareServer() as one:
        yield one


@pytest.fixture(scope="module", params=["off", "unique"])
def program(request: pytest.FixtureRequest, server: BareServer) -> Iterator[ProxyProcess]:
    """A proxy of *server*, in either mode, for all tests."""
    mode = f"{PATIENT}autofilter = {request.param}\n"
    with ProxyProcess(mode + host_line(server), "") as one:
        wait_connected(one)
        yield one


@pytest.fixture
def asterisk(server: BareServer, program: ProxyProcess) -> Asterisk:
    """It, logged in to."""
    assert program.pid
    return Asterisk(server.links[-1])


@pytest.fixture
def client(program: ProxyProcess) -> Iterator[ManagerClient]:
    """A client."""
    with program.client() as one:
        yield one


# -- behind a call --------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["off", "unique", "on"])
@pytest.mark.parametrize("named", [True, False])
def test_a_clients_actions_are_answered_in_their_order(
    proxy: StartProxy, mode: str, named: bool
) -> None:
    """Calls that fail late, at once or not at all, and what stands behind them."""
    asked = [
        ("Action: Originate\r\nChannel: Local/1@phones\r\nApplication: Wait", "queued"),
        ("Action: Setvar\r\nVariable: X\r\nValue: 1", "Variable Set"),
        ("Action: Originate\r\nChannel: Local/busy@phones\r\nApplication: Wait", "failed"),
        ("Action: Ping", "Pong"),
        ("Action: Originate\r\nChannel: NoTech/1\r\nApplication: Wait", "failed"),
        ("Action: Originate", "Channel not specified"),
        ("Action: IAXpeers", "will follow"),
    ]
    with SimulatedAsterisk() as asterisk:
        program = proxy(f"{PATIENT}autofilter = {mode}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client:
            blocks = [
                f"{action}\r\n" + (f"ActionID: {number}\r\n" if named and mode != "on" else "")
                for number, (action, _) in enumerate(asked)
            ]
            client.send_raw(write(*blocks))
            got = answers(client, len(asked))

    assert ["\n".join(lines) for lines in got if len(lines) < 2] == []
    for (_, text), lines in zip(asked, got):
        assert any(text in line for line in lines), (text, lines)
    if named and mode != "on":
        assert ids(got) == [str(number) for number in range(len(asked))]


def test_calls_are_made_one_after_the_other(asterisk: Asterisk, client: ManagerClient) -> None:
    """As Asterisk makes synchronous ones; another client's Ping goes on meanwhile."""
    client.send_raw(write(*[f"{CALL}ActionID: {number}\r\n" for number in range(5)]))

    for number in range(5):
        call = asterisk.next()
        assert (value(call, "ActionID") or "").endswith(f"-{number}")
        asterisk.accept(call)
        assert asterisk.is_silent()
        asterisk.picked_up(call)
        assert ids(answers(client, 1)) == [str(number)]


def test_other_clients_go_on(
    asterisk: Asterisk, client: ManagerClient, program: ProxyProcess
) -> None:
    """Their actions pass those that wait."""
    client.send_raw(write(CALL, PING))
    call = asterisk.next()
    asterisk.accept(call)

    with program.client() as other:
        other.send("Action: CoreStatus")
        block = asterisk.next()
        assert block[0] == "Action: CoreStatus"
        asterisk.answer(block)
        answers(other, 1)
    asterisk.picked_up(call)
    answers(client, 1)
    assert asterisk.next()[0] == "Action: Ping"


def test_behind_an_asynchronous_call_nothing_waits(
    asterisk: Asterisk, client: ManagerClient
) -> None:
    """Asterisk answers it at once; so it is with what it refuses, or waits for itself."""
    refused = "Action: Originate\r\nChannel: SIP/9\r\nExten: 1\r\nContext: default\r\n"
    for call in (f"{CALL}Async: yes\r\n", refused, f"{CALL}PreDialGoSub: a\r\n"):
        client.send_raw(write(call, PING))
        assert asterisk.next()[0] == "Action: Originate"
        assert asterisk.next()[0] == "Action: Ping"


def test_another_asterisk_does_not_wait_for_a_call(proxy: StartProxy) -> None:
    """It serves the same client at the same time, as it would on a connection of its own."""
    with BareServer() as one, BareServer("127.0.0.2") as two:
        program = proxy(PATIENT + host_line(one) + host_line(two))
        wait_connected(program, 2)
        first, second = Asterisk(one.wait_link()), Asterisk(two.wait_link())
        with program.client() as client:
            client.send_raw(
                write(f"{CALL}Server: 127.0.0.1\r\n", f"{PING}Server: 127.0.0.2\r\n",
                      f"{PING}Server: 127.0.0.1\r\n")
            )  # fmt: skip
            call, ping = first.next(), second.next()
            first.accept(call)
            second.answer(ping, "Ping: Pong")
            assert "Ping: Pong" in answers(client, 1)[0]
            assert first.is_silent()
            first.picked_up(call)
            assert first.next()[0] == "Action: Ping"


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        (EVENTS, "Events: Off"),
        ("Action: Filter\r\nOperation: Add\r\nFilter: a\r\n", "Message: Success"),
        ("Action: WaitEvent\r\nTimeout: 0\r\n", "Message: Waiting for Event completed."),
        ("Action: Challenge\r\nAuthType: MD5\r\n", "Challenge"),
        ("Action: Login\r\nUsername: a\r\nSecret: b\r\n", "Message: Authentication accepted"),
        ("Action: Logoff\r\n", "Message: Thanks for all the fish."),
        ("ProxyAction: Logoff\r\n", "Message: Thanks for all the fish."),
        (f"{PING}Server: 192.0.2.9\r\n", "Message: Server 192.0.2.9 is not connected"),
        (f"{PING}X: {'x' * 2000}\r\n", "Message: Failed to parse message: line too long"),
        (PING + "X: 1\r\n" * 200, "Message: Too many lines in message"),
    ],
)
@pytest.mark.parametrize("before", [PING, CALL])
def test_what_the_proxy_answers_itself_overtakes_nothing(
    asterisk: Asterisk, client: ManagerClient, before: str, action: str, answer: str
) -> None:
    """A client that gives no ActionIDs takes the first answer for that to its first action."""
    client.send_raw(write(before, action))
    block = asterisk.next()
    if before == PING:
        asterisk.answer(block, "Ping: Pong")
    else:
        asterisk.accept(block)
        asterisk.picked_up(block)

    first, second = answers(client, 2)

    assert "Ping: Pong" in first or "Message: Originate successfully queued" in first
    assert any(line.startswith(answer) for line in second), second


def test_a_proxyaction_is_answered_at_once(asterisk: Asterisk, client: ManagerClient) -> None:
    """It asks no Asterisk, and its answer cannot be taken for one of it."""
    client.send_raw(write(CALL, PING, "ProxyAction: ListServers\r\n"))
    asterisk.accept(asterisk.next())

    assert answers(client, 1)[0][0] == "ProxyResponse: Success"


def test_a_half_closed_client_gets_all_its_answers(
    asterisk: Asterisk, client: ManagerClient
) -> None:
    """As from Asterisk; then the connection ends."""
    client.send_raw(write(CALL, PING, CALL, PING))
    client.half_close()
    for _ in range(2):
        call = asterisk.next()
        asterisk.accept(call)
        asterisk.picked_up(call)
        asterisk.answer(asterisk.next(), "Ping: Pong")

    said = client.read_to_end()

    assert re.findall(rb"Pong|queued", said) == [b"queued", b"Pong"] * 2


def test_what_a_client_leaves_behind_a_call_never_goes_up(
    asterisk: Asterisk, client: ManagerClient, program: ProxyProcess
) -> None:
    """Who has gone wants nothing any more; the call itself is Asterisk's."""
    client.send_raw(write(CALL, PING, PING))
    call = asterisk.next()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    program.wait_log("left before 2 of its actions went up")

    asterisk.accept(call)
    asterisk.picked_up(call)

    assert asterisk.is_silent()


def test_a_lost_asterisk_ends_the_waiting(
    server: BareServer, asterisk: Asterisk, client: ManagerClient, program: ProxyProcess
) -> None:
    """All is answered, in order; what is asked later goes to the next connection."""
    count = len(server.links)
    client.send_raw(
        write(*[f"{each}ActionID: {at}\r\n" for at, each in enumerate([CALL, PING] * 2)])
    )
    asterisk.accept(asterisk.next())
    asterisk.link.shutdown(socket.SHUT_RDWR)

    found = answers(client, 4)

    assert ids(found) == ["0", "1", "2", "3"]
    assert all("Message: Server 127.0.0.1 is not connected" in each for each in found)
    again = Asterisk(server.wait_link(count + 1))
    wait_until(lambda: program.log().count(": connected (") > program.log().count("trying again"))
    client.send_raw(write(CALL, PING))
    call = again.next()
    again.accept(call)
    again.picked_up(call)
    again.answer(again.next(), "Ping: Pong")
    assert len(answers(client, 2)) == 2


def test_more_than_may_be_unanswered_goes_up_in_order(proxy: StartProxy) -> None:
    """The client is read no further until half of it is answered."""
    with BareServer() as server:
        program = proxy(PATIENT + "maxunanswered = 4\n" + host_line(server))
        asterisk = Asterisk(server.wait_link())
        wait_connected(program)
        with program.client() as client:
            client.send_raw(write(*[f"{CALL}ActionID: {number}\r\n" for number in range(20)]))
            for number in range(20):
                call = asterisk.next()
                asterisk.accept(call)
                asterisk.picked_up(call)
                assert ids(answers(client, 1)) == [str(number)]


@pytest.mark.parametrize("behind", [PING, EVENTS])
def test_the_proxy_stops_although_clients_wait_behind_a_call(
    proxy: StartProxy, behind: str
) -> None:
    """They are told, and nobody waits until the telephone is answered."""
    with BareServer() as server:
        program = proxy(PATIENT + host_line(server))
        asterisk = Asterisk(server.wait_link())
        wait_connected(program)
        with program.client() as client:
            client.send_raw(write(CALL, behind))
            asterisk.accept(asterisk.next())

            assert program.stop() == 0
            assert b"Proxy Shutting Down" in client.read_to_end()


def test_a_user_who_may_not_is_told_in_order(proxy: StartProxy) -> None:
    """The refusal does not pass the answer to what he may."""
    with BareServer() as server:
        program = proxy(PATIENT + "authrequired = yes\n" + host_line(server), USERS)
        asterisk = Asterisk(server.wait_link())
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Login", "Username: ann", "Secret: s")
            answers(client, 1)
            client.send_raw(write(PING, "Action: Command\r\nCommand: x\r\n"))
            asterisk.answer(asterisk.next(), "Ping: Pong")

            first, second = answers(client, 2)

    assert "Ping: Pong" in first
    assert second[0] == "Response: Error"
