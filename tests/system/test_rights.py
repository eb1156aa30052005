# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sees and does what, by the running program: classes, filters, accounts, servers."""

from __future__ import annotations

import contextlib

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.peers import BareServer, host_line, is_response, value, wait_connected
from tests.system.people import answer, closed, events_of, log_in, logged_in

USERS = """
free=secret
tied=secret,sip/100,Crm,,acc-tied
billed=secret,,,,acc-billed
north=secret,,,,,127.0.0.1
south=secret,,,,,127.0.0.2

[general]
[base](!)
secret = secret
read =
write =

[board](base)
read = agent,call
eventfilter = Queue: support

[notify](base)
read = call,agent
eventfilter = !Event: Hangup

[newform](base)
read = all
eventfilter(action(include),name(Newchannel),header(Channel),method(starts_with)) = SIP/100

[blind](base)
[reader](base)
read = reporting
write = reporting

[dialer](base)
read = call
write = originate

[root](base)
write = originate,system,config,command
proxyactions = all

[lister](base)
proxyactions = ListServers

[worker](base)
write = call

[looker](base)
read = all

[agent100](base)
read = agent
channel = SIP/100

[picker](base)
read = all
write = all
eventfilter = !Event: Hangup
"""


@pytest.fixture(scope="module")
def two_servers():
    """Two Asterisks and a proxy with USERS."""
    with contextlib.ExitStack() as stack:
        north = stack.enter_context(SimulatedAsterisk())
        south = stack.enter_context(SimulatedAsterisk("127.0.0.2"))
        program = stack.enter_context(ProxyProcess(closed(north, south), USERS))
        wait_connected(program, 2)
        yield north, south, program


SAID = [
    ("Newchannel", "call,all", {"Channel": "SIP/100-1", "Uniqueid": "1.1"}),
    ("Newchannel", "call,all", {"Channel": "SIP/200-1", "Uniqueid": "1.2"}),
    ("QueueCallerJoin", "agent,all", {"Queue": "support", "Uniqueid": "1.1"}),
    ("QueueCallerJoin", "agent,all", {"Queue": "sales", "Uniqueid": "1.2"}),
    ("AgentCalled", "agent,call,all", {"Queue": "support", "Uniqueid": "1.1"}),
    ("Reload", "system,all", {"Module": "All"}),
    ("CoreShow", "reporting,all", {"Text": "x"}),
    ("Novelty", "shiny,all", {"Text": "x"}),
    ("Hangup", "call,all", {"Channel": "SIP/200-1", "Uniqueid": "1.2"}),
    ("Hangup", "call,all", {"Channel": "SIP/100-1", "Uniqueid": "1.1"}),
]


def speak(asterisk):
    """Make *asterisk* say SAID."""
    for event, privilege, headers in SAID:
        rows = {"Event": event, "Privilege": privilege, **headers, "Said": "yes"}
        asterisk.send("".join(f"{k}: {v}\r\n" for k, v in rows.items()).encode() + b"\r\n")


def said_to(client, asterisk):
    """Make *asterisk* say SAID; return what of it reaches *client*.

    Calls of other tests may still be under way.
    """
    got = events_of(client, asterisk, lambda: speak(asterisk))
    return [message for message in got if b"\r\nSaid: yes\r\n" in message]


#: User -> which of SAID he sees.
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
def test_read_classes_and_event_filters(two_servers, name):
    """Each user sees the events of his classes that his eventfilter lets through."""
    north, _, program = two_servers

    with logged_in(program, name) as client:
        got = said_to(client, north)
    names = [(SAID[i][0], SAID[i][2].get("Uniqueid") or "") for i in SEEN[name]]
    found = [message.decode().split("\r\n") for message in got]
    assert [(value(one, "Event"), value(one, "Uniqueid") or "") for one in found] == names


