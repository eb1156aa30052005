# SPDX-License-Identifier: GPL-2.0-or-later
"""Channels, pairs and calls of Asterisk 11, whose events tell a part each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.state.model import ServerModel
from tests.state.invariants import LIMIT, check, rows
from tests.state.stories import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ONE, TWO, THREE = "SIP/101-01", "SIP/102-02", "AsyncGoto/SIP/102-02"


def old(name: str, *lines: str) -> Message:
    """Return an event."""
    return Message.of(f"Event: {name}", "Privilege: call,all", *lines)


def came(name: str, uniqueid: str, number: str, state: int = 6) -> Message:
    """Return a Newchannel."""
    return old(
        "Newchannel", f"Channel: {name}", f"ChannelState: {state}", "ChannelStateDesc: ?",
        f"CallerIDNum: {number}", "CallerIDName: ", "AccountCode: ", "Exten: 102",
        "Context: inside", f"Uniqueid: {uniqueid}",
    )  # fmt: skip


def linked(state: str, one: str = "1", two: str = "2") -> Message:
    """Return a Bridge event."""
    return old(
        "Bridge", f"Bridgestate: {state}", "Bridgetype: core", f"Channel1: x{one}",
        f"Channel2: x{two}", f"Uniqueid1: {one}", f"Uniqueid2: {two}", "CallerID1: 1",
        "CallerID2: 2",
    )  # fmt: skip


def told(
    events: Iterable[Message], model: ServerModel | None = None, now: float = 1000.0
) -> ServerModel:
    """Return a model that was told *events*; rows are consistent after each."""
    model = model or ServerModel(LIMIT)
    for each in events:
        model.apply(each, now)
        check(model, now)
    return model


CALL = (came(ONE, "1", "101"), came(TWO, "2", "102"), linked("Link"))


def test_hold_does_not_make_a_call_younger() -> None:
    """Unlink and Link come together at each hold and unhold."""
    model = told(CALL)
    told([linked("Unlink"), linked("Link")], model, 1050.0)

    assert rows(model, "bridges", 1060.0)["1|2"].fields["since"] == 1000.0
    assert rows(model, "calls", 1060.0)["1"].fields["since"] == 1000.0
    told([linked("Unlink")], model, 1060.0)
    assert rows(model, "bridges", 1060.0) == {}
    told([linked("Link")], model, 1070.0)
    assert rows(model, "calls", 1070.0)["1"].fields["since"] == 1070.0


def test_a_channel_is_in_one_pair() -> None:
    """A Link with another ends the first, whose Unlink was lost."""
    model = told([*CALL, came("SIP/103-03", "3", "103"), linked("Link", "3", "2")])

    assert set(rows(model, "bridges", 1000.0)) == {"2|3"}


def test_a_name_moves_to_another_channel() -> None:
    """Masquerade, then three Renames; caller and device follow, the zombie is in no row."""
    model = told([
        *CALL, came(THREE, "3", "", 0),
        old("Masquerade", f"Clone: {TWO}", "CloneState: Up", f"Original: {THREE}"),
        old("Rename", f"Channel: {TWO}", f"Newname: {TWO}<MASQ>", "Uniqueid: 2"),
        old("Rename", f"Channel: {THREE}", f"Newname: {TWO}", "Uniqueid: 3"),
        old("Rename", f"Channel: {TWO}<MASQ>", f"Newname: {THREE}<ZOMBIE>", "Uniqueid: 2"),
    ])  # fmt: skip

    found = rows(model, "channels", 1000.0)
    assert set(found) == {"1", "3"}
    row = found["3"].fields
    assert (row["device"], row["caller_number"], row["state"]) == ("SIP/102", "102", "up")
    assert row["answered"] == 1000.0
    assert rows(model, "calls", 1000.0)["1"].fields["channels"] == ("1", "3")

    told([linked("Unlink"), old("Hangup", "Channel: x", "Uniqueid: 2", "Cause: 16")], model)
    assert line_of(rows(model, "calls", 1000.0)["1"]) == "application 101>102"


def test_parked_and_in_a_conference() -> None:
    """Events tell it, as there are no bridges for that."""
    model = told([*CALL, linked("Unlink"), old("ParkedCall", "Channel: x", "Uniqueid: 2")])
    assert rows(model, "calls", 1000.0)["1"].fields["state"] == "parked"

    told([old("UnParkedCall", "Channel: x", "Uniqueid: 2"),
          old("MeetmeJoin", "Channel: x", "Uniqueid: 1", "Meetme: 9")], model)  # fmt: skip
    assert rows(model, "calls", 1000.0)["1"].fields["state"] == "conference"
    told([old("MeetmeLeave", "Channel: x", "Uniqueid: 1", "Meetme: 9")], model)
    assert rows(model, "calls", 1000.0)["1"].fields["state"] == "application"
