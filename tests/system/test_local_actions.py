# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that act on one client alone: Events, Filter, WaitEvent (spec 12.8)."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from tests.support import wait_until
from tests.system.peers import (
    value,
)
from tests.system.people import answer

if TYPE_CHECKING:
    from tests.support import ManagerClient
    from tests.system.peers import Stage


def test_the_event_mask_of_one_client_is_its_own(stage: Stage, client: ManagerClient) -> None:
    """Action: Events and the Events header of Login: answered as Asterisk would."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        for mask, told in (("off", "Off"), ("call,user", "On"), ("rubbish", "Off"), ("on", "On")):
            assert answer(client, "Action: Events", f"EventMask: {mask}", "ActionID: m") == [
                "Response: Success",
                "ActionID: m",
                f"Events: {told}",
            ]
        assert answer(client, "Action: Events")[1] == "Message: Invalid event mask"
        answer(client, "Action: Events", "EventMask: call")
        asterisk.event("UserEvent", UserEvent="One")
        other.read_until("UserEvent: One")
        assert client.ask("Action: Ping", "ActionID: p")[0] == "Response: Success"
        login = ("Action: Login", "Username: x", "Events: user")
        assert client.ask(*login)[0] == "Response: Success"
        asterisk.event("Newchannel", Channel="SIP/1")
        asterisk.event("UserEvent", UserEvent="Two")
        assert "UserEvent: Two" in client.read_message()
    assert not asterisk.actions("Events")
    assert len(asterisk.actions("Login")) == 1


def test_the_filter_of_one_client_is_its_own(stage: Stage, client: ManagerClient) -> None:
    """Operation Add, old syntax; a broken pattern is refused."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        assert answer(client, "Action: Filter", "Operation: Add", "Filter: (")[0].endswith("Error")
        assert answer(client, "Action: Filter", "Operation: Remove")[0].endswith("Error")
        assert answer(client, "Action: Filter", "Operation: Add", "Filter: UserEvent: Wan")[0] == (
            "Response: Success"
        )
        asterisk.event("UserEvent", UserEvent="Unwished")
        asterisk.event("UserEvent", UserEvent="Wanted")
        assert "UserEvent: Wanted" in client.read_message()
        other.read_until("UserEvent: Unwished")
        assert "Ping: Pong" in answer(client, "Action: Ping")
    assert not asterisk.actions("Filter")


def test_waitevent_holds_up_its_client_only(stage: Stage, client: ManagerClient) -> None:
    """Answered as Asterisk does when an event comes, or when time is over."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: behind")
        assert "Ping: Pong" in answer(other, "Action: Ping", "ActionID: o")
        # It is an event that is waited for, not the answer to somebody else.
        answered: list[str] = []

        def comes() -> list[str]:
            # One that came before the WaitEvent was taken does not end it.
            asterisk.event("UserEvent", UserEvent="Come")
            with contextlib.suppress(TimeoutError):
                wanted = client.read_until(lambda message: value(message, "ActionID") == "w", 0.2)
                answered.extend(wanted)
            return answered

        assert wait_until(comes) == [
            "Response: Success",
            "ActionID: w",
            "Message: Waiting for Event completed.",
        ]
        assert client.read_until("Event: WaitEventComplete") == [
            "Event: WaitEventComplete",
            "ActionID: w",
        ]
        client.read_until(lambda message: value(message, "ActionID") == "behind")
        asterisk.event("UserEvent", UserEvent="Last")
        client.read_until("UserEvent: Last")  # none that was sent is still on its way
        start = time.monotonic()
        client.send("Action: WaitEvent", "Timeout: 1", "ActionID: t")
        client.read_until(lambda message: value(message, "ActionID") == "t")
        assert 0.9 < time.monotonic() - start < 5
    assert not asterisk.actions("WaitEvent")
