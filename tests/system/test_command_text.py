# SPDX-License-Identifier: GPL-2.0-or-later
"""What a CLI command printed reaches client libraries as they know it from Asterisk (12.27)."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.order_stage import Asterisk
from tests.system.peers import PATIENT, BareServer, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient, StartProxy

TEXT = b"Name   State\nSIP/1  OK\n\nSystem: up\n  \x1b[0mcolour\xe9\r\nLast\n"
OLD = (
    b"Response: Follows\r\nPrivilege: Command\r\nActionID: {ActionID}\r\n%b--END COMMAND--\r\n\r\n"
)
NEW = (
    b"Response: Success\r\nActionID: {ActionID}\r\nMessage: Command output follows\r\n"
    b"Output: Name   State\r\nOutput: SIP/1  OK\r\n\r\n"
)
ONE_LINE = (
    b"Response: Success\r\nActionID: {ActionID}\r\nMessage: Command output follows\r\n"
    b"Output: 5 active calls\r\n\r\n"
)
COMMAND = ("Action: Command", "Command: x", "ActionID: 5")


@pytest.fixture(scope="module")
def play() -> Iterator[tuple[ProxyProcess, SimulatedAsterisk]]:
    """A proxy for an Asterisk that is told what it answers."""
    with SimulatedAsterisk() as asterisk:
        config = PATIENT + "autofilter = unique\n" + host_line(asterisk)
        with ProxyProcess(config) as program:
            wait_connected(program)
            yield program, asterisk


@pytest.fixture
def client(play: tuple[ProxyProcess, SimulatedAsterisk]) -> Iterator[ManagerClient]:
    """A client in manager format, of the program that ``play`` started."""
    with play[0].client() as client:
        yield client


def asked(
    play: tuple[ProxyProcess, SimulatedAsterisk], client: ManagerClient, answer: bytes, end: bytes
) -> bytes:
    """Return what *client* gets, up to *end*, when its command is answered with *answer*."""
    play[1].answer("Command", answer)
    client.send(*COMMAND)
    return client.read_to(end) + end


def test_raw_text_passes_byte_for_byte(
    play: tuple[ProxyProcess, SimulatedAsterisk], client: ManagerClient
) -> None:
    """Bare LFs, blank lines, any bytes; Server stands behind the first line."""
    end = b"--END COMMAND--\r\n\r\n"

    got = asked(play, client, OLD % TEXT, end)

    assert got == (
        b"Response: Follows\r\nServer: 127.0.0.1\r\nPrivilege: Command\r\nActionID: 5\r\n"
        + TEXT
        + end
    )


def as_phpagi(message: bytes) -> dict[bytes, bytes]:
    """Return what phpagi takes of an old answer: the last element between CRLFs is text."""
    lines = message.removesuffix(b"\r\n\r\n").split(b"\r\n")
    text = lines.pop()
    found = dict(line.split(b": ", 1) for line in lines)
    end = text.find(b"--END COMMAND--")
    return {**found, b"data": text[: end - 1]} if end >= 0 else found


def as_reactphp_ami(message: bytes) -> dict[bytes, bytes]:
    """Return what reactphp-ami takes of it: each element is a header but one, the text.

    It raises an exception at anything else, and closes the connection.
    """
    found = {}
    for line in message.removesuffix(b"\r\n\r\n").split(b"\r\n"):
        if line.endswith(b"\n--END COMMAND--"):
            found[b"data"] = line.removesuffix(b"\n--END COMMAND--")
        else:
            name, value = line.split(b": ", 1)
            found[name] = value
    return found


def test_libraries_find_the_text_of_an_old_asterisk(
    play: tuple[ProxyProcess, SimulatedAsterisk], client: ManagerClient
) -> None:
    """As they do without the proxy (what each of them takes is imitated above)."""
    got = asked(play, client, OLD % b"one\n\nSystem: up\n", b"--END COMMAND--\r\n\r\n")

    for found in (as_phpagi(got), as_reactphp_ami(got)):
        assert found[b"data"] == b"one\n\nSystem: up"
        assert found[b"ActionID"] == b"5"


def as_freepbx(message: bytes) -> bytes:
    """Return the text that FreePBX's class takes of a new answer: all from the first Output on."""
    _, output, text = message.removesuffix(b"\r\n\r\n").partition(b"\r\nOutput: ")
    return text if output else b""


@pytest.mark.parametrize(
    ("answer", "text"),
    [(NEW, b"Name   State\r\nOutput: SIP/1  OK"), (ONE_LINE, b"5 active calls")],
    ids=["two lines", "one line"],
)
def test_nothing_stands_behind_the_output_of_a_new_asterisk(
    play: tuple[ProxyProcess, SimulatedAsterisk],
    client: ManagerClient,
    answer: bytes,
    text: bytes,
) -> None:
    """A library that takes every line behind the first Output for output gets the text alone."""
    got = asked(play, client, answer, b"\r\n\r\n")

    assert as_freepbx(got) == text
    head = b"Response: Success\r\nActionID: 5\r\nMessage: Command output follows\r\n"
    assert got == head + b"Server: 127.0.0.1\r\nOutput: " + text + b"\r\n\r\n"


@pytest.mark.parametrize("name", ["xml", "csv", "json"])
def test_each_line_of_raw_text_is_one_in_every_format(
    play: tuple[ProxyProcess, SimulatedAsterisk], client: ManagerClient, name: str
) -> None:
    """Whether it ended in LF or CRLF."""
    end = b"\n" if name == "json" else b"\r\n\r\n"
    client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {name}")
    client.read_to(end)
    text = b"one\n\ntwo\r\nthree\n"

    got = lines_of(name, asked(play, client, OLD % text, end).decode())

    assert got[:2] == ["Follows", "127.0.0.1"]
    assert got[-5:] == ["one", "", "two", "three", "--END COMMAND--"]


def lines_of(name: str, text: str) -> list[str]:
    """Return the values of the first headers of *text*, in the format *name*, and its lines."""
    if name == "json":
        found = json.loads(text)
        return [found["Response"], found["Server"], *found["UnparsedText"]]
    if name == "csv":
        row = next(csv.reader(io.StringIO(text), skipinitialspace=True))
        return [field.partition(": ")[2] or field for field in row]
    return [str(one.get("Value")) for one in ET.fromstring(text)]


def test_a_value_cannot_make_text_of_what_others_get(proxy: StartProxy) -> None:
    """Getvar can be answered with anything, even with the beginning of a command's answer."""
    with BareServer() as server:
        program = proxy(PATIENT + host_line(server))
        wait_connected(program)
        asterisk = Asterisk(server.links[-1])
        with program.client() as client, program.client() as other:
            client.send("Action: Getvar", "Variable: URIDECODE(...)")
            asterisk.answer(asterisk.next(), "Value: a", "", "Response: Follows")

            other.send("Action: Foo", "ActionID: 2")
            asterisk.answer(asterisk.next())

            other.read_until("ActionID: 2")
