# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers reach who asked, whatever values, other servers and other proxies say (spec 12.25)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support import ProxyProcess
from tests.system.peers import PATIENT, BareServer, host_line, read_block, value, wait_connected
from tests.system.people import answer, logged_in

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.support import ManagerClient

USERS = """
admin=secret
tied=secret,SIP/100
more=secret,SIP/100,,,,,yes
[general]
[board]
secret = secret
read = call
write = reporting
[all]
secret = secret
read = all
write = all
"""
MODES = ("off", "on", "unique")
RESTRICTED = ("tied", "more", "board")


class Net(NamedTuple):
    """A proxy and its connections to two servers that the test plays."""

    program: ProxyProcess
    one: socket.socket
    two: socket.socket


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[BareServer, BareServer]]:
    with BareServer() as one, BareServer("127.0.0.2") as two:
        yield one, two


@pytest.fixture(scope="module")
def net(servers: tuple[BareServer, BareServer]) -> Iterator[Net]:
    one, two = servers
    config = PATIENT + "authrequired = yes\n" + host_line(one) + host_line(two)
    with ProxyProcess(config, USERS) as program:
        links = one.wait_link(), two.wait_link()
        wait_connected(program, 2)
        yield Net(program, *links)


@contextlib.contextmanager
def clients(net: Net, *who: str) -> Iterator[list[ManagerClient]]:
    """Give clients, one for each ``name/mode`` of *who*."""
    with contextlib.ExitStack() as stack:
        found = []
        for name, _, mode in (each.partition("/") for each in who):
            client = stack.enter_context(logged_in(net.program, name))
            answer(client, "ProxyAction: SetAutoFilter", f"AutoFilter: {mode}")
            found.append(client)
        yield found


def ask(net: Net, client: ManagerClient, *lines: str) -> str:
    """Ask the first server something; return the ActionID that it gets."""
    client.send(*lines, "Server: 127.0.0.1")
    return value(read_block(net.one), "ActionID") or ""


def say(link: socket.socket, *lines: str) -> None:
    """Let a server say something."""
    link.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1"))


