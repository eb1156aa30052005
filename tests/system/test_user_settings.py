# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings of users in the running program: accounts, servers, filterlocal, replayed calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest

from simulator.server import SimulatedAsterisk
from tests.system.peers import BareServer, host_line, value, wait_connected
from tests.system.people import answer, closed, events_of, logged_in
from tests.system.rights_stage import USERS, Stage, set_up, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ProxyProcess

ORIGINATE = [
    "Action: Originate",
    "Channel: SIP/100",
    "Exten: 1",
    "Priority: 1",
    "Async: true",
]


@pytest.fixture(scope="module")
def two_servers() -> Iterator[Stage]:
    """Return a stage that the tests of this module share."""
    with set_up() as stage:
        yield stage


def test_an_originate_carries_the_users_account(two_servers: Stage) -> None:
    """Once, added or overwritten; those of other clients are untouched."""
    north, _, program = two_servers
    for name, given, wanted in [
        ("tied", [], "acc-tied"),
        ("tied", ["Account: other"], "acc-tied"),
        ("tied", ["account:other", "Account: third"], "acc-tied"),
        ("billed", [], "acc-billed"),
        ("billed", ["Account: other"], "acc-billed"),
        ("free", ["Account: other"], "other"),
        ("free", [], ""),
    ]:
        number = f"{name}-{len(given)}"
        with logged_in(program, name) as client:
            reply = answer(client, *ORIGINATE, "Context: Crm", *given, f"ActionID: {number}")
            assert reply[0] == "Response: Success", reply
        lines = upstream(north, f"-{number}")
        assert lines is not None
        accounts = {
            line.partition(":")[2].strip() for line in lines if line[:8].lower() == "account:"
        }
        assert accounts == ({wanted} if wanted else set()), (name, lines)


def test_a_channel_user_hears_of_the_own_device(two_servers: Stage) -> None:
    """Of calls, registrations and log-ins; a user without filters hears of all."""
    north, _, program = two_servers
    events = [
        f"Event: {name}\r\nPrivilege: {privilege},all\r\n{header}: {device}\r\n{more}Number: {number}\r\n"
        for number, device in ((1, "SIP/100"), (2, "SIP/200"))
        for name, privilege, header, more in (
            ("DeviceStateChange", "call", "Device", ""),
            ("ExtensionStatus", "call", "Hint", "Context: Crm\r\n"),
            ("PeerStatus", "system", "Peer", ""),
            ("ChallengeSent", "security", "AccountID", "Service: SIP\r\n"),
        )
    ]
    sent = "\r\n".join([*events, ""]).replace("AccountID: SIP/", "AccountID: ").encode()
    for name, numbers in (("tied", ["1"] * 4), ("free", ["1"] * 4 + ["2"] * 4)):
        with logged_in(program, name) as client:
            got = events_of(client, north, lambda: north.send(sent))
        found = [value(event.decode().split("\r\n"), "Number") for event in got]
        assert list(filter(None, found)) == numbers


def test_account_withholds_no_event(two_servers: Stage) -> None:
    """A user with only an accountcode sees every call (C also changed the events of others)."""
    north, _, program = two_servers
    with logged_in(program, "billed") as client, logged_in(program, "free") as other:
        event = b"Event: NewAccountCode\r\nPrivilege: call,all\r\nAccount: their\r\n"
        got = events_of(client, north, lambda: north.send(event + b"\r\n"))
        told = events_of(other, north, lambda: north.send(event + b"\r\n"))
    assert event + b"Server: 127.0.0.1\r\n\r\n" in got
    assert event + b"Server: 127.0.0.1\r\n\r\n" in told


def test_a_user_reaches_their_servers_alone(two_servers: Stage) -> None:
    """Without `Server:` the first of them; an action for another is refused."""
    north, south, program = two_servers
    for name, header, hears in [
        ("north", "Server: 127.0.0.2", None),
        ("south", "Server: 127.0.0.1", None),
        ("south", "Server: 127.0.0.2", south),
        ("south", "X: y", south),
        ("free", "Server: 127.0.0.2", south),
        ("free", "X: y", north),
    ]:
        number = f"srv-{name}-{header[-1]}"
        with logged_in(program, name) as client:
            reply = answer(client, "Action: Ping", header, f"ActionID: {number}")
        if hears is None:
            assert reply[-1] == f"Message: {header.replace(':', '')} is not open to this user"
            assert upstream(north, f"-{number}") is upstream(south, f"-{number}") is None
        else:
            assert value(reply, "Server") == hears.host
            assert upstream(hears, f"-{number}") is not None


