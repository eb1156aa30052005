# SPDX-License-Identifier: GPL-2.0-or-later
"""How long an answer is waited for, and what ends it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from simulator.server import SimulatedAsterisk
from tests.system.peers import wait_connected
from tests.system.web.support import config, curl, needs_curl

if TYPE_CHECKING:
    from simulator.protocol import Action
    from tests.support import ProxyProcess, StartProxy

pytestmark = needs_curl


def test_an_answer_ends_with_the_event_asked_for(web: ProxyProcess) -> None:
    """X-Until-Event, as header or field, adds what belongs to the action until that event."""
    target = (
        "/?Action=Originate&Async=true&Channel=Local/1@default&Exten=1&Context=default&Priority=1"
    )
    by_header = curl(web, target, "-H", "X-Until-Event: OriginateResponse")
    by_field = curl(web, target + "&X-Until-Event=OriginateResponse")

    for status, _, body in (by_header, by_field):
        assert status == 200
        first, last, _ = body.split("\r\n\r\n")
        assert first.startswith("Response: Success")
        assert last.startswith("Event: OriginateResponse")


def test_the_wait_is_bounded(web: ProxyProcess) -> None:
    """X-Maxtime ends the wait for an event that does not come; what came is answered."""
    began = time.monotonic()

    status, _, body = curl(
        web, "/?Action=Ping", "-H", "X-Until-Event: Never", "-H", "X-Maxtime: 300"
    )

    assert status == 200
    assert "Ping: Pong" in body
    assert 0.3 <= time.monotonic() - began < 5


def test_silence_of_asterisk_is_504(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """An action that is never answered is 504 after X-Maxtime."""
    asterisk.answer("MuteMonitor", lambda request: None)

    status, _, body = curl(web, "/?Action=MuteMonitor&X-Maxtime=300&format=json")

    assert status == 504
    assert json.loads(body)["Response"] == "Error"


def test_a_cut_off_list_is_504(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """A list whose end does not come in time is not a success; what came is there."""
    asterisk.answer(
        "Agents",
        b"Response: Success\r\nActionID: {ActionID}\r\nEventList: start\r\n\r\n"
        b"Event: Agents\r\nActionID: {ActionID}\r\nAgent: 1\r\n\r\n",
    )

    status, _, body = curl(web, "/?Action=Agents&X-Maxtime=500")

    asterisk.answer("Agents", None)
    assert status == 504
    assert "Agent: 1\r\n" in body


def test_a_slow_answer_is_waited_for(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """An answer that takes a second arrives (in C the answer ended after 0.2 s)."""
    asterisk.answer("Agents", slow_answer)

    status, _, body = curl(web, "/?Action=Agents&ActionID=1")

    asterisk.answer("Agents", None)
    assert status == 200
    assert "Message: slow" in body


def slow_answer(request: Action) -> bytes:
    time.sleep(1)
    return f"Response: Success\r\nActionID: {request.action_id}\r\nMessage: slow\r\n\r\n".encode()


def test_no_server_is_503(proxy: StartProxy) -> None:
    """Without any Asterisk each action is 503, ProxyActions are answered."""
    process = proxy(config())

    status, _, body = curl(process, "/?Action=Ping")

    assert status == 503
    assert "Message: No Asterisk server connected" in body
    assert "ProxyResponse: Success" in curl(process, "/?ProxyAction=ListServers")[2]


def test_a_server_that_goes_ends_the_wait(proxy: StartProxy) -> None:
    """An answer that can no longer come is 503 at once."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer("Agents", lambda request: None)
        process = proxy(config(asterisk))
        wait_connected(process)
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(curl, process, "/?Action=Agents")
            asterisk.wait_for_action("Agents")
            asterisk.stop()
            status, _, _ = waiting.result()

    assert status == 503
    assert time.monotonic() - began < 10
