# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that administrators write: dropped into a directory, good ones and bad ones."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ROOT
from tests.system.peers import QUICK, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

    Start = Callable[..., ProxyProcess]

#: Raises, or returns what is not bytes, as the event tells it to.
FRAGILE = """
def write(message):
    if message.get("Event") == "Bang":
        raise RuntimeError("s3cret of a message")
    if message.get("Event") == "Nothing":
        return None
    if message.get("Event") == "Leave":
        raise SystemExit("s3cret of a message")
    return b"fragile " + message.raw
"""

#: Raises at each place where an input handler may.
BROKEN = """
def onconnect(banner):
    {onconnect}
    return b"hello\\r\\n"

def reader(limits):
    {reader}
    return Reader()

class Reader:
    def feed(self, data):
        {feed}
        return []
"""


@pytest.fixture
def start(proxy: StartProxy, asterisk: SimulatedAsterisk) -> Iterator[Start]:
    """Start a proxy with handlers of our own: ``start(config, name=source)``."""
    directories = []

    def begin(config: str = "", **handlers: str) -> ProxyProcess:
        # Where the proxy may still read when it has dropped its privileges.
        directory = Path(tempfile.mkdtemp(prefix="astmanproxy-handlers-"))
        directories.append(directory)
        directory.chmod(0o755)
        for name, source in handlers.items():
            (directory / f"{name}.py").write_text(source)
        program = proxy(QUICK + f"handlerdir = {directory}\n" + config + host_line(asterisk))
        wait_connected(program)
        return program

    yield begin
    for directory in directories:
        shutil.rmtree(directory)


