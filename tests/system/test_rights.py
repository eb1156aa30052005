# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights in the running program: who sees which events, who may send what."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.threads.actions.proxyactions import (
    FOR_EVERYBODY,
    OPERATING,
    PRIVILEGED,
    PROXY_ACTIONS,
)
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import is_response, value, wait_connected
from tests.system.people import answer, closed, is_in, log_in, logged_in
from tests.system.rights_stage import SAID, USERS, Stage, said_to, set_up, upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ProxyProcess


@pytest.fixture(scope="module")
def two_servers() -> Iterator[Stage]:
    """Return a stage that the tests of this module share."""
    with set_up() as stage:
        yield stage


#: User -> which of SAID they see.
SEEN = {
    "free": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "billed": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    "tied": [0, 2, 4, 9],
    "board": [2, 4],
    "notify": [0, 1, 2, 3, 4],
    "newform": [0],
    "blind": [],
    "reader": [6],
    "dialer": [0, 1, 8, 9],
}


@pytest.mark.parametrize("name", SEEN)
def test_read_classes_and_event_filters(two_servers: Stage, name: str) -> None:
    """Each user sees the events of their classes that their eventfilter lets pass."""
    north, _, program = two_servers

    with logged_in(program, name) as client:
        got = said_to(client, north)
    names = [(SAID[i][0], SAID[i][2].get("Uniqueid") or "") for i in SEEN[name]]
    found = [message.decode().split("\r\n") for message in got]
    assert [(value(one, "Event"), value(one, "Uniqueid") or "") for one in found] == names


ORIGINATE = ["Action: Originate", "Channel: SIP/100", "Async: true"]