def upstream(asterisk, action_id):
    """Return the action with *action_id*, as it came to *asterisk*, or None."""
    for raw in list(asterisk.received):
        lines = raw.decode("latin-1").split("\r\n")
        if any(line.startswith("ActionID:") and line.endswith(action_id) for line in lines):
            return lines
    return None


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
    ("dialer", False, [*ORIGINATE, "Application: TrySystem", "Data: id"]),
    ("dialer", False, [*ORIGINATE, "application:  SYSTEM", "Data: id"]),
    ("dialer", False, [*ORIGINATE, "Application: ExecIf", "Data: 1?System(id)"]),
    ("dialer", False, [*ORIGINATE, "Application: AGI", "Data: /bin/sh"]),
    ("dialer", False, [*ORIGINATE, "Application: EAGI", "Data: x"]),
    ("dialer", False, [*ORIGINATE, "Application: FastAGI", "Data: x"]),
    ("dialer", False, [*ORIGINATE, "Application: MixMonitor", "Data: a.wav,,id"]),
    ("dialer", False, [*ORIGINATE, "Application: Playback", "Data: ${SHELL(id)}"]),
    ("dialer", False, [*ORIGINATE, "Exten: 1", "Variable: A=${FILE(/etc/passwd)}"]),
    ("dialer", False, [*ORIGINATE, "Exten: 1", "Variable: A=1", "Variable: B=${EVAL(x)}"]),
    ("worker", False, ["Action: Setvar", "Variable: SHELL(id)", "Value: x"]),
    ("worker", False, ["Action: Getvar", "Variable: SHELL(id)"]),
    ("root", True, [*ORIGINATE, "Application: System", "Data: id"]),
    # the first Action counts, for Asterisk (recording i1_two_actions) and for the rights
    ("reader", True, ["Action: CoreStatus", "Action: Command", "Command: core stop now"]),
    ("reader", False, ["Action: Command", "Action: CoreStatus", "Command: core stop now"]),
    ("reader", False, ["Action:", "Action: Command", "Command: core stop now"]),
    # channel and context of one's own
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
]


@pytest.mark.parametrize("case", range(len(MAY_DO)))
def test_what_may_be_done(two_servers, case):
    """It goes upstream or is refused, as the table says, and Asterisk never hears the latter."""
    north, south, program = two_servers
    name, allowed, lines = MAY_DO[case]
    with logged_in(program, name) as client:
        reply = answer(client, *lines, f"ActionID: act-{case}")
        assert reply[0].startswith("Response:")
        if not allowed:
            assert reply == [
                "Response: Error",
                "Message: Action Filtered",
                f"ActionID: act-{case}",
            ]
        # A Ping is behind it on the same way.
        assert "Response: Success" in answer(client, "Action: Ping", f"ActionID: end-{case}")
    assert (upstream(north, f"-act-{case}") is not None) is allowed
    assert upstream(south, f"-act-{case}") is None


def test_the_account_is_the_users(two_servers):
    """Each Originate carries it, added or overwritten, once; other clients' are untouched."""
    north, _, program = two_servers
    for name, given, wanted in [
        ("tied", [], "acc-tied"),
        ("tied", ["Account: other"], "acc-tied"),
        ("tied", ["account:other", "Account: third"], "acc-tied"),
        ("billed", [], "acc-billed"),
        ("billed", ["Account: other"], "acc-billed"),
        ("free", ["Account: other"], "other"),
        ("free", [], None),
    ]:
        number = f"{name}-{len(given)}"
        with logged_in(program, name) as client:
            reply = answer(client, *ORIGINATE, "Context: Crm", *given, f"ActionID: {number}")
            assert reply[0] == "Response: Success", reply
        lines = upstream(north, f"-{number}")
        accounts = {
            line.partition(":")[2].strip() for line in lines if line[:8].lower() == "account:"
        }
        assert accounts == ({wanted} if wanted else set()), (name, lines)


def test_account_withholds_no_event(two_servers):
    """Who only has an accountcode sees every call (C changed the event of others besides)."""
    north, _, program = two_servers
    with logged_in(program, "billed") as client, logged_in(program, "free") as other:
        event = b"Event: NewAccountCode\r\nPrivilege: call,all\r\nAccount: their\r\n"
        got = events_of(client, north, lambda: north.send(event + b"\r\n"))
        told = events_of(other, north, lambda: north.send(event + b"\r\n"))
    assert event + b"Server: 127.0.0.1\r\n\r\n" in got
    assert event + b"Server: 127.0.0.1\r\n\r\n" in told


