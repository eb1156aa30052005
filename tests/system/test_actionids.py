# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionIDs on the running program: each answer carries the ActionID of its own client."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess
from tests.system.peers import (
    PATIENT,
    BareServer,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.support import StartProxy


@pytest.fixture(scope="module", params=["off", "on", "unique"])
def mode(request: pytest.FixtureRequest) -> str:
    """A value of autofilter."""
    return str(request.param)


@pytest.fixture(scope="module")
def program(mode: str, asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy with that autofilter."""
    with ProxyProcess(PATIENT + f"autofilter = {mode}\n" + host_line(asterisk)) as started:
        wait_connected(started)
        yield started


@pytest.mark.parametrize("given", ["amp3-foo", "amp3-!n5", "amp1-!l2", "amp0-!n1"])
def test_a_chained_proxy_gets_back_the_actionids_it_made(
    program: ProxyProcess, mode: str, given: str
) -> None:
    """They look like this proxy's own, and lose their prefix in no mode of autofilter."""
    originate = ("Action: Originate", "Channel: Local/1@x", "Application: Wait", "Data: 0")
    with program.client() as client:
        for action in (("Action: Ping",), ("Action: CoreShowChannels",), originate):
            client.send(*action, f"ActionID: {given}")

            assert value(client.read_until(is_response), "ActionID") == given
        client.send("Action: UserEvent", "UserEvent: Told", f"ActionID: {given}")
        assert value(client.read_until(is_response), "ActionID") == given
        if mode != "on":
            event = client.read_until(lambda lines: "UserEvent: Told" in lines)
            assert value(event, "ActionID") == given


def test_a_bare_cr_does_not_hide_an_actionid_from_its_prefix(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """With autofilter = unique no client can claim the answers of client 1 that way."""
    program = proxy(PATIENT + "autofilter = unique\n" + host_line(asterisk))
    wait_connected(program)
    with program.client() as other, program.client() as client:
        client.send_raw("Action: Ping\r\nActionid: amp1-x\ry\r\n\r\n")

        assert value(client.read_until(is_response), "ActionID") == "amp1-x\ry"
        # Asterisk answers in turn: whatever went to the other client comes before this.
        other.send("Action: Ping", "ActionID: own")
        assert value(other.read_until(is_response), "ActionID") == "own"


def test_a_late_answer_is_not_the_answer_of_the_next_web_request(proxy: StartProxy) -> None:
    """Two questions of one web session with the same ActionID: the first one timed out."""

    def script(sock: socket.socket) -> None:
        first = value(read_block(sock), "ActionID")
        second = value(read_block(sock), "ActionID")
        for wire_id, text in ((first, "Value: Late"), (second, "Ping: Pong")):
            sock.sendall(f"Response: Success\r\nActionID: {wire_id}\r\n{text}\r\n\r\n".encode())

    with BareServer(script=script) as server:
        program = proxy(PATIENT + "inputformat = http\n" + host_line(server), "u=s\n")
        wait_connected(program)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", program.port)) as web:
            web.request("GET", "/rawman?action=login&username=u&secret=s")
            answer = web.getresponse()
            answer.read()
            headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Maxtime": "200"}
            web.request("GET", "/rawman?action=getvar&variable=x&actionid=1", headers=headers)
            answer = web.getresponse()
            assert (answer.status, b"ActionID: 1\r\n" in answer.read()) == (504, True)
            web.request(
                "GET", "/rawman?action=ping&actionid=1", headers={**headers, "X-Maxtime": "9000"}
            )
            body = web.getresponse().read()

    assert body.startswith(b"Response: Success\r\nActionID: 1\r\nPing: Pong\r\n")
    assert b"Late" not in body