#: User, whether it goes upstream, the action.
MAY_DO = [
    ("free", True, ["Action: Command", "Command: core show version"]),
    ("free", True, ["Action: SomethingNew"]),
    ("free", True, [*ORIGINATE, "Application: System", "Data: id"]),
    # classes
    ("blind", True, ["Action: Ping"]),
    ("blind", False, ["Action: CoreStatus"]),
    ("reader", True, ["Action: CoreStatus"]),
    ("reader", True, ["action:corestatus"]),
    ("reader", False, ["Action: Hangup", "Channel: SIP/1"]),
    ("reader", False, ["Action: Command", "Command: core show version"]),
    ("reader", False, ["Action:Command", "Command: core show version"]),
    ("reader", False, ["Action: GetConfig", "Filename: manager.conf"]),
    ("reader", False, ["Action: SomethingNew"]),
    ("root", False, ["Action: SomethingNew"]),
    ("root", True, ["Action: Command", "Command: core show version"]),
    ("root", True, ["Action: GetConfig", "Filename: extensions.conf"]),
    ("dialer", False, ["Action: Command", "Command: core show version"]),
    (
        "worker",
        True,
        ["Action: Redirect", "Channel: SIP/1", "Exten: 1", "Context: x", "Priority: 1"],
    ),
    # what leaves the PBX
    ("dialer", True, [*ORIGINATE, "Exten: 1", "Context: x", "Priority: 1"]),
    ("dialer", True, [*ORIGINATE, "Application: Playback", "Data: beep"]),
    ("dialer", False, [*ORIGINATE, "Application: System", "Data: id"]),
    ("dialer", False, [*ORIGINATE, "Application: MixMonitor", "Data: a.wav,,id"]),
    ("dialer", False, [*ORIGINATE, "Application: Playback", "Data: ${SHELL(id)}"]),
    ("dialer", False, [*ORIGINATE, "Exten: 1", "Variable: A=${FILE(/etc/passwd)}"]),
    ("worker", False, ["Action: Setvar", "Variable: SHELL(id)", "Value: x"]),
    ("worker", False, ["Action: Getvar", "Variable: SHELL(id)"]),
    ("root", True, [*ORIGINATE, "Application: System", "Data: id"]),
    # the first Action counts, for Asterisk (recording i1_two_actions) and for the rights
    ("reader", True, ["Action: CoreStatus", "Action: Command", "Command: core stop now"]),
    ("reader", False, ["Action: Command", "Action: CoreStatus", "Command: core stop now"]),
    ("reader", False, ["Action:", "Action: Command", "Command: core stop now"]),
    # channel and context of the user
    ("tied", True, [*ORIGINATE, "Exten: 1", "Context: Crm"]),
    ("tied", False, [*ORIGINATE, "Exten: 1", "Context: crm"]),
    ("tied", False, ["Action: Originate", "Channel: SIP/200", "Exten: 1", "Context: Crm"]),
    ("tied", False, ["Action: Originate", "channel:SIP/200", "Exten: 1", "Context: Crm"]),
    ("tied", False, ["Action: Originate", "Channel: Local/5@Crm", "Exten: 1"]),
    ("tied", True, ["Action: Redirect", "Channel: SIP/100-1", "Exten: 1", "Context: Crm"]),
    ("tied", False, ["Action: Redirect", "Channel: SIP/100-1", "ExtraChannel: SIP/200-1"]),
    ("tied", False, ["Action: Redirect", "Channel: SIP/100-1", "ExtraContext: other"]),
    ("tied", False, ["Action: Bridge", "Channel1: SIP/100-1", "Channel2: SIP/200-1"]),
    ("tied", False, ["Action: Hangup", "Channel: 1700000000.17"]),
    ("tied", False, ["Action: Hangup", "Channel: /^SIP/.*$/"]),
    ("tied", False, [*ORIGINATE, "ChannelId: 1700000000.17", "Context: Crm"]),
    ("tied", False, ["Action: Hangup", "Channel: SIP/100-1", "Channel: SIP/200-1"]),
    # what has no bounds, what reaches others, what goes on elsewhere, what forges
    ("tied", False, ["Action: Command", "Command: core stop now"]),
    ("tied", False, ["Action: DBPut", "Family: a", "Key: b", "Val: c"]),
    ("tied", False, ["Action: UpdateConfig", "DstFilename: manager.conf"]),
    ("tied", False, [*ORIGINATE, "Application: System", "Data: id"]),
    ("tied", False, [*ORIGINATE, "Application: ChanSpy", "Data: SIP/200"]),
    ("tied", False, [*ORIGINATE, "Application: ChannelRedirect", "Data: SIP/200,evil,s,1"]),
    ("tied", False, [*ORIGINATE, "Application: Goto", "Data: evil,s,1"]),
    ("tied", True, [*ORIGINATE, "Application: Playback", "Data: beep"]),
    ("tied", False, ["Action: Setvar", "Variable: X", "Value: 1"]),
    ("tied", False, ["Action: Getvar", "Channel: SIP/100-1", "Variable: IMPORT(SIP/200-1,X)"]),
    ("tied", True, ["Action: Getvar", "Channel: SIP/100-1", "Variable: CHANNEL(state)"]),
    ("tied", True, ["Action: Atxfer", "Channel: SIP/100-1", "Exten: 1"]),
    ("tied", False, [*ORIGINATE, "Exten: 1", "Variable: TRANSFER_CONTEXT=evil"]),
    ("tied", False, [*ORIGINATE, "Exten: 1", "Context: Crm", "PreDialGoSub: evil,s,1"]),
    ("tied", False, [*ORIGINATE, "Exten: 1", "Variable: CHANNEL(accountcode)=x"]),
    ("billed", False, [*ORIGINATE, "Exten: 1", "Variable: CDR(account\\code)=x"]),
    ("worker", False, ["Action: Getvar", "Variable: URIDECODE(%0d%0a%0d%0aResponse: x)"]),
    ("reader", False, ["Action: Status", "Variables: CHANNEL(x),BASE64_DECODE(Cg==)"]),
    ("dialer", False, [*ORIGINATE, "Application: SendFAX", "Data: /etc/x.tif"]),
    ("blind", False, ["Action: PRIDebugFileSet", "File: /tmp/x"]),
    ("worker", False, ["Action: VoicemailRemove", "Mailbox: 200", "Folder: INBOX", "ID: 1"]),
    ("tied", False, ["Action: MessageSend", "To: sip:200", "Body: x"]),
    ("tied", True, ["Action: MessageSend", "To: sip:100", "Body: x"]),
    ("tied", False, ["Action: MailboxCount", "Mailbox: 200@default"]),
]


@pytest.mark.parametrize("case", range(len(MAY_DO)))
def test_an_action_goes_upstream_or_is_refused(two_servers: Stage, case: int) -> None:
    """As the table says; Asterisk never gets a refused one."""
    north, south, program = two_servers
    name, allowed, lines = MAY_DO[case]
    with logged_in(program, name) as client:
        reply = answer(client, *lines, f"ActionID: act-{case}")
        assert reply[0].startswith("Response:")
        if not allowed:
            assert reply == [
                "Response: Error",
                f"ActionID: act-{case}",
                "Message: Action Filtered",
            ]
        # A Ping takes the same way after it.
        assert "Response: Success" in answer(client, "Action: Ping", f"ActionID: end-{case}")
    assert (upstream(north, f"-act-{case}") is not None) is allowed
    assert upstream(south, f"-act-{case}") is None


