# SPDX-License-Identifier: GPL-2.0-or-later
"""/ws of the running program, with the library websockets as its client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess
from tests.system.live.support import Socket
from tests.system.peers import wait_connected
from tests.system.web.support import config, parse, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

USERS = "anna=secret\n"


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP, and keeps what was said."""
    more = "authrequired = yes\nreplay = 1MB\nserverevents = yes\n"
    with ProxyProcess(config(asterisk, more=more), USERS) as process:
        wait_connected(process)
        yield process


def test_hello_is_the_first_document(web: ProxyProcess) -> None:
    """It says who the client is, and how the servers are."""
    with Socket(web, user="anna:secret") as socket:
        told = socket.hear()

    assert (told["type"], told["user"], len(told["servers"])) == ("hello", "anna", 1)


def test_a_log_in_that_fails_is_an_answer_of_http(web: ProxyProcess) -> None:
    """A program reads why it may not come in; a 101 would tell it otherwise."""
    lines = "GET /ws HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket"
    more = "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

    status, headers, body = parse(raw(web, "\r\n".join([*lines, *more, "", ""])))

    assert (status, headers["content-type"]) == (401, "application/problem+json")
    assert "/v1/problems/login-required" in body


def test_events_come_as_they_were_chosen(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """Nothing before subscribe; then what was chosen, each with id, server and time."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        asterisk.publish(asterisk.event("Hangup", "call,all", Channel="SIP/0"))
        socket.ask(Action="Ping")  # the event was before its answer
        socket.say(type="subscribe", id=1, events=["Hang*", "Newchannel"])
        assert socket.hear()["type"] == "subscribed"
        asterisk.publish(
            asterisk.event("Newstate", "call,all", Channel="SIP/1"),
            asterisk.event("Hangup", "call,all", Channel="SIP/1"),
        )

        told = socket.hear()

    assert (told["type"], told["event"]["Event"], told["event"]["Channel"]) == (
        "event",
        "Hangup",
        "SIP/1",
    )
    assert told["server"] == told["event"]["Server"]
    assert abs(told["time"] - time.time()) < 60
    assert told["id"]


def test_answers_belong_to_their_ids(web: ProxyProcess) -> None:
    """Whatever the order in which they come, and lists come whole."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        socket.say(type="action", id="a", action={"Action": "CoreShowChannels"})
        socket.say(type="action", id=7, action={"Action": "Ping"})
        socket.say(Action="Ping", ActionID="x")
        socket.say(type="action", id="p", action={"ProxyAction": "ListServers"})
        found = {told["id"]: told for told in (socket.until("answer") for _ in range(4))}

    assert found["a"]["complete"]["Event"] == "CoreShowChannelsComplete"
    assert found[7]["response"]["Response"] == "Success"
    assert found["x"]["response"]["ActionID"] == "x"
    assert found["p"]["response"]["ProxyResponse"] == "Success"
