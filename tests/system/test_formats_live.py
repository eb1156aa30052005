# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of each format, through the running program."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.handlers.support import recorded, write
from tests.support import wait_until
from tests.system.peers import QUICK, Collector, host_line, wait_connected
from tests.system.wireformats import answer_in, messages, next_message, spell

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy


EVENT = (
    'Event: UserEvent\r\nPrivilege: user,all\r\nN: %d\r\nText: <a> & "b", c\\d\r\n'
    "Variable: x\r\nVariable: y\r\n\r\n"
)


@pytest.fixture
def program(proxy: StartProxy, asterisk: SimulatedAsterisk) -> ProxyProcess:
    """A proxy that is connected to it."""
    started = proxy(
        QUICK
        + "clientwritetimeout = 20000\nautofilter = unique\nacceptencryptedconnection = no\n"
        + host_line(asterisk)
    )
    wait_connected(started)
    return started


#: What a client reads of ``EVENT % 7``.
SEVENTH = [
    ("Event", "UserEvent"), ("Privilege", "user,all"), ("N", "7"), ("Text", '<a> & "b", c\\d'),
    ("Variable", "x"), ("Variable", "y"), ("Server", "127.0.0.1"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["standard", "xml", "csv", "json"])
def test_a_client_of_one_format_from_banner_to_goodbye(
    proxy: StartProxy, asterisk: SimulatedAsterisk, name: str
) -> None:
    """Log in, ask, get an event, make a mistake, log off: all in its own format."""
    program = proxy(QUICK + f"inputformat = {name}\noutputformat = {name}\n" + host_line(asterisk))
    wait_connected(program)
    with program.client(banner=name == "standard") as client:
        client.send_raw(spell(name, ("Action", "Login"), ("Username", "joe"), ("ActionID", "1")))
        login = answer_in(client, name)
        booted = next_message(client, name)
        client.send_raw(spell(name, ("Action", "Ping"), ("ActionID", "2")))
        pong = answer_in(client, name)
        asterisk.send((EVENT % 7).encode())
        event = next_message(client, name)
        client.send_raw(spell(name, ("ProxyAction", "Nonsense"), ("ActionID", "3")))
        mistake = answer_in(client, name)
        client.send_raw(spell(name, ("Action", "Logoff"), ("ActionID", "4")))
        goodbye = answer_in(client, name)
        rest = client.read_to_end()

    assert login == [
        ("Response", "Success"),
        ("ActionID", "1"),
        ("Message", "Authentication accepted"),
    ]
    assert booted[0] == ("Event", "FullyBooted")
    assert dict(pong)["Response"] == "Success"
    assert dict(pong)["ActionID"] == "2"
    assert event == SEVENTH
    assert mistake == [
        ("ProxyResponse", "Error"),
        ("Message", "Invalid Proxy Action"),
        ("ActionID", "3"),
    ]
    assert goodbye[0] == ("Response", "Goodbye")
    assert ("ActionID", "4") in goodbye
    assert rest == b""


def test_the_format_changes_in_order_under_a_stream_of_events(
    program: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """The old format before the reply, the new from it on; nothing is lost or doubled."""
    total = 3000
    switches = ["csv", "json", "xml", "standard"] * 5

    with program.client() as client, Collector(client) as collector:
        client.send("ProxyAction: ListServers")
        collector.wait_for(b"ProxyResponse: Success")
        stream = threading.Thread(target=send_numbered, args=(asterisk, total))
        stream.start()
        for number, name in enumerate(switches):
            client.send(
                "ProxyAction: SetOutputFormat", f"OutputFormat: {name}", f"ActionID: s{number}"
            )
            # The next one when some events have come in this one.
            mark = collector.count + 5000
            wait_until(
                lambda mark=mark: collector.count > mark,  # type: ignore[misc]
                what="events",
            )
        stream.join()
        data = collector.wait_for(str(total - 1).encode())
        wait_until(lambda: collector.data.endswith(b"\r\n\r\n"))
        data = collector.data

    current, replies, events = "standard", [], []
    for name, headers in messages(data):
        if headers[0][0] == "ProxyResponse":
            chosen = dict(headers).get("OutputFormat")
            if chosen:
                current = chosen
                replies.append(chosen)
        else:
            events.append(int(dict(headers)["N"]))
        assert name == current
    assert replies == switches
    assert events == list(range(total))


def send_numbered(asterisk: SimulatedAsterisk, total: int) -> None:
    """Send *total* numbered events, not all at once."""
    for number in range(total):
        asterisk.send((EVENT % number).encode())
        if number % 20 == 0:
            asterisk.flush()
            threading.Event().wait(0.002)


def test_one_clients_format_is_its_own(program: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """Others go on in theirs, and get the same event."""
    with program.client() as one, program.client() as other:
        one.send("ProxyAction: SetOutputFormat", "OutputFormat: JSON")
        reply = next_message(one, "json")
        other.send("ProxyAction: ListServers")
        answer_in(other, "standard")
        asterisk.send((EVENT % 1).encode())

        assert reply == [("ProxyResponse", "Success"), ("OutputFormat", "json")]
        assert next_message(one, "json") == next_message(other, "standard")


@pytest.mark.parametrize("name", ["nonsense", "", "http", "../xml", "standard.py"])
def test_an_unknown_format_is_an_error_and_changes_nothing(
    program: ProxyProcess, name: str
) -> None:
    """Neither for output nor for input; the C program died of `http`."""
    with program.client() as client:
        client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {name}", "ActionID: 1")
        assert client.read_message() == [
            "ProxyResponse: Error",
            "Message: Unknown output format",
            "ActionID: 1",
        ]
        client.send("ProxyAction: SetInputFormat", f"InputFormat: {name}", "ActionID: 2")
        assert client.read_message() == [
            "ProxyResponse: Error",
            "Message: Unknown input format",
            "ActionID: 2",
        ]
        client.send("Action: Ping", "ActionID: 3")
        assert "ActionID: 3" in client.read_message()


@pytest.mark.parametrize("at_once", [False, True], ids=["waits", "pipelines"])
def test_the_input_format_changes_in_order(program: ProxyProcess, at_once: bool) -> None:
    """What follows the request is read in the new format, also when it came with it."""
    blocks = [
        spell("standard", ("ProxyAction", "SetInputFormat"), ("InputFormat", "xml")),
        spell("xml", ("Action", "Ping"), ("ActionID", "x1")),
        spell("xml", ("ProxyAction", "SetInputFormat"), ("InputFormat", "json")),
        spell("json", ("Action", "Ping"), ("ActionID", "j1")),
        spell("json", ("Action", "Ping"), ("ActionID", "j2")),
        spell("json", ("ProxyAction", "SetInputFormat"), ("InputFormat", "csv")),
        spell("csv", ("Action", "Ping"), ("ActionID", "c1")),
        spell("csv", ("ProxyAction", "SetInputFormat"), ("InputFormat", "standard")),
        spell("standard", ("Action", "Ping"), ("ActionID", "s1")),
    ]
    replies: list[dict[str, str]] = []
    ids: list[dict[str, str]] = []
    with program.client() as client:
        if at_once:
            client.send_raw("".join(blocks))
        for block in blocks:
            if not at_once:
                client.send_raw(block)
            headers = dict(answer_in(client, "standard"))
            (replies if "ProxyResponse" in headers else ids).append(headers)

    assert [one["InputFormat"] for one in replies] == ["xml", "json", "csv", "standard"]
    # Asterisk's answers may come later than the proxy's own, but in order.
    assert [one["ActionID"] for one in ids] == ["x1", "j1", "j2", "c1", "s1"]


@pytest.mark.parametrize("size", [3, 7, None], ids=["in-threes", "in-sevens", "in-two"])
def test_the_input_format_changes_wherever_packets_end(
    program: ProxyProcess, size: int | None
) -> None:
    """The old reader takes no byte after the request, wherever the data was cut."""
    text = spell("standard", ("ProxyAction", "SetInputFormat"), ("InputFormat", "json"))
    text += spell("json", ("Action", "Ping"), ("ActionID", "j1"))
    if size:
        cuts = [list(range(size, len(text), size))]
    else:
        cuts = [[edge] for edge in range(text.index("InputFormat:"), text.index("{") + 1, 3)]
    for edges in cuts:
        places = [0, *edges, len(text)]
        with program.client() as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start, end in zip(places, places[1:]):
                client.send_raw(text[start:end])
                wait_until(lambda: not unread(client.sock), what="the proxy reads")

            client.read_until("ActionID: j1")


def unread(sock: socket.socket) -> bool:
    """Return whether the proxy has not yet read all that *sock* has sent."""
    ours, theirs = sock.getsockname()[1], sock.getpeername()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        if local.endswith(f":{theirs:04X}") and remote.endswith(f":{ours:04X}"):
            return int(queues.partition(":")[2], 16) > 0
    return False


@pytest.mark.parametrize(
    "document",
    [
        (
            '<!DOCTYPE a [<!ENTITY a "&b;&b;"><!ENTITY b "lol">]><AsteriskManagerInput>'
            '<Action Value="&a;"/></AsteriskManagerInput>'
        ),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><AsteriskManagerInput>'
            '<Action Value="&x;"/></AsteriskManagerInput>'
        ),
        "<AsteriskManagerInput><Action/></AsteriskManagerInput",
        "<AsteriskManagerInput><Action Value=Ping/></AsteriskManagerInput>",
        "<AsteriskManagerInput></Other>",
        "Action: Ping\r\n\r\n",
    ],
    ids=["laughs", "external", "unfinished", "unquoted", "mismatched", "no xml"],
)
def test_xml_that_is_none_is_answered_and_closed(
    program: ProxyProcess, asterisk: SimulatedAsterisk, document: str
) -> None:
    """No entity is resolved, nothing loaded, nothing reaches Asterisk; others go on."""
    before = len(asterisk.received)
    with program.client() as client, program.client() as other:
        client.send("ProxyAction: SetInputFormat", "InputFormat: xml")
        client.read_message()
        client.send_raw(document)
        client.half_close()
        found = client.read_to_end()
        other.send("Action: Ping", "ActionID: 1")

        assert "ActionID: 1" in other.read_message()
    if not document.endswith("Input"):  # an unfinished one is dropped with the connection
        assert found == b"ProxyResponse: Error\r\nMessage: Invalid XML Input\r\n\r\n"
        program.wait_log("Invalid XML Input")
    assert b"root:" not in found
    assert len(asterisk.received) == before + 1


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("xml", ('<AsteriskManagerInput><Action Value="Ping&#13;&#10;Evil: 1"/>'
         '<ActionID Value="i"/></AsteriskManagerInput>')),
        ("json", '{"Action":"Ping\\r\\nEvil: 1","ActionID":"i"}\n'),
        ("csv", '"Action: Ping\rEvil: 1", "ActionID: i"\n'),
        ("json", '{"Action":"Ping","Array":["a","b\\n"],"ActionID":"i"}\n'),
        ("json", '{"Action":"Ping","Evil\\r\\nName":"x","ActionID":"i"}\n'),
    ],
)  # fmt: skip
def test_a_line_break_in_a_value_never_reaches_asterisk(
    program: ProxyProcess, asterisk: SimulatedAsterisk, name: str, block: Any
) -> None:
    """It is an error, and the session goes on."""
    with program.client() as client:
        client.send("ProxyAction: SetInputFormat", f"InputFormat: {name}")
        client.read_message()
        client.send_raw(block)
        refused = client.read_message()
        client.send_raw(spell(name, ("Action", "Ping"), ("ActionID", "after")))

        assert refused[0] == "Response: Error"
        assert "ActionID: after" in client.read_message()
    assert b"Evil" not in b"".join(asterisk.received)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r\n\r\n"])
