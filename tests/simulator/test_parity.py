# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulated Asterisk answers the recorded clients as the real one did."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from simulator.behaviour import Behaviour
from simulator.orders import Order
from simulator.server import SimulatedAsterisk
from tests.recordings import RECORDINGS, asked, said
from tests.support import ManagerClient, wait_until

WITH_SECURITY = Behaviour(security_events=True)
VARIES = (
    b"EventTV|SessionID|LocalAddress|RemoteAddress|SessionTV|Timestamp|Uptime|LastReload|"
    b"CoreStartupTime|CoreStartupDate|CoreReloadTime|CoreReloadDate|CoreProcessedCalls|LoginTime|"
    b"StartTime|AnswerTime|EndTime|AsteriskVersion|ANSWEREDTIME_MS|DIALEDTIME_MS"
)
INPUT = [name for name in RECORDINGS if name.startswith("i1_")]
# Of b1: ShowDialPlan, which is too long, and actions whose answers depend on presence states.
NOT_KEPT = (b"24", b"42")
LOGIN = [
    "a2_bad_login",
    "a2_no_username",
    "a2_unknown_user",
    "a3_login_plain",
    "a4_login_md5",
    "a4_login_md5_bad",
    "a5_logoff_unauth",
    "a5_unauth_actions",
    "a6_login_events_mask",
    "a6_login_events_off",
    "h4_waitevent",
]


def play(name: str, behaviour: Behaviour = WITH_SECURITY, *, call: str = "") -> bytes:
    """Return the simulated Asterisk's output to the recorded client, during *call*."""
    users = {"admin": "secret"}
    with (
        SimulatedAsterisk(users=users, behaviour=behaviour) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        if call:
            asterisk.call(call, talk=60.0)
            wait_until(lambda: asterisk.exchange.channels, what="a call")
        client.send_raw(asked(name))
        client.half_close()
        return client.read_to_end()


def masked(data: bytes) -> list[bytes]:
    """Return the lines of *data*, with what differs from run to run masked."""
    data = re.sub(rb"(?m)^(" + VARIES + rb"): .*?\r$", rb"\1: *\r", data)
    data = re.sub(rb"\b\d{10}\.\d+\b", b"<id>", data)
    data = re.sub(rb"-[0-9a-f]{8}(?=;[12])", b"-<n>", data)
    return data.split(b"\r\n")


def messages(data: bytes) -> list[list[bytes]]:
    """Return the messages of *data*, without the security events, as masked lines."""
    text = b"\r\n".join(masked(data[data.index(b"\n") + 1 :]))
    found = [part.strip(b"\r\n").split(b"\r\n") for part in text.split(b"\r\n\r\n")]
    return [lines for lines in found if b"Privilege: security,all" not in lines and lines != [b""]]


def names(lines: list[bytes]) -> list[bytes]:
    """Return the header names of a message."""
    return [line.partition(b":")[0] for line in lines]


@pytest.mark.parametrize("name", LOGIN + INPUT)
def test_odd_input_and_logins_are_answered_as_recorded(name: str) -> None:
    """Every byte is that of Asterisk 22, except times and addresses."""
    challenge = re.search(rb"Challenge: (\d+)", said(name))
    given = challenge[1].decode() if challenge else ""
    heard = play(name, replace(WITH_SECURITY, challenge=given))

    assert masked(heard) == masked(said(name))


def test_filters_are_answered_as_recorded() -> None:
    """Each response to Action Filter, including errors, is the recorded one."""

    def responses(data: bytes) -> list[list[bytes]]:
        return [lines for lines in messages(data) if lines[0].startswith(b"Response: ")][:10]

    assert responses(play("h2_filter")) == responses(said("h2_filter"))


def test_long_action_ids_are_cut_as_recorded() -> None:
    """CoreStatus, CoreSettings and list items lose the end of the ID and their next line."""

    def destroyed(data: bytes) -> set[tuple[bytes, bytes]]:
        return {
            (lines[0], line)
            for lines in messages(data)
            for line in lines
            if line.startswith(b"ActionID: ") and b": " in line[10:]
        }

    ours = destroyed(play("b8_actionid_length", call="Local/stay@legs"))
    theirs = destroyed(said("b8_actionid_length"))

    assert len(ours & theirs) >= 4
    assert {one[0] for one in ours} <= {one[0] for one in theirs}


def test_user_events_are_echoed_as_recorded() -> None:
    """UTF-8, Latin-1, control bytes, repeated and forged headers come back unchanged."""

    def user_events(data: bytes) -> list[list[bytes]]:
        return [lines for lines in messages(data) if lines[0] == b"Event: UserEvent"]

    name = "h3_userevent_odd"

    assert user_events(play(name)) == user_events(said(name))


def test_simple_actions_have_the_shape_of_the_recorded_ones() -> None:
    """Every response, and the first item of every list, has the recorded headers in order."""

    def shapes(data: bytes) -> dict[bytes, list[list[bytes]]]:
        found: dict[bytes, list[list[bytes]]] = {}
        for lines in messages(data):
            ids = [line for line in lines if line.startswith(b"ActionID: b1_simple")]
            if ids:
                found.setdefault(ids[0], []).append(names(lines))
        return found

    heard = shapes(play("b1_simple_actions", replace(WITH_SECURITY, peers=3, queue_members=3)))
    missing = []
    for action_id, theirs in shapes(said("b1_simple_actions")).items():
        if action_id.rpartition(b"-")[2] in NOT_KEPT:
            continue
        ours = heard[action_id]
        if ours[0] != theirs[0] or not all(shape in theirs for shape in ours):
            missing.append((action_id, ours, theirs))

    assert missing == []


WATCHED = {b"Newchannel", b"Newstate", b"Newexten", b"DialBegin", b"DialEnd", b"LocalBridge"}
CALLS = {
    "d1_dial_bridge": Order("Local/stay@legs/n", "flow", "110", '"Caller" <200>', peer="210"),
    "b7_head_of_line": Order("Local/never@legs/n", "flow", "100", timeout=0.05),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_the_events_of_the_recorded_one(name: str) -> None:
    """The same events with the same headers, in the same order."""

    def watched(data: bytes) -> list[list[bytes]]:
        return [one for one in messages(data) if one[0][len(b"Event: ") :] in WATCHED]

    ours, theirs = watched(_events_of(CALLS[name])), watched(said(name))

    assert sorted(ours) == sorted(theirs)
    assert [one[0] for one in ours] == [one[0] for one in theirs]


def _events_of(order: Order) -> bytes:
    """Return what a client receives of a call."""
    with SimulatedAsterisk() as asterisk, ManagerClient(asterisk.port) as client:
        client.send("Action: Login", "Username: ampuser", "Secret: AmpSecret")
        asterisk.wait_for_session(1)
        outcome = "noanswer" if "never" in order.channel else "answered"
        assert asterisk.exchange.call(order, outcome).finished.wait(10)
        client.send("Action: Logoff")
        return client.read_to_end()
