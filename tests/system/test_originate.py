# SPDX-License-Identifier: GPL-2.0-or-later
"""A synchronous Originate holds up nobody (spec 12.16)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from simulator.server import SimulatedAsterisk
from tests.system.peers import (
    PATIENT,
    host_line,
    is_response,
    value,
    wait_connected,
)
from tests.system.people import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient, StartProxy

    Phones = tuple[ManagerClient, ManagerClient, SimulatedAsterisk]

CALL = ("Action: Originate", "Context: default", "Exten: 100", "Priority: 1")


@pytest.fixture(params=["off", "unique"])
def phones(request: pytest.FixtureRequest, proxy: StartProxy) -> Iterator[Phones]:
    """A proxy in either mode, its Asterisk whose calls take a while, and two clients."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + f"autofilter = {request.param}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as caller, program.client() as other:
            for one in (caller, other):
                answer(one, "ProxyAction: ListServers")
            yield caller, other, asterisk


def test_a_synchronous_originate_holds_nobody_up(phones: Phones) -> None:
    """Recording b7: the phone is never answered; all others are served meanwhile."""
    caller, other, asterisk = phones

    caller.send(*CALL, "Channel: Local/never@phones", "Timeout: 3000", "ActionID: c")
    asterisk.wait_for_action("Originate")
    start = time.monotonic()
    assert "Ping: Pong" in answer(other, "Action: Ping", "ActionID: p")
    asterisk.event("UserEvent", UserEvent="Meanwhile")
    other.read_until("UserEvent: Meanwhile")
    assert time.monotonic() - start < 2
    assert b"Async: true\r\n" in asterisk.actions("Originate")[-1]

    reply = caller.read_until(
        lambda message: value(message, "ActionID") == "c" and is_response(message)
    )
    assert reply[0] == "Response: Error"
    assert "Message: Originate failed" in reply
    assert 2 < time.monotonic() - start < 8


@pytest.mark.parametrize(
    ("channel", "first", "text"),
    [
        ("Local/1@phones", "Response: Success", "Originate successfully queued"),
        ("Local/busy@phones", "Response: Error", "Originate failed"),
        ("NoTech/1", "Response: Error", "Originate failed"),
        ("", "Response: Error", "Channel not specified"),
    ],
)
@pytest.mark.parametrize("action_id", ["c1", None])
def test_a_synchronous_originate_is_answered_as_asterisk_would(
    phones: Phones, channel: Any, first: Any, text: Any, action_id: str | None
) -> None:
    """Recordings c1 and c3: one answer, when it is decided, and no OriginateResponse."""
    caller, _, _ = phones
    lines = [*CALL, f"Channel: {channel}"] + ([f"ActionID: {action_id}"] if action_id else [])

    caller.send(*lines)
    reply = caller.read_until(is_response)

    expected = [first, f"Message: {text}", "Server: 127.0.0.1"]
    if action_id:
        expected.insert(1, f"ActionID: {action_id}")
    assert reply == expected
    caller.send("Action: Ping", "ActionID: sentinel")
    while "ActionID: sentinel" not in (message := caller.read_message()):
        assert "Event: OriginateResponse" not in message
        assert not is_response(message)


@pytest.mark.parametrize("phones", ["on"], indirect=True)
def test_with_autofilter_on_an_originate_without_actionid_is_answered(phones: Phones) -> None:
    """The ActionID it gets on its way is not one that the client would have to know."""
    caller, _, _ = phones

    for channel, first in (("", "Response: Error"), ("Local/1@phones", "Response: Success")):
        caller.send(*CALL, f"Channel: {channel}")
        reply = caller.read_until(is_response)
        assert reply[0] == first
        assert value(reply, "ActionID") is None


def test_an_asynchronous_originate_is_left_as_it_is(phones: Phones) -> None:
    """Recording c2: queued at once, then the OriginateResponse."""
    caller, _, asterisk = phones

    caller.send(*CALL, "Channel: Local/1@phones", "Async: yes", "ActionID: a")

    assert "Message: Originate successfully queued" in caller.read_until(is_response)
    assert "ActionID: a" in caller.read_until("Event: OriginateResponse")
    assert b"Async: yes\r\n" in asterisk.actions("Originate")[-1]
    assert asterisk.actions("Originate")[-1].count(b"Async") == 1


def test_originateasync_no_leaves_the_originate_synchronous(proxy: StartProxy) -> None:
    """An Asterisk that sends no events leaves it synchronous as well."""
    for config, events in (("originateasync = no\n", "on"), ("", "off")):
        with SimulatedAsterisk() as asterisk:
            program = proxy(PATIENT + config + host_line(asterisk, events=events))
            wait_connected(program)
            with program.client() as client:
                reply = answer(client, *CALL, "Channel: Local/busy@phones", "ActionID: s")
                assert "Message: Originate failed" in reply
                assert b"Async" not in asterisk.actions("Originate")[-1]
