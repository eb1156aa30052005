# SPDX-License-Identifier: GPL-2.0-or-later
"""Each ProxyAction, and who may call it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from amiproxy import __version__
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS
from tests.threads.actions.support import FORMATS, Client, Control

ADD = ["Server: PBX2", "Port: 5038", "Username: u", "Secret: s", "Events: on"]
ADDED = ServerSpec("pbx2", 5038, "u", "s", "on", tls=False)


def call(client: Client, name: str, *lines: str) -> list[str]:
    """Call the ProxyAction *name* and return its answer."""
    return client.ask(f"ProxyAction: {name}", *lines)


@pytest.mark.parametrize("name", sorted(PROXY_ACTIONS))
def test_a_proxyaction_has_what_the_documents_say_of_it(name: str) -> None:
    """Its name is found in any case; another site's page may not link to what changes something."""
    record = PROXY_ACTIONS[name]

    assert record.name.lower() == name
    assert record.reply
    assert not (record.read_only and name.startswith(("set", "add", "drop", "logoff")))
    assert not (record.privileged and record.for_everybody)


def test_actions_on_servers_are_privileged() -> None:
    """They show or change whom the proxy logs in to."""
    for name in ("addserver", "dropserver", "listservers"):
        assert PROXY_ACTIONS[name].privileged


@pytest.mark.parametrize("name", sorted(PROXY_ACTIONS))
def test_a_user_without_rights_may_call_those_for_everybody_only(name: str) -> None:
    """An empty proxyactions line denies all others."""
    client = Client("[u]\nsecret = s\nread =\nwrite =\nproxyactions = none\n", auth_required=True)
    client.handle("Action: Login", "Username: u", "Secret: s")
    refused = ["ProxyResponse: Error", "Message: Action Filtered", "ActionID: 7"]

    answer = call(client, name, "ActionID: 7")

    assert (answer != refused) is PROXY_ACTIONS[name].for_everybody


def test_an_unknown_proxyaction_is_an_error() -> None:
    """The ActionID comes last."""
    answer = call(Client(), "Nonsense", "ActionID: 7")

    assert answer == ["ProxyResponse: Error", "Message: Invalid Proxy Action", "ActionID: 7"]


def test_listsessions_names_the_newest_client_first() -> None:
    """Four lines for each."""
    client = Client()
    client.join("192.0.2.9")

    answer = call(client, "ListSessions", "ActionID: 7")

    ids = "ProxyClientActionID: "
    formats = ["ProxyClientInputHandler: standard", "ProxyClientOutputHandler: standard"]
    assert answer == [
        "ProxyResponse: Success",
        *("ProxyClientSession: 192.0.2.9", ids, *formats),
        *("ProxyClientSession: 192.0.2.1", ids, *formats),
        "ActionID: 7",
    ]


def test_listservers_without_any() -> None:
    """Success, and no line."""
    assert call(Client(), "ListServers") == ["ProxyResponse: Success"]


def test_listiohandlers_names_each_format_by_direction() -> None:
    """Http is for input only."""
    answer = call(Client(), "ListIOHandlers")

    assert "InputHandler: http" in answer
    assert "OutputHandler: http" not in answer
    assert {"InputHandler: xml", "OutputHandler: xml"} <= set(answer)


def test_uptime_tells_since_when_the_proxy_runs() -> None:
    """Whole seconds, the moment with its time zone, and the version."""
    client = Client()

    answer = call(client, "Uptime", "ActionID: 7")

    started = datetime.fromisoformat(answer[2].partition(": ")[2])
    assert 0 <= (datetime.now(timezone.utc) - started).total_seconds() < 60
    assert answer == [
        "ProxyResponse: Success",
        "Uptime: 0",
        f"Started: {started.isoformat()}",
        f"Version: {__version__}",
        "ActionID: 7",
    ]


def test_setoutputformat_answers_in_the_new_format() -> None:
    """An unknown one, or one that cannot be written, changes nothing."""
    client = Client()
    for name in ("nonsense", "http", ""):
        answer = call(client, "SetOutputFormat", f"OutputFormat: {name}")
        assert answer == ["ProxyResponse: Error", "Message: Unknown output format"]
        assert client.session.output is FORMATS["standard"]

    answer = call(client, "SetOutputFormat", "OutputFormat: XML")

    assert answer == ["ProxyResponse: Success", "OutputFormat: xml"]
    assert client.session.output is FORMATS["xml"]