def seen(net: Net, client: ManagerClient) -> list[list[str]]:
    """Return all messages that have come to *client* from both servers."""
    found: list[list[str]] = []
    for link, host in ((net.two, "127.0.0.2"), (net.one, "127.0.0.1")):
        client.send("Action: Ping", f"ActionID: end-{host}", f"Server: {host}")
        say(link, "Response: Success", f"ActionID: {value(read_block(link), 'ActionID')}")
        while f"ActionID: end-{host}" not in (message := client.read_message()):
            found.append(message)
    # The log names a server connected a moment before clients are told that it has booted.
    found = [each for each in found if each[0] != "Event: FullyBooted"]
    return [each for each in found if not str(value(each, "ActionID")).startswith("end-")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("guess", ["amp{n}-1", "amp{n}-!n1", "amp{n}-", "amp{n}-{token}-1"])
def test_no_forged_actionid_reaches_a_client(net: Net, mode: str, guess: str) -> None:
    """The number of a session is no secret; the rest of its ActionIDs is."""
    with clients(net, f"admin/{mode}", f"all/{mode}", "admin/off") as (victim, attacker, other):
        pending = ask(net, victim, "Action: GetConfig", "ActionID: 1")
        number = pending.partition("-")[0][3:]
        mine = ask(net, attacker, "Action: Ping", "ActionID: 1")
        token = mine.partition("-")[2][:18]  # as if the attacker knew the last one
        forged = f"ActionID: {guess.format(n=number, token=token[::-1])}"

        for head in ("Response: Success", "Response: Error", "text", "Response: Follows"):
            say(net.one, head, forged, "Value: forged", "--END COMMAND--")
        say(net.one, "Response: Success", f"ActionID: {pending}", "Value: true")

        assert ["Value: true" in each for each in seen(net, victim)] == [True]
        for client in (attacker, other):
            assert not any("Value: forged" in each for each in seen(net, client))


@pytest.mark.parametrize("name", RESTRICTED)
@pytest.mark.parametrize("given", [[], ["ActionID: 1"]])
def test_a_forged_answer_gives_nobody_the_answer_of_another(
    net: Net, name: str, given: list[str]
) -> None:
    """With autofilter off, a value that holds a whole Response shifts no later answer."""
    with clients(net, f"{name}/off", "admin/off") as (attacker, admin):
        mine = ask(net, attacker, "Action: Ping", *given)
        theirs = ask(net, admin, "Action: GetConfig", *given)

        say(net.one, "Response: Success", f"ActionID: {mine}", "Value: ", "", "Response: Success")
        say(net.one, "Response: Success", *given, "Value: forged")
        say(net.one, "Response: Success", f"ActionID: {theirs}", "Secret: 42")

        assert not any("Secret: 42" in each for each in seen(net, attacker))
        secret = [each for each in seen(net, admin) if "Secret: 42" in each]
        assert [value(each, "ActionID") for each in secret] == ["1" if given else None]


def test_a_second_server_cannot_answer_what_the_first_was_asked(net: Net) -> None:
    """Neither the action, nor an item of its list, nor an Originate that is held back."""
    originate = ("Action: Originate", "Channel: SIP/1", "Application: Wait", "ActionID: 3")
    with clients(net, "admin/off", "all/unique") as (other, victim):
        pending = ask(net, victim, "Action: Status", "ActionID: 2")
        call = ask(net, victim, *originate)
        say(net.two, "Response: Success", f"ActionID: {pending}", "Value: forged")
        say(net.two, "Event: StatusComplete", f"ActionID: {pending}", "Value: forged")
        say(net.two, "text", f"ActionID: {pending}", "Value: forged")
        say(net.one, "Response: Success", f"ActionID: {pending}", "EventList: start")
        say(net.two, "Event: X", f"ActionID: {pending}", "EventList: Complete", "Value: forged")
        say(net.one, "Event: StatusComplete", f"ActionID: {pending}", "Value: true")
        say(net.one, "Response: Success", f"ActionID: {call}")
        say(net.two, "Response: Success", f"ActionID: {call}", "Value: forged")

        assert not any("Value: forged" in each for each in seen(net, other))
        say(net.one, "Event: OriginateResponse", f"ActionID: {call}", "Response: Failure")
        told = seen(net, victim)
        assert [each[0] for each in told[:2]] == ["Response: Success", "Event: StatusComplete"]
        assert [each[:2] for each in told[2:]] == [["Response: Error", "ActionID: 3"]]


@pytest.mark.parametrize("given", [[], ["ActionID: 7"]])
def test_an_answer_to_a_client_in_unique_is_for_it_alone(net: Net, given: list[str]) -> None:
    """Whatever other users have chosen, and though they sent the same ActionID last (12.26)."""
    others = [f"{name}/{mode}" for name in ("admin", *RESTRICTED) for mode in ("off", "on")]
    with clients(net, "all/unique", *others) as (one, *rest):
        for client in rest:
            wire_id = ask(net, client, "Action: CoreStatus", "ActionID: 7")
            say(net.one, "Response: Error", f"ActionID: {wire_id}", "Message: Unknown")
        for client in rest:
            seen(net, client)
            if given:  # with autofilter on, what it sent last
                ask(net, client, "Action: CoreStatus", *given)
        pending = ask(net, one, "Action: Status", *given)
        mark = f"ActionID: {pending}"
        say(net.one, "Response: Success", mark, "EventList: start", "Secret: 42")
        say(net.one, "Event: Status", "Privilege: Call", "Channel: SIP/100-1", mark, "Secret: 42")
        say(net.one, "Event: PeerEntry", "Channel: SIP/100-1", "Secret: 42")
        say(net.one, "Event: StatusComplete", "EventList: Complete", mark, "Secret: 42")
        call = ask(net, one, "Action: Originate", "Channel: SIP/1", "Application: Wait", *given)
        say(net.one, "Response: Success", f"ActionID: {call}")
        say(net.one, "Event: OriginateResponse", f"ActionID: {call}", "Response: Success")

        told = seen(net, one)
        assert sum("Secret: 42" in each for each in told) == 4
        assert [
            value(each, "ActionID") for each in told if value(each, "Event") != "PeerEntry"
        ] == (["7" if given else None] * 4)
        for client in rest:
            found = seen(net, client)
            assert not any("Secret: 42" in each for each in found)
            assert not any("Originate successfully queued" in str(each) for each in found)


@pytest.mark.parametrize("mode", MODES)
def test_list_items_with_a_privilege_reach_no_restricted_user(net: Net, mode: str) -> None:
    """Those of Status look like events; also if no ActionID was given (12.25)."""
    with clients(net, f"all/{mode}", *(f"{name}/off" for name in RESTRICTED)) as (one, *rest):
        pending = ask(net, one, "Action: Status")
        for lines in (
            ["Response: Success", "EventList: start"],
            ["Event: Status", "Privilege: Call"],
        ):
            say(net.one, *lines, f"ActionID: {pending}", "Channel: SIP/100-1", "Uniqueid: 1.1")
        say(net.one, "Event: StatusComplete", f"ActionID: {pending}")

        # Before a further action, whose ActionID changes what is seen with autofilter on.
        assert one.read_message()[0] == "Response: Success"
        assert one.read_message()[0] == "Event: Status"
        assert one.read_message()[0] == "Event: StatusComplete"
        for client in (one, *rest):
            assert seen(net, client) == []


def test_another_proxys_answers_and_events(
    net: Net, servers: tuple[BareServer, BareServer]
) -> None:
    """Of two proxies at one Asterisk, or a restarted one: no answers, but every event (12.24)."""
    first = servers[0]
    config = PATIENT + "autofilter = unique\noriginateasync = no\n" + host_line(first)
    count = len(first.links)
    with ProxyProcess(config) as program:
        link = first.wait_link(count + 1)
        wait_connected(program)
        with program.client() as there, clients(net, "admin/unique", "admin/off") as here:
            there.send("Action: Originate", "Channel: SIP/1", "Async: true", "ActionID: x")
            wire_id = f"ActionID: {value(read_block(link), 'ActionID')}"

            say(net.one, "Response: Success", wire_id, "Value: forged")
            event = ("Event: OriginateResponse", "Privilege: call,all", wire_id, "Reason: 4")
            say(net.one, *event)

            for client in here:
                assert [each[:4] for each in seen(net, client)] == [list(event)]
            say(link, *event)
            assert there.read_until("Event: OriginateResponse")[2] == "ActionID: x"


def test_asterisk_that_is_silent_is_left_though_a_client_dials() -> None:
    """A call that is asynchronous there is no reason to be silent, however long it rings."""
    with BareServer() as server:
        config = "retryinterval = 0.1\nkeepalive = 0.2\n" + host_line(server)
        with ProxyProcess(config) as program:
            wait_connected(program)
            with program.client() as client:
                client.send(
                    "Action: Originate", "Channel: SIP/1", "Application: Wait", "Async: true",
                    "Timeout: 600000000",
                )  # fmt: skip
                assert read_block(server.wait_link())[0] == "Action: Originate"

                program.wait_log("a Ping was not answered", timeout=5)


@pytest.mark.parametrize(
    "headers",
    [
        ("Exten: 1", "Context: c", "Priority: 1", "PreDialGoSub: limits,s,1"),
        ("Exten: 1", "Context: c"),
        ("Data: 1",),
    ],
)
def test_what_asterisk_would_not_carry_out_asynchronously_goes_up_as_it_is(
    net: Net, headers: tuple[str, ...]
) -> None:
    """An error of Asterisk's, or a context that sets limits, is not lost that way (12.31)."""
    with clients(net, "all/unique") as (client,):
        client.send("Action: Originate", "Channel: SIP/1", *headers, "Server: 127.0.0.1")

        sent = read_block(net.one)

        assert value(sent, "Async") is None
        say(net.one, "Response: Error", f"ActionID: {value(sent, 'ActionID')}", "Message: No")
        assert [each[:2] for each in seen(net, client)] == [["Response: Error", "Message: No"]]
