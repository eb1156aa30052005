# SPDX-License-Identifier: GPL-2.0-or-later
"""Each generation of Asterisk, asked directly and through the proxy: the same answers."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import ManagerClient, wait_until
from tests.system.peers import PATIENT, host_line, is_response, value, wait_connected

if TYPE_CHECKING:
    from tests.support import ProxyProcess, StartProxy

#: What libraries ask most, each with its headers.
ACTIONS = [
    "Ping",
    "Command|Command: core show version",
    "Command|Command: no such command",
    "CoreStatus",
    "Status",
    "CoreShowChannels",
    "QueueStatus",
    "QueueSummary",
    "SIPpeers",
    "PJSIPShowEndpoints",
    "DBPut|Family: f|Key: k|Val: v: w",
    "DBGet|Family: f|Key: k",
    "DBGet|Family: f|Key: nothing",
    "Setvar|Variable: V|Value: x y",
    "Getvar|Variable: V",
    "ListCommands",
    "UserEvent|UserEvent: Mine|Key: value",
    "NoSuchAction",
    "Originate|Channel: SIP/9|Context: c|Exten: 1",
    "Originate|Channel: SIP/9|Context: c|Exten: 1|Async: true",
    "Originate|Channel: SIP/busy|Context: c|Exten: 1|Priority: 1",
    "Originate|Channel: SIP/7|Context: c|Exten: 1|Priority: 1|Variable: A=1",
    "Originate|Channel: NoTech/7|Context: c|Exten: 1|Priority: 1",
    "Originate|Channel: SIP/8|Context: c|Exten: 1|Priority: 1|Async: true",
]


def played(client: ManagerClient, who: str, *more: str) -> dict[str, list[list[str]]]:
    """Return the messages that *client* gets for each of ACTIONS.

    Its ActionIDs begin with *who*; *more* are headers of each action.  Numbers are masked:
    calls and times differ from run to run.
    """
    ids = {f"{who}{number}": action for number, action in enumerate([*ACTIONS, "Ping"])}
    for key, action in ids.items():
        name, *headers = action.split("|")
        client.send(f"Action: {name}", f"ActionID: {key}", *headers, *more)
    found: dict[str, list[list[str]]] = {key: [] for key in ids}
    *_, last, end = ids
    # The last one has its response, and its OriginateResponse.
    while not all(found.values()) or len(found[last]) < 2:
        message = client.read_message()
        key = value(message, "ActionID") or ""
        if key in found:
            lines = "\n".join(message).split("\n")  # raw text has bare line feeds
            found[key].append([_masked(line) for line in lines if not _is_ours(line)])
        else:
            assert not is_response(message), message
    return {ids[key]: messages for key, messages in found.items() if key != end}


def _is_ours(line: str) -> bool:
    return line.startswith("Server: ")


def _masked(line: str) -> str:
    name, colon, text = line.partition(":")
    if name == "ActionID":
        return name
    return name + colon + re.sub(r"[0-9a-f]*\d[0-9a-f]*", "0", text)


@pytest.mark.parametrize("mode", ["off", "unique"])
def test_each_generation_answers_the_same_through_the_proxy(proxy: StartProxy, mode: str) -> None:
    """Header by header, list by list, of 1.8 with its lists without an end to 22."""
    with contextlib.ExitStack() as stack:
        servers = {
            speak: stack.enter_context(
                SimulatedAsterisk(
                    f"127.0.0.{number}",
                    behaviour=Behaviour(speak=speak, time_scale=0, talk=0.0, peers=5),
                )
            )
            for number, speak in enumerate(DIALECTS, 1)
        }
        config = PATIENT + f"autofilter = {mode}\n" + "".join(map(host_line, servers.values()))
        program = proxy(config)
        wait_connected(program, len(servers))
        different = {speak: _differences(program, asterisk) for speak, asterisk in servers.items()}

    assert different == {speak: {} for speak in DIALECTS}


def _differences(program: ProxyProcess, asterisk: SimulatedAsterisk) -> dict[str, object]:
    """Return the actions that *asterisk* answers in another way directly than through *program*."""

    def talking() -> bool:
        channels = asterisk.exchange.channels
        return len(channels) == 2 and all(one.bridge or one.peer for one in channels)

    asterisk.call("SIP/100", talk=FOREVER, exten="200")
    wait_until(talking, what="a call")
    with ManagerClient(asterisk.port, asterisk.host) as direct:
        direct.read_line()
        direct.ask("Action: Login", "Username: ampuser", "Secret: AmpSecret")
        theirs = played(direct, "d")
    wait_until(talking, what="that call alone")
    asterisk.pbx.database.clear()
    asterisk.pbx.variables.clear()
    with program.client() as client:
        ours = played(client, "p", f"Server: {asterisk.host}")
    assert sum(map(len, theirs.values())) > 45
    return {
        action: (ours[action], messages)
        for action, messages in theirs.items()
        if ours[action] != messages
    }
