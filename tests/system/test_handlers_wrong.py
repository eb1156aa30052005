# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that return rubbish: it is their error, by name, and hurts their clients only."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.system.peers import is_response
from tests.system.test_handlers_live import start

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess
    from tests.system.test_handlers_live import Start

__all__ = ["start"]  # a fixture

READER = """
import itertools
from amiproxy.formats import Refused
from amiproxy.message import Message

def reader(limits):
    return Reader()

class Reader:
    def feed(self, data):
        return {found}
"""

CONVERSATION = """
from amiproxy.httpmessages import Request, Stage

def conversation(limits):
    {make}
    return Conversation()

class Conversation:
    stage = Stage.IDLE
    def feed(self, data):
        {feed}
    def next(self):
        {next}
    def interim(self):
        return b""
    def answer(self, response, now):
        {answer}
"""


def expect_the_handlers_error(
    program: ProxyProcess, what: str, sent: str = "Action: Ping\r\n\r\n"
) -> None:
    """Expect that a client of handler "odd" is dropped for *what*, and no other."""
    for _ in range(2):
        with program.client(banner=False) as client:
            client.send_raw(sent)
            assert client.read_to_end() == b""
    log = program.wait_log(f"handler odd: {what}")
    assert "bug in the proxy" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("found", ["[None]", r"[Message(b'A: 1\r\n\r\nA: 2\r\n\r\n')]"])
def test_a_reader_that_returns_rubbish(start: Start, found: str) -> None:
    """What is not a list of whole blocks goes nowhere."""
    program = start("inputformat = odd\n", odd=READER.format(found=found))

    expect_the_handlers_error(program, "cannot read: ")


@pytest.mark.parametrize(
    ("place", "code", "what"),
    [
        ("make", "return None", "cannot read: AttributeError"),
        ("answer", "return None", "cannot write a response: TypeError"),
    ],
)
def test_a_conversation_that_raises_or_returns_rubbish(
    start: Start, place: str, code: str, what: str
) -> None:
    """At each place."""
    places = dict.fromkeys(("make", "feed", "next", "answer"), "pass")
    if place == "answer":
        places["next"] = "return Request('GET', '/', '1.0')"
    places[place] = code
    program = start("inputformat = odd\n", odd=CONVERSATION.format(**places))

    expect_the_handlers_error(program, what)


def test_a_greeting_that_is_none(start: Start) -> None:
    """A number is not so many zeros."""
    source = READER.format(found="[]") + "\ndef onconnect(banner):\n    return 10**9\n"
    program = start("inputformat = odd\n", odd=source)

    expect_the_handlers_error(program, "cannot greet: ")


def test_an_output_that_is_none_of_the_message(start: Start, asterisk: SimulatedAsterisk) -> None:
    """Its client is dropped; the Asterisk's thread goes on for the others."""
    source = """
    def write(message):
        return b'x' * 10**7 if message.has("Odd") else message.raw
    """
    program = start(odd=textwrap.dedent(source))
    with program.client() as client, program.client() as other:
        client.send("ProxyAction: SetOutputFormat", "OutputFormat: odd")
        client.read_message()
        other.send("ProxyAction: ListServers")
        other.read_until(is_response)

        asterisk.event("UserEvent", Odd="yes")

        assert client.read_to_end() == b""
        assert "Odd: yes" in other.read_message()
    log = program.wait_log("dropped: handler odd: cannot write a message: ")
    assert "bug in the proxy" not in log