@pytest.mark.parametrize(
    ("name", "allowed"), [("free", True), ("tied", True), ("root", True), ("dialer", False)]
)
def test_who_may_add_a_filter(two_servers: Stage, name: str, allowed: bool) -> None:
    """In sections the class system, as in Asterisk; in C's form everybody."""
    with logged_in(two_servers.program, name) as client:
        reply = answer(client, "Action: Filter", "Operation: Add", "Filter: Event: Hangup")
    assert (reply[0] == "Response: Success") is allowed


def test_a_transfer_without_context_gets_the_users(two_servers: Stage) -> None:
    """So that it does not go on in whatever context the channel has."""
    north, _, program = two_servers
    with logged_in(program, "tied") as client:
        answer(
            client, "Action: BlindTransfer", "Channel: SIP/100-1", "Exten: 1", "ActionID: blind-1"
        )
    assert "Context: Crm" in (upstream(north, "-blind-1") or [])


def test_the_log_says_why(proxy: Callable[..., ProxyProcess]) -> None:
    """What kept an action from Asterisk, and nothing of what it held."""
    reason = "action 'originate' refused: it reaches channels of others"
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), USERS)
        with logged_in(program, "tied") as client:
            answer(client, *ORIGINATE, "Application: ChanSpy", "Data: SIP/hunter2", "ActionID: 1")
        wait_until(lambda: reason in program.log(), what="the log line")
        assert "hunter2" not in program.log()


EVERY = {
    each.name for each in PROXY_ACTIONS.values() if not each.for_everybody and not each.operating
}
UNPRIVILEGED_ACTIONS = EVERY - set(PRIVILEGED)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("free", EVERY),
        ("root", EVERY),
        ("billed", UNPRIVILEGED_ACTIONS),
        ("tied", UNPRIVILEGED_ACTIONS),
        ("dialer", UNPRIVILEGED_ACTIONS),
        ("lister", {"ListServers"}),
    ],
)
def test_proxyactions(two_servers: Stage, name: str, allowed: set[str]) -> None:
    """The privileged ones are for `all` or those named; Logoff is for everybody."""
    _, _, program = two_servers
    refused = ["ProxyResponse: Error", "Message: Action Filtered"]
    with program.client() as client:
        assert is_in(log_in(client, name))
        # Without any header: what is permitted fails for that reason, or succeeds.
        tried = [*EVERY, *OPERATING]
        got = {each for each in tried if answer(client, f"ProxyAction: {each}") != refused}
        assert got == allowed
        for logoff in FOR_EVERYBODY:
            assert answer(client, f"ProxyAction: {logoff}")[0] == "Response: Goodbye"


def test_a_clients_own_mask_and_filter_only_take_away(two_servers: Stage) -> None:
    """Events, Filter and the Events of a log-in apply to this client and give no right."""
    north, _, program = two_servers

    with program.client() as client, logged_in(program, "dialer") as other:
        log_in(client, "dialer", "secret", "Events: all")
        assert len(said_to(client, north)) == 4  # not more than call
        assert answer(client, "Action: Events", "EventMask: off")[1] == "Events: Off"
        assert said_to(client, north) == []
        assert answer(client, "Action: Events", "EventMask: on,system")[0] == "Response: Success"
        answer(client, "Action: Events", "EventMask: on")
        reply = answer(client, "Action: Filter", "Operation: Add", "Filter: Event: Hangup")
        assert reply[:2] == ["Response: Error", "Message: Action Filtered"]  # for want of system
        assert len(said_to(client, north)) == 4
        log_in(client, "watcher")
        reply = answer(client, "Action: Filter", "Operation: Add", "Filter: Event: Hangup")
        assert reply[0] == "Response: Success"
        got = said_to(client, north)
        assert [message.split(b"\r\n")[0] for message in got] == [b"Event: Hangup"] * 2
        assert said_to(other, north)[0].startswith(b"Event: Newchannel")
    assert not north.actions("Events")
    assert not north.actions("Filter")


def test_answers_reach_nobody_whose_rights_are_limited(proxy: Callable[..., ProxyProcess]) -> None:
    """Even with autofilter = off: such a user does not see the answers to others.

    They may not have been allowed to ask (`write`), nor to see the contents (`read`).
    """
    with SimulatedAsterisk() as asterisk, contextlib.ExitStack() as stack:
        program = proxy(closed(asterisk, more="autofilter = off\n"), USERS)
        wait_connected(program)
        clients = [
            stack.enter_context(logged_in(program, name))
            for name in ("free", "board", "tied", "looker", "picker")
        ]
        asker = stack.enter_context(logged_in(program, "free"))
        assert value(answer(asker, "Action: Ping", "ActionID: mine"), "ActionID") == "mine"
        assert "ActionID: mine" in clients[0].read_until(is_response)
        for client in clients[1:]:
            reply = answer(client, "Action: Ping", "ActionID: next")
            assert "ActionID: next" in reply, reply