def test_the_users_server_beats_the_header(two_servers):
    """`server` of the user is where all his actions go, whatever Server he names."""
    north, south, program = two_servers
    for name, header, hears in [
        ("north", "Server: 127.0.0.2", north),
        ("south", "Server: 127.0.0.1", south),
        ("south", "X: y", south),
        ("free", "Server: 127.0.0.2", south),
        ("free", "X: y", north),
    ]:
        number = f"srv-{name}-{header[-1]}"
        with logged_in(program, name) as client:
            reply = answer(client, "Action: Ping", header, f"ActionID: {number}")
        assert value(reply, "Server") == hears.host
        assert upstream(hears, f"-{number}") is not None


def test_a_users_server_that_is_gone_is_named(proxy):
    """His actions are not sent to another PBX."""
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


PROXY_ACTIONS = {
    "AddServer": ["Server: 127.0.0.9", "Port: 1"],
    "DropServer": ["Server: 127.0.0.9"],
    "ListServers": [],
    "ListSessions": [],
    "ListIOHandlers": [],
    "SetAutoFilter": ["AutoFilter: unique"],
    "SetOutputFormat": ["OutputFormat: standard"],
}
_HARMLESS = {"ListSessions", "ListIOHandlers", "SetAutoFilter", "SetOutputFormat"}


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("free", set(PROXY_ACTIONS)),
        ("root", set(PROXY_ACTIONS)),
        ("billed", _HARMLESS),
        ("tied", _HARMLESS),
        ("dialer", _HARMLESS),
        ("lister", {"ListServers"}),
    ],
)
def test_proxyactions(two_servers, name, allowed):
    """AddServer, DropServer and ListServers are for `all` or those named."""
    _, _, program = two_servers
    refused = ["ProxyResponse: Error", "Message: Action Filtered"]
    with program.client() as client:
        log_in(client, name)
        got = {
            action
            for action, lines in PROXY_ACTIONS.items()
            if answer(client, f"ProxyAction: {action}", *lines) != refused
        }
        assert got == allowed
        assert answer(client, "ProxyAction: Logoff")[0] == "Response: Goodbye"


LOCAL = {
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
def test_filterlocal(proxy, mode):
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


def test_a_clients_own_mask_and_filter_only_take_away(two_servers):
    """Events, Filter and a login's Events act on this client, and give no right."""
    north, _, program = two_servers

    with program.client() as client, logged_in(program, "dialer") as other:
        log_in(client, "dialer", "secret", "Events: all")
        assert len(said_to(client, north)) == 4  # not more than call
        assert answer(client, "Action: Events", "EventMask: off")[1] == "Events: Off"
        assert said_to(client, north) == []
        assert answer(client, "Action: Events", "EventMask: on,system")[0] == "Response: Success"
        answer(client, "Action: Events", "EventMask: on")
        reply = answer(client, "Action: Filter", "Operation: Add", "Filter: Event: Hangup")
        assert reply[0] == "Response: Success"
        got = said_to(client, north)
        assert [message.split(b"\r\n")[0] for message in got] == [b"Event: Hangup"] * 2
        assert said_to(other, north)[0].startswith(b"Event: Newchannel")
    assert not north.actions("Events")
    assert not north.actions("Filter")


def test_answers_reach_nobody_whose_rights_are_limited(proxy):
    """With autofilter = off too: an answer to another is no business of such a user.

    He may not have been allowed to ask (`write`), nor to see what stands in it (`read`).
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


def test_the_replay_is_of_ones_classes(two_servers):
    """Who does not read the class call is told of no Newchannel, be it linked to his channel."""
    north, _, program = two_servers
    call = "Channel: SIP/200-9\r\nUniqueid: 9.1\r\n"
    called = f"Event: AgentCalled\r\nPrivilege: agent,all\r\n{call}DestChannel: SIP/100-9\r\n\r\n"
    said = f"Event: Newchannel\r\nPrivilege: call,all\r\n{call}\r\n{called}"

    with logged_in(program, "agent100") as client:
        got = events_of(client, north, lambda: north.send(said.encode()))

    assert [message.partition(b"\r\n")[0] for message in got] == [b"Event: AgentCalled"]


def test_the_replay_holds_nothing_but_the_call(proxy):
    """Of a bridge that links another's call: its Newchannel and Newstate whole, and no rests.

    C sent rests of other messages, even of the upstream log-in with its secret.
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