def test_a_user_hears_of_their_servers_alone(two_servers: Stage) -> None:
    """Events of others are withheld from them, and from nobody else."""
    north, south, program = two_servers
    event = b"Event: Tick\r\nPrivilege: call,all\r\nN: 1\r\n"
    for name, hears in (("south", False), ("north", True), ("free", True)):
        with logged_in(program, name) as client:
            if not hears:
                # What came earlier from the one that they do not see is on its way before that.
                with logged_in(program, "free") as other:
                    told = events_of(other, north, lambda: north.send(event + b"\r\n"))
                    assert event + b"Server: 127.0.0.1\r\n\r\n" in told
            got = events_of(client, north if hears else south, lambda: north.send(event + b"\r\n"))
        assert (event + b"Server: 127.0.0.1\r\n\r\n" in got) is hears


def test_a_users_server_that_is_gone_is_an_error(proxy: Callable[..., ProxyProcess]) -> None:
    """Their actions are not sent to another PBX."""
    with SimulatedAsterisk() as north, SimulatedAsterisk("127.0.0.2") as south:
        program = proxy(closed(north, south), "south=secret,,,,,127.0.0.2")
        wait_connected(program, 2)
        south.stop()
        program.wait_log("127.0.0.2")
        with logged_in(program, "south") as client:
            reply = answer(client, "Action: Ping")
            while reply[0] == "Response: Success":  # it has not noticed yet
                reply = answer(client, "Action: Ping")
        assert reply == ["Response: Error", "Message: Server 127.0.0.2 is not connected"]


#: filterlocal -> channel that is asked for -> channel that goes upstream, or None.
LOCAL: dict[str, dict[str, str | None]] = {
    "off": {"Local/5@Crm": None, "Local/5": None, "Local/5@other": None},
    "allow": {
        "Local/5@Crm": "Local/5@Crm",
        "Local/5": "Local/5",
        "Local/5@other/n": "Local/5@other/n",
    },
    "allowwith": {
        "Local/5@Crm": "Local/5@Crm",
        "Local/5@Crm/n": "Local/5@Crm/n",
        "Local/5@crm": None,
        "Local/5": None,
    },
    "enforce": {
        "Local/5@other": "Local/5@Crm",
        "Local/5@other/n": "Local/5@Crm/n",
        "Local/5": "Local/5@Crm",
        "local/5@Crm": "local/5@Crm",
    },
}


@pytest.mark.parametrize("mode", LOCAL)
def test_filterlocal(proxy: Callable[..., ProxyProcess], mode: str) -> None:
    """Originates on Local channels pass, are refused or rewritten; other actions are refused."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk, more=f"filterlocal = {mode}\n"), USERS)
        wait_connected(program)
        with logged_in(program, "tied") as client:
            for number, (asked, wanted) in enumerate(LOCAL[mode].items()):
                reply = answer(
                    client,
                    *("Action: Originate", f"Channel: {asked}", "Exten: 1", "Context: Crm"),
                    *("Async: true", f"ActionID: local-{number}"),
                )
                refused = "Message: Action Filtered" in reply
                lines = upstream(asterisk, f"-local-{number}")
                assert refused is (wanted is None)
                assert (None if lines is None else value(lines, "Channel")) == wanted
                answered = answer(client, "Action: Hangup", f"Channel: {asked}")
                assert "Message: Action Filtered" in answered


def test_the_replay_obeys_the_classes(two_servers: Stage) -> None:
    """A user without the class call gets no Newchannel, even if it is linked to their channel."""
    north, _, program = two_servers
    call = "Channel: SIP/200-9\r\nUniqueid: 9.1\r\n"
    called = f"Event: AgentCalled\r\nPrivilege: agent,all\r\n{call}DestChannel: SIP/100-9\r\n\r\n"
    said = f"Event: Newchannel\r\nPrivilege: call,all\r\n{call}\r\n{called}"

    with logged_in(program, "agent100") as client:
        got = events_of(client, north, lambda: north.send(said.encode()))

    assert [message.partition(b"\r\n")[0] for message in got] == [b"Event: AgentCalled"]


def test_the_replay_holds_nothing_but_the_call(proxy: Callable[..., ProxyProcess]) -> None:
    """After a bridge with another's call: its Newchannel and Newstate, whole and alone.

    C sent parts of other messages, even of the upstream log-in with its secret.
    """
    with BareServer() as server:
        program = proxy(
            closed(more="autofilter = off\n") + host_line(server, secret="UpstreamSecret"),
            "joe=secret,sip/100",
        )
        link = server.wait_link()
        wait_connected(program)
        head = ["Privilege: call,all", "Channel: SIP/200-1", "Uniqueid: 1.2"]
        calls = [
            ["Event: Newchannel", *head],
            ["Event: Newstate", *head, "ChannelStateDesc: Up"],
            ["Event: Bridge", "Channel1: SIP/100-1", "Uniqueid1: 1.1", "Uniqueid2: 1.2"],
        ]
        with logged_in(program, "joe") as client:
            link.sendall("".join("\r\n".join([*call, "", ""]) for call in calls).encode())
            for call in calls:
                assert client.read_message() == [*call, f"Server: {server.host}"]
            assert client.is_silent()