def example() -> str:
    """Return the example of docs/handlers.md."""
    text = (ROOT / "docs" / "handlers.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (source,) = found
    return source


def test_the_documented_example_is_used_by_clients(
    start: Start, asterisk: SimulatedAsterisk
) -> None:
    """Copied out, dropped in, spoken: greeting, answers, events, errors."""
    program = start("inputformat = tsv\noutputformat = tsv\n", tsv=example())
    with program.client(banner=False) as client:
        greeting = client.read_to(b"\n")
        client.send_raw("Action: Login\tUsername: joe\tSecret: x\tActionID: 1\n")
        login = [client.read_to(b"\n"), client.read_to(b"\n")]
        client.send_raw("Action: Ping\tActionID: a\\\\b\n")
        pong = client.read_to(b"\n")
        asterisk.event("UserEvent", Text="tab\there")
        event = client.read_to(b"\n")
        client.send_raw("Action: \\x\n")
        refused = client.read_to(b"\n")
        client.send_raw("ProxyAction: ListIOHandlers\n")
        handlers = client.read_to(b"\n")

    assert greeting.startswith(b"# Asterisk Call Manager Proxy/")
    assert login[0] == b"Response: Success\tActionID: 1\tMessage: Authentication accepted"
    assert login[1].startswith(b"Event: FullyBooted\t")
    assert b"\tActionID: a\\\\b\t" in pong
    assert asterisk.actions("Ping")[-1].count(b"a\\b\r\n") == 1
    assert b"\tText: tab\\there\t" in event
    assert event.endswith(b"\tServer: 127.0.0.1")
    assert refused == b"Response: Error\tMessage: Invalid TSV Input: unknown escape"
    assert b"InputHandler: tsv\tOutputHandler: tsv" in handlers


def test_the_documented_example_beside_other_formats(start: Start) -> None:
    """A client that came as `standard` changes to it and back."""
    program = start(tsv=example())
    with program.client() as client:
        client.send("ProxyAction: SetOutputFormat", "OutputFormat: tsv")
        changed = client.read_to(b"\n")
        client.send("ProxyAction: SetInputFormat", "InputFormat: tsv")
        client.read_to(b"\n")
        client.send_raw("ProxyAction: SetOutputFormat\tOutputFormat: standard\n")
        back = client.read_message()

    assert changed == b"ProxyResponse: Success\tOutputFormat: tsv"
    assert back == ["ProxyResponse: Success", "OutputFormat: standard"]


def test_bad_handlers_are_named_and_skipped(start: Start) -> None:
    """The proxy starts without them, and with the good one beside them."""
    program = start(
        typo="def write(message:\n",
        missing="import no_such_module_anywhere\n",
        raises="raise ValueError('by itself')\n",
        leaves="import sys\nsys.exit(3)\n",
        empty="CONTENT_TYPE = 'text/plain'\n",
        good="def write(message):\n    return b'good\\n'\n",
        _helper="raise ValueError('not a handler')\n",
    )
    log = program.log()
    with program.client() as client:
        client.send("ProxyAction: ListIOHandlers")
        listed = client.read_until(is_response)
        client.send("ProxyAction: SetOutputFormat", "OutputFormat: good")
        assert client.read_to(b"\n") == b"good"

    for name, why in [
        ("typo", "SyntaxError"),
        ("missing", "no_such_module_anywhere"),
        ("raises", "by itself"),
        ("leaves", "SystemExit"),
        ("empty", "none of write(), reader()"),
    ]:
        assert re.search(rf"/{name}\.py: handler not loaded: .*{re.escape(why)}", log), (name, log)
        assert not [line for line in listed if line.endswith(f": {name}")]
    assert "_helper" not in log
    assert "OutputHandler: good" in listed
    assert "InputHandler: good" not in listed
    assert "InputHandler: standard" in listed


@pytest.mark.parametrize("event", ["Bang", "Nothing", "Leave"])
def test_a_handler_that_cannot_write_hurts_its_own_clients_only(
    start: Start, asterisk: SimulatedAsterisk, event: Any
) -> None:
    """They are dropped with a line in the log; others get the event, new ones come."""
    program = start(fragile=FRAGILE)
    accepted = asterisk.accepted
    with program.client() as one, program.client() as two, program.client() as other:
        for client in (one, two):
            client.send("ProxyAction: SetOutputFormat", "OutputFormat: fragile")
            assert client.read_message()[0] == "fragile ProxyResponse: Success"
        other.send("ProxyAction: ListServers")
        other.read_until(is_response)
        asterisk.event(event)
        asterisk.event("After")

        assert other.read_message()[0] == f"Event: {event}"
        assert other.read_message()[0] == "Event: After"
        assert one.read_to_end() == b""
        assert two.read_to_end() == b""
        with program.client() as another:
            another.send("ProxyAction: SetOutputFormat", "OutputFormat: fragile")
            another.read_message()
            asterisk.event("Harmless")
            assert another.read_message()[0] == "fragile Event: Harmless"
    log = program.wait_log("cannot write a message")
    assert log.count("dropped: handler fragile: cannot write a message") == 2
    assert "s3cret" not in log
    assert "Traceback" not in log
    assert asterisk.accepted == accepted  # the connection to Asterisk was never touched


@pytest.mark.parametrize(
    ("place", "what", "error"),
    [
        ("onconnect", "cannot greet", "KeyError"),
        ("reader", "cannot make a reader", "KeyError"),
        ("feed", "cannot read", "KeyError"),
        ("feed", "cannot read", "SystemExit"),
    ],
)
def test_a_handler_that_cannot_read_hurts_its_own_clients_only(
    start: Start, place: Any, what: str, error: Any
) -> None:
    """They are dropped with a line in the log; a client of another format goes on."""
    places = dict.fromkeys(("onconnect", "reader", "feed"), "pass")
    places[place] = f"raise {error}('s3cret of a client')"
    program = start("inputformat = broken\n", broken=BROKEN.format(**places))
    with program.client(banner=False) as client:
        client.send_raw("anything\r\n")
        said = client.read_to_end()
    program.wait_log(f"handler broken: {what}: {error}")
    with program.client(banner=False) as again:
        again.send_raw("anything\r\n")
        again.read_to_end()

    assert said in (b"", b"hello\r\n")
    assert "s3cret" not in program.log()
    assert "Traceback" not in program.log()


def test_a_broken_reader_does_not_touch_clients_of_other_formats(start: Start) -> None:
    """One client changes to it and is dropped; the other's session goes on."""
    source = BROKEN.format(onconnect="pass", reader="pass", feed="raise KeyError(1)")
    program = start(broken=source)
    with program.client() as client, program.client() as other:
        client.send("ProxyAction: SetInputFormat", "InputFormat: broken")
        client.read_message()
        client.send_raw("x")
        assert client.read_to_end() == b""
        other.send("Action: Ping", "ActionID: 1")
        assert "ActionID: 1" in other.read_until(is_response)
    program.wait_log("handler broken: cannot read: KeyError")


def test_a_handler_that_never_returns_is_named_and_does_not_keep_the_proxy(
    start: Start, asterisk: SimulatedAsterisk
) -> None:
    """The log says where it hangs; SIGTERM ends the process all the same."""
    source = "import time\ndef write(message):\n    time.sleep(600 * message.has('Hang'))\n"
    program = start(stuck=source + "    return message.raw\n")
    with program.client() as client, program.client() as other:
        client.send("ProxyAction: SetOutputFormat", "OutputFormat: stuck")
        client.read_message()
        asterisk.event("UserEvent", Hang="yes")

        log = program.wait_log(" in handler stuck")

        thread = f"thread asterisk-127.0.0.1:{asterisk.port} hangs for"
        assert re.search(rf": {re.escape(thread)} \d+ s in handler stuck\n", log)
        assert re.search(r"\n    \S+/stuck\.py:3 in write\n", log)
        other.send("ProxyAction: ListServers")
        other.read_until(is_response)
        assert program.stop() == 0