def test_setinputformat_takes_formats_that_a_connection_can_switch_to() -> None:
    """Http needs a port of its own."""
    client = Client()
    for name in ("nonsense", "http", ""):
        answer = call(client, "SetInputFormat", f"InputFormat: {name}")
        assert answer == ["ProxyResponse: Error", "Message: Unknown input format"]
        assert client.session.input_name == "standard"

    answer = call(client, "SetInputFormat", "InputFormat: JSON")

    assert answer == ["ProxyResponse: Success", "InputFormat: json"]
    assert client.session.input_name == "json"


@pytest.mark.parametrize(
    ("word", "mode", "number"),
    [
        ("on", AutoFilter.ON, 1),
        ("Unique", AutoFilter.UNIQUE, 2),
        ("off", AutoFilter.OFF, 0),
        ("Yes", AutoFilter.ON, 1),
        ("true", AutoFilter.ON, 1),
        ("nonsense", AutoFilter.OFF, 0),
    ],
)
def test_setautofilter_answers_with_a_number(word: str, mode: AutoFilter, number: int) -> None:
    """Anything else means off."""
    client = Client()

    answer = call(client, "SetAutoFilter", f"AutoFilter: {word}")

    assert answer == ["ProxyResponse: Success", f"AutoFilter: {number}"]
    assert client.session.mode is mode


def test_addserver_hands_the_server_over(caplog: pytest.LogCaptureFixture) -> None:
    """Its host in lower case; one that is there already is a failure, and the log says why."""
    caplog.set_level("INFO")
    client = Client(control=Control("pbx1"))

    assert call(client, "AddServer", *ADD) == ["ProxyResponse: Success", "Message: Added pbx2"]
    assert client.control.added == [ADDED]
    answer = call(client, "AddServer", *ADD[1:], "Server: pbx1")
    assert answer == ["ProxyResponse: Failure", "Message: Could not add pbx1"]
    assert "AddServer: 'pbx1' has no address, or is there already" in caplog.text


@pytest.mark.parametrize(
    "lines",
    [
        *(ADD[:missing] + ADD[missing + 1 :] for missing in range(len(ADD))),
        *([*ADD[:1], f"Port: {port}", *ADD[2:]] for port in ("0", "65536", "x", "-1", "5038 0")),
        ["Server: " + "x" * 256, *ADD[1:]],
        [*ADD, "UseSSL: perhaps"],
        [*ADD, "Use_SSL: yes"],
        *(
            [*(line for line in ADD if not line.startswith("Events")), f"Events: {word}"]
            for word in ("maybe", "call,nonsense", "on off", "9" * 30)
        ),
        *([f"Server: {name}", *ADD[1:]] for name in ("a b", "a/b", "[::1", "1.2.3.256", "a:b")),
    ],
)
def test_addserver_fails_for_what_is_missing_or_wrong(lines: list[str]) -> None:
    """And hands nothing over."""
    client = Client()

    assert call(client, "AddServer", *lines)[0] == "ProxyResponse: Failure"
    assert client.control.added == []


@pytest.mark.parametrize(
    ("word", "events"), [("YES", "on"), ("0", "off"), ("Call,Agent", "call,agent"), ("6", "6")]
)
def test_addserver_reads_events_as_a_host_line_does(word: str, events: str) -> None:
    """On and off in any words, classes, or their sum."""
    client = Client()
    lines = [line for line in ADD if not line.startswith("Events")]

    assert call(client, "AddServer", *lines, f"Events: {word}")[0] == "ProxyResponse: Success"
    assert [spec.events for spec in client.control.added] == [events]


def test_dropserver_drops_by_name() -> None:
    """One that is not there, or no name at all, is a failure."""
    client = Client(control=Control("pbx1"))

    answer = call(client, "DropServer", "Server: pbx1")
    assert answer == ["ProxyResponse: Success", "Message: Dropped pbx1"]
    for lines in (["Server: pbx1"], []):
        assert call(client, "DropServer", *lines)[0] == "ProxyResponse: Failure"


def test_logoff_is_the_action() -> None:
    """The client leaves."""
    client = Client()

    assert not client.handle("ProxyAction: Logoff").stays
    assert client.session.told == [["Response: Goodbye", "Message: Thanks for all the fish."]]
