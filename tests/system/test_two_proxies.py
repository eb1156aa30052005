# SPDX-License-Identifier: GPL-2.0-or-later
"""Two proxies at one Asterisk; list items that look like events (spec 12.24, 12.25)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.peers import PATIENT, host_line, is_response, value, wait_connected
from tests.system.people import logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient

    Pair = tuple[SimulatedAsterisk, ProxyProcess, ProxyProcess]

CALL = ("Action: Originate", "Channel: Local/1@phones", "Application: Wait")
USERS = """
[all]
secret = secret
read = all
write = all
[nocall]
secret = secret
read = system
write = all
[board]
secret = secret
read = call,system
write = reporting
[one]
secret = secret
read = all
write = all
"""

#: What Asterisk answers with items that carry Privilege: Status of 22, SIPpeerstatus of 11.
LISTS = {
    "Status": (
        b"Response: Success\r\nMark: list\r\nActionID: {ActionID}\r\nEventList: start\r\n"
        b"Message: Channel status will follow\r\n\r\n"
        b"Event: Status\r\nPrivilege: Call\r\nMark: list\r\nActionID: {ActionID}\r\n\r\n"
        b"Event: StatusComplete\r\nMark: list\r\nActionID: {ActionID}\r\nEventList: Complete\r\n\r\n"
    ),
    "SIPpeerstatus": (
        b"Response: Success\r\nMark: list\r\nActionID: {ActionID}\r\nMessage: Peer status will follow\r\n\r\n"
        b"Event: PeerStatus\r\nPrivilege: System\r\nMark: list\r\nActionID: {ActionID}\r\n\r\n"
        b"Event: SIPpeerstatusComplete\r\nMark: list\r\nActionID: {ActionID}\r\n\r\n"
    ),
}


@pytest.fixture(scope="module", params=["11", "22"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """An Asterisk of a generation and two proxies at it."""
    with SimulatedAsterisk(behaviour=Behaviour(speak=request.param)) as asterisk:
        config = PATIENT + "authrequired = yes\n" + host_line(asterisk)
        with ProxyProcess(config, USERS) as one, ProxyProcess(config, USERS) as two:
            for program in (one, two):
                wait_connected(program)
            yield asterisk, one, two


def finish(client: ManagerClient) -> list[list[str]]:
    """Return what *client* gets of a list, up to an answer of the proxy's own."""
    client.send("ProxyAction: SetInputFormat", "InputFormat: standard")
    found = []
    while not (message := client.read_message())[0].startswith("ProxyResponse"):
        if "Mark: list" in message:
            found.append(message)
    return found


@pytest.mark.parametrize("mode", ["off", "unique"])
def test_each_proxy_answers_its_own_clients_calls(pair: Pair, mode: str) -> None:
    """Sessions have the same numbers and clients give the same ActionIDs; no answer goes astray."""
    _, *programs = pair
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(logged_in(program, "all")) for program in programs]
        for client in clients:
            client.send("ProxyAction: SetAutoFilter", f"AutoFilter: {mode}")
            client.read_until(is_response)
        for number in range(4):
            for client in clients:
                for at, more in enumerate(([], ["Async: true"])):
                    client.send(*CALL, *more, f"ActionID: {number}.{at}")
        wanted = {f"{number}.{at}" for number in range(4) for at in (0, 1)}
        for client in clients:
            answered: list[str] = []
            made: list[str] = []  # the other proxy's calls are events here too
            while set(answered) != wanted or len(mine(made)) < 4:
                message = client.read_message()
                found = answered if is_response(message) else made
                if is_response(message) or message[0] == "Event: OriginateResponse":
                    found.append(value(message, "ActionID") or "")

            assert len(answered) == len(wanted)
            # Those of calls that the proxy holds back are shown to nobody.
            assert sorted(mine(made)) == [f"{number}.1" for number in range(4)]


def mine(ids: list[str]) -> list[str]:
    """Return those of *ids* that no proxy has made."""
    return [each for each in ids if not each.startswith("amp")]


@pytest.mark.parametrize("action", LISTS)
@pytest.mark.parametrize("given", [[], ["ActionID: 7"]])
@pytest.mark.parametrize("asker", ["all", "nocall"])
def test_list_items_with_a_privilege_reach_their_asker_and_nobody_else(
    pair: Pair, action: str, given: list[str], asker: str
) -> None:
    """Also one without events, or without the class; others see them with all answers or not."""
    asterisk, program, second = pair
    asterisk.answer(action, LISTS[action])
    others = [(program, "board"), (program, "one"), (second, "all")]
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(logged_in(program, asker))
        rest = [stack.enter_context(logged_in(each, name)) for each, name in others]
        rest[1].send("ProxyAction: SetAutoFilter", "AutoFilter: unique")
        rest[1].read_until(is_response)
        one.send("Action: Events", "EventMask: off")
        one.read_until(is_response)

        one.send(f"Action: {action}", *given)
        answer = [one.read_until("Mark: list") for _ in range(3)]

        assert answer[0][0] == "Response: Success"
        assert "Privilege" in str(answer[1])
        assert answer[2][0].endswith("Complete")
        assert [value(each, "ActionID") for each in answer] == ["7" if given else None] * 3
        assert [finish(client) for client in rest] == [[], [], []]
