# SPDX-License-Identifier: GPL-2.0-or-later
"""Setting serverheader: messages say which Asterisk they are from, or nothing does (12.27)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.settings.conf import warnings_of
from tests.support import ProxyProcess, wait_until
from tests.system.peers import PATIENT, host_line, is_response, wait_connected
from tests.system.web.support import curl

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT = PATIENT + "autofilter = unique\nserverheader = no\n"
ORIGINATE = ("Action: Originate", "Application: Wait", "Data: 1", "Timeout: 5000")


@pytest.fixture(scope="module")
def play() -> Iterator[tuple[ProxyProcess, SimulatedAsterisk]]:
    """A proxy that leaves the header out."""
    with SimulatedAsterisk() as asterisk, ProxyProcess(WITHOUT + host_line(asterisk)) as program:
        wait_connected(program)
        yield program, asterisk


def test_no_message_bears_the_header(play: tuple[ProxyProcess, SimulatedAsterisk]) -> None:
    """No event, answer, list item, output, and no answer that the proxy gives for Asterisk."""
    program, asterisk = play
    with program.client() as client:
        client.send("Action: Ping", "ActionID: 1")
        assert len(client.read_until(is_response)) == 4
        asterisk.event("UserEvent", UserEvent="X")
        assert client.read_until("UserEvent: X")[-1] == "UserEvent: X"
        client.send("Action: CoreShowChannels", "ActionID: 2")
        while "Event: CoreShowChannelsComplete" not in (message := client.read_message()):
            assert not any(line.startswith("Server:") for line in message)
        client.send("Action: Command", "Command: core show version", "ActionID: 3")
        assert client.read_until(is_response)[-1].startswith("Output: ")
        client.send(*ORIGINATE, "Channel: Local/1@phones")
        assert client.read_until(is_response) == [
            "Response: Success",
            "Message: Originate successfully queued",
        ]


OLD = (
    b"Response: Follows\r\nPrivilege: Command\r\nActionID: {ActionID}\r\n"
    b"one\n\nServer: up\n--END COMMAND--\r\n\r\n"
)
NEW = (
    b"Response: Success\r\nActionID: {ActionID}\r\nMessage: Command output follows\r\n"
    b"Output: one\r\nOutput: \r\n\r\n"
)


@pytest.mark.parametrize(("answer", "end"), [(OLD, b"--END COMMAND--\r\n\r\n"), (NEW, b"\r\n\r\n")])
def test_what_a_command_prints_is_byte_for_byte_what_asterisk_sent(
    play: tuple[ProxyProcess, SimulatedAsterisk], answer: bytes, end: bytes
) -> None:
    """So a library finds in it what it finds without the proxy.

    py-asterisk wants the ActionID in the second or third line, phpagi and FreePBX's class the
    output behind ``Message:``.
    """
    program, asterisk = play
    asterisk.answer("Command", answer)
    with program.client() as client:
        client.send("Action: Command", "Command: x", "ActionID: 5")
        assert client.read_to(end) + end == answer.replace(b"{ActionID}", b"5")


@pytest.mark.parametrize("name", ["xml", "csv", "json"])
def test_no_format_bears_the_header(
    play: tuple[ProxyProcess, SimulatedAsterisk], name: str
) -> None:
    """They are made of the same messages."""
    program, asterisk = play
    with program.client() as client:
        client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {name}")
        client.send("Action: Ping", "ActionID: behind")
        data = client.read_to(b"Pong")
        asterisk.event("UserEvent", UserEvent="TheLast")
        data += client.read_to(b"TheLast") + client.read_to(b"\n")
    assert b"behind" in data
    assert b"Server" not in data


def test_no_answer_to_a_web_request_bears_the_header() -> None:
    """In the body; the response's own header Server names the program, as that of others does."""
    with SimulatedAsterisk() as asterisk:
        config = WITHOUT + "inputformat = http\n" + host_line(asterisk)
        with ProxyProcess(config) as program:
            wait_connected(program)
            for path in ("/?Action=Ping", "/rawman?action=ping", "/mxml?action=ping"):
                status, _, body = curl(program, path)
                assert status == 200
                assert "pong" in body.lower()
                assert "server" not in body.lower()


def test_sighup_changes_it_for_the_connection_there_is(
    play: tuple[ProxyProcess, SimulatedAsterisk],
) -> None:
    """Both ways."""
    program, asterisk = play
    with program.client() as client:
        for word, last in (("yes", "Server: 127.0.0.1"), ("no", "UserEvent: X")):
            program.write_config(WITHOUT + f"serverheader = {word}\n" + host_line(asterisk))
            program.send_signal(signal.SIGHUP)

            def says_so(last: str = last) -> bool:
                asterisk.event("UserEvent", UserEvent="X")
                return client.read_until("UserEvent: X")[-1] == last

            wait_until(says_so)
    assert asterisk.accepted == 1


def test_several_servers_without_the_header_are_warned_of() -> None:
    """By -t and at each start: nobody could tell whose messages are whose."""
    text = "serverheader = no\nhost = a, 1, u, s, on\n"

    assert warnings_of(text) == []
    [warning] = warnings_of(text + "host = b, 1, u, s, on\n")
    assert warning.startswith(
        "x.conf:1: serverheader: without it clients cannot tell which of the 2"
    )
    assert warnings_of(text.replace("no", "yes") + "host = b, 1, u, s, on\n") == []
