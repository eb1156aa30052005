# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions have an end (``actiontimeout``), also at an Asterisk that says nothing any more."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
from typing import TYPE_CHECKING

from amiproxy.threads.control.client import ask
from tests.support import free_port, wait_until
from tests.system.peers import BareServer, host_line, is_response, read_block, value, wait_connected

if TYPE_CHECKING:
    from tests.support import ManagerClient, ProxyProcess, StartProxy

SETTINGS = "keepalive = 0\ncontrolsocket = {dir}/c.sock\nautofilter = unique\nretryinterval = 0.1\n"
LATE = "Message: Server pbx1 did not answer in time"
LOST = "Message: Server pbx1 is not connected"
#: Lists whose items bear the ActionID or not, raw text, an answer of one event.
ASKED = {"a": "Command", "b": "IAXpeers", "c": "Status", "d": "DBGet"}


def test_every_action_has_an_end(proxy: StartProxy) -> None:
    """Who asked is told whether it may have been carried out; what comes later is dropped."""
    with BareServer() as asterisk:
        config = SETTINGS + host_line(asterisk).rstrip() + ", name=pbx1\n"
        web = free_port()
        config += f"listen = 127.0.0.1, {web}, input=http\n"
        program = proxy(f"actiontimeout = 0.3\n{config}")
        link = asterisk.wait_link()
        wait_connected(program)
        page = http.client.HTTPConnection("127.0.0.1", web, timeout=20)
        with contextlib.closing(page), program.client() as client, program.client() as other:
            for number, name in ASKED.items():
                client.send(f"Action: {name}", f"ActionID: {number}")
            read = [went(link, name) for name in ASKED.values()]
            page.request("GET", "/?Action=MuteAudio&ActionID=w")
            assert [client.read_message() for _ in ASKED] == [
                ["Response: Error", f"ActionID: {number}", LATE, "CarriedOut: perhaps"]
                for number in ASKED
            ]
            answer = page.getresponse()
            assert answer.status == 504
            lines = ["Response: Error", "ActionID: w", LATE, "CarriedOut: perhaps", "", ""]
            assert answer.read().decode() == "\r\n".join(lines)
            program.wait_log(" actions not answered in time")
            change(program, f"actiontimeout = 0\n{config}")
            hear_late_answers(link, read, client, other)
            assert figures(program) == (5, 4, 0)

            client.send("Action: Ping", "ActionID: 1")
            went(link, "Ping")
            link.shutdown(socket.SHUT_RDWR)
            assert client.read_message() == [
                "Response: Error", "ActionID: 1", LOST, "CarriedOut: perhaps",
            ]  # fmt: skip

            asterisk.wait_link(2)
            wait_connected(program, 2)
            change(program, f"actiontimeout = 0.3\n{config}")
            ask_more_than_goes_up_at_once(client)


def ask_more_than_goes_up_at_once(client: ManagerClient) -> None:
    """Be told what of it has surely not been carried out."""
    for _ in range(60):
        client.send("Action: Ping", "X: " + "x" * 40)
    told = [client.read_until(is_response) for _ in range(60)]
    assert {value(each, "Message") for each in told} == {LATE.partition(": ")[2]}
    assert {value(each, "CarriedOut") for each in told} == {"perhaps", "no"}


def hear_late_answers(
    link: socket.socket, asked: list[list[str]], client: ManagerClient, other: ManagerClient
) -> None:
    """Answer what was given up, and what is asked since; only that comes, and events."""
    ids = {number: value(block, "ActionID") for number, block in zip(ASKED, asked)}
    went(link, "MuteAudio")
    other.send("Action: Ping", "ActionID: o")
    ping = value(went(link, "Ping"), "ActionID")
    say(link, "Response: Follows", f"ActionID: {ids['a']}", "text\n--END COMMAND--")
    say(link, "Response: Success", f"ActionID: {ids['b']}", "EventList: start")
    say(link, "Event: PeerEntry", "ObjectName: x")
    say(link, "Event: PeerlistComplete", "EventList: Complete")
    say(link, "Response: Success", f"ActionID: {ids['c']}", "EventList: start")
    say(link, "Event: Status", "Privilege: Call", f"ActionID: {ids['c']}")
    say(link, "Event: StatusComplete", f"ActionID: {ids['c']}", "EventList: Complete")
    say(link, "Response: Success", f"ActionID: {ids['d']}")
    say(link, "Event: DBGetResponse", f"ActionID: {ids['d']}")
    say(link, "Response: Success", f"ActionID: {ping}", "Ping: Pong")
    say(link, "Event: Tick", "Privilege: call,all")
    assert other.read_message()[:2] == ["Response: Success", "ActionID: o"]
    for each in (client, other):
        assert each.read_message()[0] == "Event: Tick"


def change(program: ProxyProcess, config: str) -> None:
    """Let the program read *config*, in which another actiontimeout stands."""
    before = program.log().count("changed: actiontimeout")
    program.write_config(config)
    program.send_signal(signal.SIGHUP)
    wait_until(lambda: program.log().count("changed: actiontimeout") > before, what="the change")


def figures(program: ProxyProcess) -> tuple[int, int, int]:
    """Return how many actions ended so, how many were answered later, how many are under way."""
    told = ask(str(program.dir / "c.sock"), "show servers", as_json=True, timeout=20)
    (one,) = json.loads(told.text)
    return one["actions_timed_out"], one["late_answers"], one["actions_under_way"]


def went(link: socket.socket, name: str) -> list[str]:
    """Return the next action, *name*, that goes up for a client; the proxy asks things, too."""
    while "ActionID: amp0-" in "\n".join(block := read_block(link)):
        pass
    assert block[0] == f"Action: {name}"
    return block


def say(link: socket.socket, *lines: str) -> None:
    """Send a message of *lines*."""
    link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