def test_no_line_of_a_csv_value_reaches_asterisk(
    program: ProxyProcess, asterisk: SimulatedAsterisk, line_break: str
) -> None:
    """A value as a CSV writer quotes it, with line breaks: an error, and the session ends."""
    with program.client() as client:
        client.send("ProxyAction: SetInputFormat", "InputFormat: csv")
        client.read_message()
        lines = line_break.join(["a", "Action: UserEvent,UserEvent: Evil", "b"])
        client.send_raw(f'"Action: UserEvent","UserEvent: mine","Header: {lines}"\r\n')

        assert client.read_to_end() == b"Response: Error\r\nMessage: Invalid CSV Input\r\n\r\n"
    with program.client() as other:
        other.send("Action: Ping", "ActionID: 1")
        other.read_until("ActionID: 1")
    assert b"Evil" not in b"".join(asterisk.received)


def test_what_ended_the_c_program_is_answered(program: ProxyProcess) -> None:
    """Single quotes are XML; a tag without attribute is an error."""
    with program.client() as client:
        client.send("ProxyAction: SetInputFormat", "InputFormat: xml")
        client.read_message()
        client.send_raw(
            "<AsteriskManagerInput><Action Value='Ping'/><ActionID Value='q'/>"
            "</AsteriskManagerInput>"
        )
        assert "ActionID: q" in client.read_message()

        client.send_raw("<AsteriskManagerInput><Action/></AsteriskManagerInput>")
        assert client.read_message() == ["ProxyResponse: Error", "Message: Invalid XML Input"]
        assert client.read_to_end() == b""


@pytest.mark.skipif(not shutil.which("xmllint"), reason="xmllint is not installed")
def test_xmllint_accepts_every_recorded_message() -> None:
    """What is well-formed for Python's parser is so for another one, too."""
    documents = b"".join(write("xml", message) for message in recorded())
    done = subprocess.run(
        ["xmllint", "--noout", "--huge", "-"],
        input=b"<all>" + documents + b"</all>",
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
